"""RenderedTree: which template makes which file, and what every file must hold.

Naming rule: ``spoke/NAME.yaml.j2`` becomes ``spokes/<spoke>/NAME.yaml``; ``NAME.each-model.yaml.j2`` becomes one file
``NAME-<model>.yaml`` a model. In ``hub/``, ``NAME.each-platform.yaml.j2`` makes one a platform and
``NAME.each-spoke.yaml.j2`` one a spoke. A template that renders to nothing makes no file. ``kustomization.yaml.j2``
comes last and sees ``resources``, the files beside it but those that end with ``.shared.yaml``.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import yaml

from hubctl.errors import TemplateError
from hubctl.model import credential, tree
from hubctl.model.credential import NotCredential
from hubctl.model.fleet import HubInputs
from hubctl.render import context, documents, plain

DELIVERY = "delivery.yaml"
"""Parameters of a spoke's Application; a spoke whose folder lacks it is out of the ApplicationSets' reach."""

KUSTOMIZATION = "kustomization.yaml"
SHARED = ".shared.yaml"
"""Ends the name of a file whose object others write too: applied apart from the rest, and not ours to label."""

_PLAIN = frozenset({DELIVERY, KUSTOMIZATION})


Inspect = Callable[[str, Sequence[Mapping[str, Any]]], None]
"""Is handed each file of objects as it is made: its path in the tree and its documents, parsed."""


class Renderer(Protocol):
    """What this module needs of the templates."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every template's name, such as ``spoke/storage.yaml.j2``."""

    @property
    def own(self) -> Mapping[str, str]:
        """Name to text of those that are a person's own."""

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
    marks = inputs.values.hubctl.not_credentials
    plain.refuse_texts(templates.own, marks)
    files: dict[str, bytes] = {}
    for cluster in inputs.clusters:
        subject = f"spoke {cluster.name}"
        seen = context.spoke_context(inputs, cluster)
        folder = Folder(f"{tree.SPOKES}/{cluster.name}", "spoke/", subject, marks)
        files |= _files(folder, templates, seen, inspect)
    files |= _files(Folder(tree.HUB, "hub/", "hub", marks), templates, context.hub_context(inputs), inspect)
    return tree.RenderedTree(dict(sorted(files.items())))


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder of the tree: where it lies, its templates' prefix, whom it is for, what is no credential in it."""

    target: str
    prefix: str
    subject: str
    marks: tuple[NotCredential, ...]


def _files(folder: Folder, templates: Renderer, seen: dict[str, Any], inspect: Inspect | None) -> dict[str, bytes]:
    target, prefix, subject = folder.target, folder.prefix, folder.subject
    made: dict[str, bytes] = {}
    last = f"{prefix}{KUSTOMIZATION}.j2"
    for name in (name for name in templates.names if name.startswith(prefix) and name != last):
        for file, extra in outputs(name, name.removeprefix(prefix).removesuffix(".j2"), seen):
            text = templates.render(name, {**seen, **extra, "template": f"templates/{name}"}, subject)
            if text.strip():
                objects = _check(text, file, name, subject)
                if name in templates.own:
                    plain.refuse_objects(objects, file, name, subject, marks=folder.marks)
                if inspect and objects and file not in _PLAIN:
                    inspect(f"{target}/{file}", objects)
                made[file] = text.encode()
    if last in templates.names:
        resources = sorted(file for file in made if file not in _PLAIN and not file.endswith(SHARED))
        made[KUSTOMIZATION] = templates.render(last, {**seen, "resources": resources}, subject).encode()
    return {f"{target}/{file}": data for file, data in made.items()}


def outputs(template: str, file: str, seen: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files that a template makes, each with what it sees beside the folder's context."""
    stem, each, rest = file.partition(".each-")
    if not each:
        yield file, {}
        return
    kind, _, suffix = rest.partition(".")
    several: dict[str, Callable[[], list[Any]]] = {
        "model": lambda: seen.get("models", []),
        "platform": lambda: seen.get("platforms", []),
        "spoke": lambda: seen.get("spokes", []),
    }
    if kind not in several:
        raise TemplateError(
            f"a template cannot be made for each {kind!r}; expected each-model (spoke/), each-platform or "
            "each-spoke (hub/)",
            where=f"templates/{template}",
            hint="rename the template",
        )
    for item in several[kind]():
        name = item["name"] if isinstance(item, dict) else item
        yield f"{stem}-{name}.{suffix}", {kind: item}


def _check(text: str, file: str, template: str, subject: str) -> list[Any]:
    """The documents of a file; refuses what is not a Kubernetes object that says it is ours."""
    try:
        objects = documents.parse(text)
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}" if mark else file
        problem = credential.masked(str(getattr(error, "problem", None) or error))
        raise TemplateError(
            f"{place} is not YAML: {problem}",
            where=f"templates/{template} ({subject})",
            hint="run `hubctl render --output DIR` without this template to compare, or check its indentation",
        ) from error
    if file in _PLAIN:
        return objects
    for document in objects:
        if not isinstance(document, dict) or not {"apiVersion", "kind", "metadata"} <= document.keys():
            raise TemplateError(
                f"{file} holds something that is no Kubernetes object: expected apiVersion, kind and metadata",
                where=f"templates/{template} ({subject})",
                hint="a template that should make no file must render to nothing",
            )
        if file.endswith(SHARED):
            continue
        metadata = document["metadata"]
        labels = metadata.get("labels") if isinstance(metadata, dict) else None
        if not isinstance(labels, dict) or labels.get(context.MANAGED_BY) != "hubctl":
            raise TemplateError(
                f"{file}: {document['kind']} lacks the label {context.MANAGED_BY}: hubctl",
                where=f"templates/{template} ({subject})",
                hint="use the `labels` macro of templates/provenance.j2, which adds it",
            )
    return objects
