"""RenderedTree: which template makes which file, and what every file must hold.

Naming rule: ``spoke/NAME.yaml.j2`` becomes ``spokes/<spoke>/NAME.yaml``; ``NAME.each-model.yaml.j2`` becomes one file
``NAME-<model>.yaml`` a model; ``NAME.each-platform.yaml.j2`` one a platform. A template that renders to nothing makes
no file. ``kustomization.yaml.j2`` comes last and sees ``resources``, the files beside it.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

import yaml

from hubctl.errors import TemplateError
from hubctl.model import tree
from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.render import context

DELIVERY = "delivery.yaml"
"""Parameters of a spoke's Application; a spoke whose folder lacks it is out of the ApplicationSets' reach."""

KUSTOMIZATION = "kustomization.yaml"
_PLAIN = frozenset({DELIVERY, KUSTOMIZATION})


class Renderer(Protocol):
    """What this module needs of the templates."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every template's name, such as ``spoke/storage.yaml.j2``."""

    def render(self, name: str, context: Mapping[str, Any], subject: str) -> str:
        """The text of one template."""


def render_tree(inputs: HubInputs, templates: Renderer) -> tree.RenderedTree:
    """Every file of the fleet; a function of its arguments only.

    Raises:
        TemplateError: a template failed, or made something that is no manifest of ours.
        InputError: the hub's manifests lack an input.
    """
    files: dict[str, bytes] = {}
    for cluster in inputs.clusters:
        files |= spoke_files(inputs, cluster, templates)
    files |= hub_files(inputs, templates)
    return tree.RenderedTree(dict(sorted(files.items())))


def spoke_files(inputs: HubInputs, cluster: ManagedCluster, templates: Renderer) -> dict[str, bytes]:
    """The files of one spoke, by their paths in the tree.

    Raises:
        TemplateError: as :func:`render_tree`.
    """
    seen, subject = context.spoke_context(inputs, cluster), f"spoke {cluster.name}"
    return _folder(f"{tree.SPOKES}/{cluster.name}", "spoke/", templates, seen, subject)


def hub_files(inputs: HubInputs, templates: Renderer) -> dict[str, bytes]:
    """The files of the hub, by their paths in the tree.

    Raises:
        TemplateError, InputError: as :func:`render_tree`.
    """
    return _folder(tree.HUB, "hub/", templates, context.hub_context(inputs), "hub")


def template_of(file: str, prefix: str, templates: Renderer, seen: Mapping[str, Any], subject: str) -> str | None:
    """The template that makes a file of a folder; None when none does.

    Of several for one file it is the one whose text counts. A template that renders to nothing is found too.

    Args:
        file: without its folder, such as ``storage.yaml``.
        prefix: ``spoke/`` or ``hub/``.
        templates: all of them.
        seen: the context of the folder.
        subject: whom it is rendered for.

    Raises:
        TemplateError: a template failed.
    """
    last = f"{prefix}{KUSTOMIZATION}.j2"
    if file == KUSTOMIZATION:
        return last if last in templates.names else None
    found = [
        name
        for name in templates.names
        if name.startswith(prefix) and name != last
        if any(file == output for output, _ in _outputs(name, _file(name, prefix), seen))
    ]
    full = [name for name in found if texts(name, prefix, templates, seen, subject).get(file, "").strip()]
    return next(reversed(full or found), None)


def texts(name: str, prefix: str, templates: Renderer, seen: Mapping[str, Any], subject: str) -> dict[str, str]:
    """What one template makes: a file's name to its text.

    Raises:
        TemplateError: the template failed, or another one, for the list of the files beside.
    """
    scenes_of = scenes(name, prefix, templates, seen, subject)
    rendered = {file: templates.render(name, scene, subject) for file, scene in scenes_of}
    return {file: text for file, text in rendered.items() if text.strip()}


def scenes(
    name: str, prefix: str, templates: Renderer, seen: Mapping[str, Any], subject: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The files that a template makes, each with everything that the template sees for it.

    Raises:
        TemplateError: another template failed, for the list of the files beside.
    """
    if name == f"{prefix}{KUSTOMIZATION}.j2":
        made = _files(prefix, templates, seen, subject)
        yield KUSTOMIZATION, {**seen, "resources": sorted(file for file in made if file not in _PLAIN)}
        return
    for file, extra in _outputs(name, _file(name, prefix), seen):
        yield file, {**seen, **extra, "template": f"templates/{name}"}


def _file(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).removesuffix(".j2")


def _folder(target: str, prefix: str, templates: Renderer, seen: Mapping[str, Any], subject: str) -> dict[str, bytes]:
    made = _files(prefix, templates, seen, subject)
    last = f"{prefix}{KUSTOMIZATION}.j2"
    if last in templates.names:
        resources = sorted(file for file in made if file not in _PLAIN)
        made[KUSTOMIZATION] = templates.render(last, {**seen, "resources": resources}, subject).encode()
    return {f"{target}/{file}": data for file, data in made.items()}


def _files(prefix: str, templates: Renderer, seen: Mapping[str, Any], subject: str) -> dict[str, bytes]:
    """Every file of a folder but the kustomization, checked."""
    made: dict[str, bytes] = {}
    last = f"{prefix}{KUSTOMIZATION}.j2"
    for name in (name for name in templates.names if name.startswith(prefix) and name != last):
        for file, text in texts(name, prefix, templates, seen, subject).items():
            _check(text, file, name, subject)
            made[file] = text.encode()
    return made


def _outputs(template: str, file: str, seen: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
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


def _check(text: str, file: str, template: str, subject: str) -> None:
    """Refuse what is not a Kubernetes object that says it is ours."""
    try:
        documents = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
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
        return
    for document in documents:
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
