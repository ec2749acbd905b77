"""Scenes: for one template, the files that it makes and what it sees for each; and the same text as in the tree.

Pure. Apart from ``tree``, which makes all files and has to be quick: here one is made again and again. What only the
tree knows, the files beside a kustomization, is taken from what it shows to that template.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from hubctl.model.fleet import HubInputs
from hubctl.render import context, tree
from hubctl.render.templates import Templates


@dataclass(frozen=True)
class Recorder(Templates):
    """Templates that remember what each of them saw last."""

    saw: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def render(self, name: str, context: Mapping[str, Any], subject: str) -> str:
        """The text of one template.

        Raises:
            TemplateError: as without remembering.
        """
        self.saw[name] = context
        return super().render(name, context, subject)


def recorder(templates: Templates, prefix: str) -> Recorder:
    """The templates of one folder, ``spoke/`` or ``hub/``; those of the other are left out."""
    known = {each.name: getattr(templates, each.name) for each in fields(templates)}
    return Recorder(**{**known, "names": tuple(name for name in templates.names if name.startswith(prefix))})


def files(inputs: HubInputs, templates: Templates, prefix: str) -> tuple[str, ...]:
    """The paths of the files that the templates of one folder make.

    Raises:
        TemplateError, InputError: as ``tree.render_tree``.
    """
    return tuple(tree.render_tree(inputs, recorder(templates, prefix)).files)


def seen(inputs: HubInputs, prefix: str) -> dict[str, Any]:
    """What the templates of a folder see: the hub's, or those of the only spoke.

    Raises:
        InputError: the hub's manifests lack an input.
    """
    return context.hub_context(inputs) if prefix == "hub/" else context.spoke_context(inputs, inputs.clusters[0])


def scenes(name: str, inputs: HubInputs, templates: Templates) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The files that a template makes, without their folder, each with everything that the template sees for it.

    Raises:
        TemplateError, InputError: as ``tree.render_tree``; of another template only for a kustomization.
    """
    prefix, _, file = name.removesuffix(".j2").rpartition("/")
    if file == tree.KUSTOMIZATION:
        recording = recorder(templates, f"{prefix}/")
        tree.render_tree(inputs, recording)
        if name in recording.saw:
            yield file, recording.saw[name]
        return
    base = seen(inputs, f"{prefix}/")
    for output, extra in tree.outputs(name, file, base):
        yield output, {**base, **extra, "template": f"templates/{name}"}


def template_of(file: str, prefix: str, inputs: HubInputs, templates: Templates, subject: str) -> str | None:
    """The template that makes a file; None when none does.

    Of several for one file it is the one whose text counts. A template that renders to nothing is found too.

    Args:
        file: without its folder, such as ``storage.yaml``.
        prefix: ``spoke/`` or ``hub/``.
        inputs: of the hub, or of the only spoke.
        templates: all of them.
        subject: whom it is rendered for.

    Raises:
        TemplateError: a template failed.
        InputError: the hub's manifests lack an input.
    """
    last = f"{prefix}{tree.KUSTOMIZATION}.j2"
    if file == tree.KUSTOMIZATION:
        return last if last in templates.names else None
    found = [
        (name, scene)
        for name in templates.names
        if name.startswith(prefix) and name != last
        for output, scene in scenes(name, inputs, templates)
        if output == file
    ]
    full = [name for name, scene in found if templates.render(name, scene, subject).strip()]
    return next(reversed(full or [name for name, _ in found]), None)
