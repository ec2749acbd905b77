"""``render --explain``: which template made a file, and where each value that it used stands in the inputs."""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml

from hubctl.cli import output, review
from hubctl.errors import InputError
from hubctl.inputs.origin import HubOrigins, Places, SpokeOrigins, joined, place, read_documents
from hubctl.model.fleet import HubInputs
from hubctl.render import watch
from hubctl.render.context import environment_name
from hubctl.render.templates import Templates, load_templates
from hubctl.render.tree import Making, making
from hubctl.settings import Settings

_PART = re.compile(r'\.?([A-Za-z_][\w-]*)|\[(\d+)\]|\[name=([^\]]+)\]|\["((?:[^"\\]|\\.)*)"\]')
_ESCAPED = re.compile(r"\\(.)")
_SHOWN = 4
"""Places of one value before ``+N``."""
_WIDEST = 60

Step = str | int | tuple[str]
"""A key, an index, or the name of an item."""


def explain(settings: Settings, inputs: HubInputs, asked: str) -> None:
    """Print how a file, or one field of it, came to be.

    Args:
        settings: of this run.
        inputs: as rendered.
        asked: ``PATH`` or ``PATH:FIELD``; the path may begin with the rendered folder.

    Raises:
        InputError: there is no such file or field.
        TemplateError: a template failed.
    """
    path, _, wanted = asked.removeprefix(f"{inputs.values.hubctl.gitops.path}/").partition(":")
    templates = load_templates(settings.directory / "templates", watch.Watching)
    made = making(inputs, templates, path)
    if made is None:
        raise InputError(f"no template makes {path!r}", hint="`hubctl render` prints the path of every file it makes")
    text = templates.render(made.template, made.seen, made.subject)
    trails = watch.used(templates, made)
    if wanted:
        field = partial(field_in, steps=steps_of(wanted))
        if not field(text):
            raise InputError(f"{path} has no field {wanted!r}", hint=_near(wanted, text))
        trails = watch.decisive(templates, made, trails, field)
    click.echo(_heading(path, wanted, text, made, templates, settings))
    if not trails:
        click.echo("no value of the inputs takes part: it stands in the template")
        return
    finder = _Finder(settings, inputs, made)
    rows = [(_name(trail), review.value_text(watch.at(made.seen, trail), _WIDEST), _joined(finder(trail)))
            for trail in trails]  # fmt: skip
    output.table(("value", "is", "from"), rows)


def _heading(path: str, wanted: str, text: str, made: Making, templates: Templates, settings: Settings) -> str:
    file = templates.environment.get_template(made.template).filename or made.template
    own = Path(file).is_relative_to(settings.directory / "templates")
    whose = "templates/ of this folder" if own else "packaged"
    what = f"{path} {wanted}".rstrip()
    verb = "made by" if text.strip() else "not made: it is empty by"
    return f"{what}: {verb} template {made.template} ({whose})"


def _joined(places: Sequence[str]) -> str:
    more = f" +{len(places) - _SHOWN}" if len(places) > _SHOWN else ""
    return ", ".join(places[:_SHOWN]) + more


def _name(trail: watch.Trail) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in trail).removeprefix(".")


