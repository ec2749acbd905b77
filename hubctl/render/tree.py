"""RenderedTree: which template makes which file, and what every file must hold.

Naming rule: ``spoke/NAME.yaml.j2`` becomes ``spokes/<spoke>/NAME.yaml``; ``NAME.each-model.yaml.j2`` becomes one file
``NAME-<model>.yaml`` a model; ``NAME.each-platform.yaml.j2`` one a platform. A template that renders to nothing makes
no file. ``kustomization.yaml.j2`` comes last and sees ``resources``, the files beside it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import yaml

from hubctl.errors import TemplateError
from hubctl.model import tree
from hubctl.model.fleet import HubInputs
from hubctl.render import context, documents

DELIVERY = "delivery.yaml"
"""Parameters of a spoke's Application; a spoke whose folder lacks it is out of the ApplicationSets' reach."""

KUSTOMIZATION = "kustomization.yaml"
_PLAIN = frozenset({DELIVERY, KUSTOMIZATION})


Inspect = Callable[[str, Sequence[Mapping[str, Any]]], None]
"""Is handed each file of objects as it is made: its path in the tree and its documents, parsed."""


class Renderer(Protocol):
    """What this module needs of the templates."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every template's name, such as ``spoke/storage.yaml.j2``."""

    def render(self, name: str, context: Mapping[str, Any], subject: str) -> str:
        """The text of one template."""


def render_tree(inputs: HubInputs, templates: Renderer, inspect: Inspect | None = None) -> tree.RenderedTree:
    """Every file of the fleet; a function of its arguments only.

    Args:
        inputs: the fleet.
        templates: what makes files of it.
        inspect: looks at the objects, so that nobody has to parse the files again.

    Raises:
        TemplateError: a template failed, or made something that is no manifest of ours.
        InputError: the hub's manifests lack an input.
    """
    files: dict[str, bytes] = {}
    for cluster in inputs.clusters:
        subject = f"spoke {cluster.name}"
        folder = Folder(f"{tree.SPOKES}/{cluster.name}", "spoke/", subject)
        files |= _files(folder, templates, context.spoke_context(inputs, cluster), inspect)
    files |= _files(Folder(tree.HUB, "hub/", "hub"), templates, context.hub_context(inputs), inspect)
    return tree.RenderedTree(dict(sorted(files.items())))


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the tree: where it lies, the prefix of its templates, and whom it is for, as errors say it."""

    target: str
    prefix: str
    subject: str


def _files(folder: Folder, templates: Renderer, seen: dict[str, Any], inspect: Inspect | None) -> dict[str, bytes]:
    target, prefix, subject = folder.target, folder.prefix, folder.subject
    made: dict[str, bytes] = {}
    last = f"{prefix}{KUSTOMIZATION}.j2"
    for name in (name for name in templates.names if name.startswith(prefix) and name != last):
        for file, extra in _outputs(name, name.removeprefix(prefix).removesuffix(".j2"), seen):
            text = templates.render(name, {**seen, **extra, "template": f"templates/{name}"}, subject)
            if text.strip():
                objects = _check(text, file, name, subject)
                if inspect and objects:
                    inspect(f"{target}/{file}", objects)
                made[file] = text.encode()
    if last in templates.names:
        resources = sorted(file for file in made if file not in _PLAIN)
        made[KUSTOMIZATION] = templates.render(last, {**seen, "resources": resources}, subject).encode()
    return {f"{target}/{file}": data for file, data in made.items()}


def _outputs(template: str, file: str, seen: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files that a template makes, each with what it sees beside the folder's context."""
    stem, each, rest = file.partition(".each-")
    if not each:
        yield file, {}
        return
    kind, _, suffix = rest.partition(".")
    several: dict[str, Callable[[], list[Any]]] = {
        "model": lambda: seen.get("models", []),
        "platform": lambda: seen.get("platforms", []),
    }
    if kind not in several:
        raise TemplateError(
            f"a template cannot be made for each {kind!r}; expected each-model (spoke/) or each-platform (hub/)",
            where=f"templates/{template}",
            hint="rename the template",
        )
    for item in several[kind]():
        name = item["name"] if isinstance(item, dict) else item
        yield f"{stem}-{name}.{suffix}", {kind: item}


def _check(text: str, file: str, template: str, subject: str) -> list[dict[str, Any]]:
    """The objects of a file; refuse what is not a Kubernetes object that says it is ours."""
    try:
        objects = documents.parse(text)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: an impossible date, such as 2026-13-45
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        problem = getattr(error, "problem", None) or error
        raise TemplateError(
            f"{file}:{line} is not YAML: {problem}",
            where=f"templates/{template} ({subject})",
            hint="run `hubctl render --output DIR` without this template to compare, or check its indentation",
        ) from error
    if file in _PLAIN:
        return []
    for document in objects:
        if not isinstance(document, dict) or not {"apiVersion", "kind", "metadata"} <= document.keys():
            raise TemplateError(
                f"{file} holds something that is no Kubernetes object: expected apiVersion, kind and metadata",
                where=f"templates/{template} ({subject})",
                hint="a template that should make no file must render to nothing",
            )
        metadata = document["metadata"]
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        if not isinstance(labels, dict) or labels.get(context.MANAGED_BY) != "hubctl":
            raise TemplateError(
                f"{file}: {document['kind']} lacks the label {context.MANAGED_BY}: hubctl",
                where=f"templates/{template} ({subject})",
                hint="use the `labels` macro of templates/provenance.j2, which adds it",
            )
    return objects
