"""Fleet: everything that is read to explain a file, and the part of it that one spoke is made from.

Apart from ``trials``, which is pure: the text of a cluster's file is only read when that spoke is asked for.
"""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from hubctl.inputs import load, origin, settle, trial
from hubctl.inputs.document import Document, parse
from hubctl.model.cluster import Spoke
from hubctl.model.fleet import HubInputs
from hubctl.model.inventory import Member
from hubctl.model.origin import Place
from hubctl.model.remediation import Override
from hubctl.render.marks import Marking
from hubctl.render.templates import Templates
from hubctl.settings import Settings


@dataclass(frozen=True)
class Fleet:
    """What files are rendered from, with its texts.

    Attributes:
        overrides: as they count, file name and content.
        texts: bytes of the overrides by file name.
        templates: that render, without marks.
        marked: the same with marks.
        branch: that the overrides stand on; empty when they are the folder's own.
    """

    settings: Settings
    sources: load.Sources
    overrides: tuple[tuple[str, Override], ...]
    texts: Mapping[str, bytes]
    templates: Templates
    marked: Templates
    branch: str = ""

    @property
    def marking(self) -> Marking:
        """The environment that put the marks in."""
        environment = self.marked.environment
        assert isinstance(environment, Marking)  # noqa: S101 - who made the fleet loaded the templates with it
        return environment

    def inputs(self) -> HubInputs:
        """All of it, merged."""
        return trial.World(self.sources.values, self.sources.spokes, self.overrides).inputs()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every spoke, sorted."""
        return tuple(sorted(self._spokes))

    @cached_property
    def _spokes(self) -> dict[str, tuple[str, Spoke]]:
        return {spoke.metadata.name: (source, spoke) for source, spoke in self.sources.spokes}

    def world(self, name: str | None) -> trial.World:
        """What one spoke is made from; without the name of one, an empty fleet."""
        spokes = (self._spokes[name],) if name in self._spokes else ()
        overrides = tuple(one for one in self.overrides if one[1].spec.cluster == name)
        return trial.World(self.sources.values, spokes, overrides)

    def shape(self, world: trial.World, changes: Iterable[trial.Change]) -> Hashable:
        """What spokes have in common that say the same keys and belong to the same groups."""
        groups = tuple(group.name for _, spoke in world.spokes for group in settle.groups_of(world.values, spoke))
        return groups, frozenset((change.path, change.place.kind) for change in changes)

    def files_of(self, world: trial.World) -> frozenset[str]:
        """The files that are a spoke's own."""
        overrides = (f"{self.folder}/{file}" for file, _ in world.overrides)
        return frozenset((*(source for source, _ in world.spokes), *overrides))

    @property
    def folder(self) -> str:
        """Where the overrides lie."""
        return self.sources.values.hubctl.gitops.overrides

    def changes(self, world: trial.World) -> tuple[trial.Change, ...]:
        """Every input of a world, with other values.

        Raises:
            InputError: a file cannot be read any more.
        """
        documents = origin.Documents(
            values=self._values,
            spokes=tuple(self._document(source, spoke) for source, spoke in world.spokes),
            overrides=tuple(parse(self.texts[file], f"{self.folder}/{file}") for file, _ in world.overrides),
            remote=bool(self.settings.remote),
            branch=self.branch,
        )
        return tuple(self._told_by_hub(change, world) for change in origin.changes(world, documents))

    def _document(self, source: str, spoke: Spoke) -> Document:
        """The text of a cluster file; of a spoke without one nothing."""
        if self._member(spoke) is None or source in {document.name for document in self.sources.files}:
            return self._read(source)
        return Document(source, {}, {}, {})

    def _member(self, spoke: Spoke) -> Member | None:
        inventory = self.sources.inventory
        return inventory.member(spoke.metadata.name) if inventory else None

    def _told_by_hub(self, change: trial.Change, world: trial.World) -> trial.Change:
        """What a cluster file leaves out is no default where the hub says it."""
        if change.place.kind not in ("default", "name") or change.path[0] != "spokes":
            return change
        member = self._member(world.spokes[int(change.path[1])][1])
        if member is None or (change.place.kind == "name" and change.place.file != member.origin):
            return change
        said = {
            "spec.platform": member.platform,
            "spec.version": member.version,
            "spec.topology": member.topology,
            **{f"metadata.labels.{key}": value for key, value in member.labels.items()},
        }
        field = "metadata.name" if change.place.kind == "name" else change.place.field
        if change.place.kind == "default" and not said.get(field) and field != "metadata.name":
            return change
        return replace(change, place=Place("hub", member.origin, field=field))

    @cached_property
    def _values(self) -> Document:
        return self._read(self.settings.values_file.name)

    def _read(self, name: str) -> Document:
        return load.read_document(self.settings, name)
