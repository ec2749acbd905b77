"""Every input of a file that could be another one: where it stands, and which other values it could have.

Walks what was checked beside the text that it was checked from, so that no order of precedence is written here: which
of the inputs counts is found by trying them, as the decision *An explanation is tried* in docs/adr says.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hubctl.inputs import other, settle
from hubctl.inputs.document import Document, Trail, dotted
from hubctl.inputs.trial import REMOVED, Change, Path, World
from hubctl.model.cluster import Spoke
from hubctl.model.origin import Place

_NEARBY = 4
"""Values of other keys of the same name that one is tried with."""

REMOTE = "HUBCTL_REMOTE"
"""The variable that names the remote instead of the values."""


@dataclass(frozen=True, slots=True)
class Documents:
    """The texts that a world was read from.

    Attributes:
        spokes: in the world's order.
        overrides: as the world's.
        remote: whether ``HUBCTL_REMOTE`` is set.
        branch: that the overrides stand on; empty when they are the folder's own.
    """

    values: Document
    spokes: tuple[Document, ...]
    overrides: tuple[Document, ...]
    remote: bool = False
    branch: str = ""


def changes(world: World, documents: Documents) -> Iterator[Change]:
    """Every input of a world, each with other values; files in their order, keys in the order of the models."""
    words = _words(documents)
    yield from _of_values(world, documents, words)
    for index, (document, (source, spoke)) in enumerate(zip(documents.spokes, world.spokes, strict=True)):
        walk = _Walk(document, {**words, **_nearby(world, spoke)})
        yield Change(Place("name", source), ("spokes", index, 0), source, (f"{source}x",))
        yield from walk.model(spoke, ("spokes", index, 1), ())
        yield from _defaults(world, walk, index, spoke)
    for index, (document, (_, override)) in enumerate(zip(documents.overrides, world.overrides, strict=True)):
        versions = tuple(one.version for _, spoke in world.spokes for one in settle.models_of(world.values, spoke))
        walk = _Walk(document, {**words, "insteadOf": versions, "instead_of": versions})
        for change in walk.model(override, ("overrides", index, 1), ()):
            yield replace(change, place=replace(change.place, branch=documents.branch))


def _of_values(world: World, documents: Documents, words: Mapping[str, tuple[Any, ...]]) -> Iterator[Change]:
    labels = {key: value for _, spoke in world.spokes for key, value in spoke.metadata.labels.items()}
    walk = _Walk(documents.values, {**words, **{f"match.{key}": (value,) for key, value in labels.items()}})
    for change in walk.model(world.values.kserve, ("values", "kserve"), ("coordinationEngine", "kserve")):
        yield _outside(change, world.values.environment)
    yield from walk.engine(world.values.engine)
    for change in walk.model(world.values.hubctl, ("values", "hubctl"), ("hubctl",)):
        yield _remote(change, documents) if documents.remote else change
    # The profile of a model that the values do not name is a default from one end to the other.
    served = {model.name for _, spoke in world.spokes for model in settle.models_of(world.values, spoke)}
    for name in sorted(served - world.values.hubctl.models.keys()):
        path: Path = ("values", "hubctl", "models", name)
        profile = world.values.profile(name)
        for change in walk.model(profile, path, ("hubctl", "models", name)):
            yield replace(change, fills=((path, profile),))


def _outside(change: Change, environment: Mapping[str, str]) -> Change:
    """What a variable says is no default, and where it has the last word no key of the file."""
    variable = environment.get(change.place.field)
    return replace(change, place=Place("environment", variable), unsaid=False) if variable else change


def _remote(change: Change, documents: Documents) -> Change:
    """The remote is the variable's then, and the one that the values name only says what Argo CD reads."""
    if change.path[-2:] == ("gitops", "remote"):
        return replace(change, place=Place("environment", REMOTE), unsaid=False)
    named = ("hubctl", "gitops", "remote")
    if (
        change.path[-2:] == ("gitops", "repo_url")
        and change.place.kind == "default"
        and named in documents.values.places
    ):
        return replace(change, place=_place(documents.values, named))
    return change


def _defaults(world: World, walk: "_Walk", index: int, spoke: Spoke) -> Iterator[Change]:
    """What counts for a spoke because neither its file nor a group says anything."""
    said = settle.settings_of(world.values, spoke)
    for name, default in settle.DEFAULTS.items():
        if getattr(said, name, None) is not None:
            continue
        path: Path = ("spokes", index, 1, "spec", name)
        field = type(spoke.spec).model_fields[name]
        trail: Trail = ("spec", field.alias or name)
        for change in walk.value(default, other.annotation_of(field), path, trail, there=False):
            yield replace(change, fills=((path, default),))


def _nearby(world: World, spoke: Spoke) -> dict[str, tuple[Any, ...]]:
    """For each label, what the groups ask of it: with such a value another group would count."""
    asked = [pair for group in world.values.hubctl.groups for pair in group.match.items()]
    return {f"labels.{key}": tuple(value for one, value in asked if one == key) for key in spoke.metadata.labels}


