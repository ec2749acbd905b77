"""What ``diff`` found, narrowed to a spoke, and as data with its published JSON Schema.

Apart from ``delivery``, which fetches and compares, and from ``publish.review``, which reads and writes it for people.
"""

from dataclasses import replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from hubctl.inputs import schema as schemas
from hubctl.model import tree
from hubctl.publish import changes, fields, objects
from hubctl.publish.review import Difference, shown

SCHEMA = "diff.schema.json"

VERSION: Literal["1"] = "1"
"""Of ``diff -o json``: within it, keys are added but neither renamed nor removed."""


def narrowed(found: changes.Changes, cluster: str | None, folder: str) -> changes.Changes:
    """The changes of one spoke; all of them without a name."""
    if cluster is None:
        return found
    prefix = f"{folder}/{tree.SPOKES}/{cluster}/"

    def ours(paths: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(path for path in paths if path.startswith(prefix))

    def named(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in names if name == cluster)

    spokes = found.spokes
    return replace(
        found,
        added=ours(found.added),
        changed=ours(found.changed),
        removed=ours(found.removed),
        writes={path: data for path, data in found.writes.items() if path.startswith(prefix)},
        spokes=replace(spokes, added=named(spokes.added), changed=named(spokes.changed), removed=named(spokes.removed)),
    )


class _Data(BaseModel):
    """Open on purpose: a later hubctl may add keys, and a reader has to let them pass."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Names(_Data):
    """Names by what happens to them, each list sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]


class FieldData(_Data):
    """One field of a changed object."""

    path: str = Field(
        description='such as spec.env[name=A].value or metadata.labels["x/y"]; [*].name is the order of named items, '
        "$ the whole"
    )
    change: Literal["added", "changed", "removed"]
    old: Any = Field(None, description="absent when added; values of Secrets are the text (redacted)")
    new: Any = Field(None, description="absent when removed; as above")


class ObjectData(_Data):
    """What happens to one object, on one spoke or in the same way on several."""

    change: Literal["added", "changed", "removed"]
    api_version: str = Field(description="empty, as kind, for a file that is no Kubernetes object")
    kind: str
    namespace: str = Field(description="empty when the object names none")
    name: str = Field(description="<spoke> where the objects of several spokes are called after them")
    file: str = Field(description="below the spoke's folder; of the hub's, the path in the repository")
    spokes: tuple[str, ...] = Field(description="all of them, sorted; none for the hub's")
    fields: tuple[FieldData, ...] = Field(description="empty unless the object changes")


class DiffData(_Data):
    """What `hubctl diff -o json` prints."""

    schema_version: Literal["1"]
    spokes: Names
    files: Names = Field(description="paths in the repository")
    objects: tuple[ObjectData, ...] | None = Field(description="new, changed, removed; null with --summary")
    rewritten: tuple[str, ...] | None = Field(
        description="files whose text changes though no object in them does; null with --summary"
    )


def schema() -> dict[str, Any]:
    """The JSON Schema of ``diff -o json`` (draft 2020-12)."""
    return schemas.of_output(SCHEMA, DiffData, "What a publish would change, hubctl diff -o json")


def data(difference: Difference, *, summary: bool) -> dict[str, Any]:
    """The difference as plain data, as the schema says; without objects if a summary is all that is asked for."""
    found = difference.found
    made = DiffData(
        schema_version=VERSION,
        spokes=Names(added=found.spokes.added, changed=found.spokes.changed, removed=found.spokes.removed),
        files=Names(added=found.added, changed=found.changed, removed=found.removed),
        objects=None if summary else tuple(_object(entry) for entry in difference.entries),
        rewritten=None if summary else difference.silent,
    )
    return made.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _object(entry: objects.Entry) -> ObjectData:
    one = entry.object
    return ObjectData(
        change=entry.change,
        api_version=one.api_version,
        kind=one.kind,
        namespace=one.namespace,
        name=one.name,
        file=one.file,
        spokes=entry.spokes,
        fields=tuple(_field(field) for field in entry.fields),
    )


def _field(field: fields.Field) -> FieldData:
    sides = {"old": field.old, "new": field.new}
    there = {side: shown(value) for side, value in sides.items() if value is not fields.ABSENT}
    return FieldData.model_validate({"path": field.path, "change": field.change, **there})