class _Finder:
    """Where a value that a template sees stands in the inputs."""

    def __init__(self, settings: Settings, inputs: HubInputs, made: Making) -> None:
        self.inputs, self.seen = inputs, made.seen
        self.documents = read_documents(settings, inputs)
        self.name = made.seen["spoke"]["name"] if "spoke" in made.seen else ""

    def __call__(self, trail: watch.Trail) -> Places:
        """The places of a value."""
        if trail in (("template",), ("resources",)):
            return ("the template's own name",) if trail == ("template",) else ("the files beside it",)
        return self._of_spoke(trail) if self.name else self._of_hub(trail)

    def _spoke(self, name: str) -> SpokeOrigins:
        cluster = self.inputs.cluster(name)
        assert cluster is not None, name  # noqa: S101 - the context was made from these inputs
        return SpokeOrigins(self.documents, self.inputs, cluster)

    def _of_spoke(self, trail: watch.Trail) -> Places:
        origins = self._spoke(self.name)
        head, *rest = (str(part) for part in trail)
        if head == "spoke":
            return self._spoke_key(origins, rest)
        if head == "storage":
            return origins.access_mode() if rest[0] == "accessMode" else origins.spec("storage", rest[0])
        if head == "engine":
            return self._variable(origins, rest[-1])
        models = self.seen["models"]
        if not models:
            return origins.spec("models")
        name = self.seen["model"]["name"] if head == "model" else models[int(rest.pop(0))]["name"]
        return origins.model(name, *rest)

    def _spoke_key(self, origins: SpokeOrigins, rest: list[str]) -> Places:
        key = rest[0]
        if key in ("platform", "version", "topology"):
            return origins.spec(key)
        if key == "labels":
            return place(origins.document, "metadata", *rest) or ("no label is set",)
        if key == "source":
            return (origins.document.name,)
        return self._common(origins, key)

    def _common(self, origins: SpokeOrigins, key: str) -> Places:
        known = {
            "name": origins.name,
            "destination": origins.destination,
            "namespace": origins.namespace,
            "namespaces": origins.namespaces,
            "quarantined": origins.quarantined,
            "overrides": origins.overrides,
        }
        return known[key]() if key in known else origins.spec(key)

    def _variable(self, origins: SpokeOrigins, name: str) -> Places:
        for model in origins.cluster.models:
            if name == f"KSERVE_{environment_name(model.name)}_SERVICE":
                return origins.model(model.name, "service")
        keys = {
            "ENABLE_KSERVE_INTEGRATION": "enabled",
            "KSERVE_PREDICTOR_PORT": "predictorPort",
            "KSERVE_TIMEOUT": "timeout",
        }
        return origins.hub.kserve(keys[name]) if name in keys else origins.namespace()

    def _of_hub(self, trail: watch.Trail) -> Places:
        head, *rest = trail
        if head == "gitops":
            return HubOrigins(self.documents).gitops(str(rest[0]))
        if head == "source":
            return (self.documents.values.name,)
        if head in ("platforms", "platform"):
            ours = [one for one in self.inputs.clusters if head == "platforms" or one.platform == self.seen[head]]
            return joined(*(self._spoke(one.name).spec("platform") for one in ours)) or ("there is no spoke",)
        if not rest:
            return ("there is no spoke",)
        return self._common(self._spoke(self.seen["spokes"][rest[0]]["name"]), str(rest[1]))


def steps_of(wanted: str) -> tuple[Step, ...]:
    """A field as ``diff --style fields`` writes it: ``spec.env[name=A].value``, ``metadata.labels["x/y"]``.

    Raises:
        InputError: it is written otherwise.
    """
    found: list[Step] = []
    position = 0
    while position < len(wanted):
        part = _PART.match(wanted, position)
        if part is None:
            raise InputError(
                f"cannot read the field {wanted!r} from {wanted[position:]!r} on",
                hint='write it as spec.env[0].value, spec.env[name=A].value or metadata.labels["x/y"]',
            )
        key, index, name, quoted = part.groups()
        step: Step = key or (int(index) if index else (name,) if name else _ESCAPED.sub(r"\1", quoted))
        found.append(step)
        position = part.end()
    return tuple(found)


def field_in(text: str, steps: tuple[Step, ...]) -> list[Any]:
    """The field in each document of a text that has it.

    Raises:
        YAMLError: it is not YAML.
    """
    return [found for document in _documents(text) for found in _below(document, steps)]


def _documents(text: str) -> list[Any]:
    return list(yaml.load_all(text, Loader=yaml.CSafeLoader))


def _below(value: Any, steps: tuple[Step, ...]) -> list[Any]:
    if not steps:
        return [value]
    step, rest = steps[0], steps[1:]
    if isinstance(value, dict):
        return _below(value[step], rest) if step in value else []
    if isinstance(value, list) and isinstance(step, int):
        return _below(value[step], rest) if step < len(value) else []
    if isinstance(value, list) and isinstance(step, tuple):
        named = [item for item in value if isinstance(item, dict) and item.get("name") == step[0]]
        return _below(named[0], rest) if named else []
    return []


def _near(wanted: str, text: str) -> str:
    """The nearest field that there is."""
    known = [path for document in _documents(text) for path in _paths(document, "")]
    near = difflib.get_close_matches(wanted, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]}?" if near else f"it begins with {', '.join(dict.fromkeys(known[:5]))}"


def _paths(value: Any, path: str) -> Iterator[str]:
    if path:
        yield path.removeprefix(".")
    if isinstance(value, dict):
        for key, inner in value.items():
            part = f".{key}" if re.fullmatch(r"[A-Za-z_][\w-]*", str(key)) else f"[{json.dumps(str(key))}]"
            yield from _paths(inner, f"{path}{part}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _paths(inner, f"{path}[{index}]")