def _words(documents: Documents) -> dict[str, tuple[Any, ...]]:
    """For each key, the first few values that it has anywhere; names are no words, as each is another thing's."""
    found: dict[str, list[Any]] = {}
    sections = [documents.values.data.get(key) for key in ("coordinationEngine", "hubctl")]
    waiting: list[Any] = [*(one.data for one in (*documents.spokes, *documents.overrides)), *sections]
    while waiting:
        value = waiting.pop(0)
        pairs = value.items() if isinstance(value, dict) else [("", item) for item in value or ()]
        for key, inner in pairs:
            if isinstance(inner, (dict, list)):
                waiting.append(inner)
            elif isinstance(inner, (str, int, float)) and key not in ("", "name") and not isinstance(inner, bool):
                found.setdefault(key, []).append(inner)
    return {key: tuple(dict.fromkeys(values))[:_NEARBY] for key, values in found.items()}


def _place(document: Document, trail: Trail) -> Place:
    line, column = document.places[trail]
    return Place("file", document.name, line, column, dotted(trail))


class _Walk:
    """One walk over what was checked and its text side by side."""

    def __init__(self, document: Document, nearby: Mapping[str, tuple[Any, ...]]) -> None:
        self.document = document
        self.nearby = dict(nearby)

    def model(self, model: BaseModel, path: Path, trail: Trail) -> Iterator[Change]:
        """The inputs of a section."""
        for name, field in type(model).model_fields.items():
            key = self._key(name, field, trail)
            there = (*trail, key) in self.document.places
            annotation = other.annotation_of(field)
            value = getattr(model, name)
            yield from self.value(value, annotation, (*path, name), (*trail, key), there=there)

    def engine(self, runs: bool) -> Iterator[Change]:  # noqa: FBT001 - it is the value
        """Whether the coordination engine runs on the hub: the one input among the platform's own keys."""
        trail: Trail = ("coordinationEngine", "enabled")
        place = self._at(trail, there=trail in self.document.places)
        yield Change(place, ("values", "engine"), runs, (not runs,))

    def value(self, value: Any, annotation: Any, path: Path, trail: Trail, *, there: bool) -> Iterator[Change]:
        """The inputs at a key."""
        if isinstance(value, BaseModel):
            yield from self._section(value, annotation, path, trail, there=there)
        elif isinstance(value, dict):
            for key, one in value.items():
                yield from self._member(one, annotation, (*path, key), (*trail, key))
        elif isinstance(value, tuple):
            for index, one in enumerate(value):
                yield from self._member(one, annotation, (*path, index), (*trail, index))
        else:
            yield from self._scalar(value, annotation, path, trail, there=there)

    def _section(self, value: BaseModel, annotation: Any, path: Path, trail: Trail, *, there: bool) -> Iterator[Change]:
        if kinds := other.alternatives(annotation, value):
            # Another type has other keys, so all of the section is replaced.
            typed: Trail = (*trail, "type")
            yield Change(self._at(typed, there=there), path, getattr(value, "type", None), kinds)
        if there and other.accepts_none(annotation):
            yield Change(self._at(trail, there=True), path, "(section)", (None,))
        yield from self.model(value, path, trail)

    def _member(self, value: Any, annotation: Any, path: Path, trail: Trail) -> Iterator[Change]:
        """An entry of a mapping or an item of a list, which could be gone or another."""
        there = trail in self.document.places
        if isinstance(value, BaseModel):
            if there:
                yield Change(self._at(trail, there=True), path, "(section)", (REMOVED,))
            yield from self._section(value, other.inner(annotation), path, trail, there=there)
            return
        for change in self._scalar(value, other.inner(annotation), path, trail, there=there):
            yield replace(change, others=(*change.others, REMOVED))

    def _scalar(self, value: Any, annotation: Any, path: Path, trail: Trail, *, there: bool) -> Iterator[Change]:
        nearby = self.nearby.get(".".join(map(str, trail[-2:]))) or self.nearby.get(str(trail[-1])) or ()
        found = other.others(annotation, value, nearby)
        if value is None and (kinds := other.sections(annotation)):
            found = tuple(other.smallest(kind) for kind in kinds)
        if found:
            unsaid = value is None and not there
            yield Change(self._at(trail, there=there), path, value, found, unsaid=unsaid)

    def _key(self, name: str, field: FieldInfo, trail: Trail) -> str:
        """The key as the file spells it; as we do where the file leaves it out."""
        alias = field.alias or name
        return name if (*trail, name) in self.document.places and (*trail, alias) not in self.document.places else alias

    def _at(self, trail: Trail, *, there: bool) -> Place:
        if there and trail in self.document.places:
            return _place(self.document, trail)
        return Place("default", field=dotted(trail))
