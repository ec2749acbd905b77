"""What ``render --explain`` found, as data with its published JSON Schema.

Apart from ``tracing``, which asks and prints for people.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from hubctl.cli import fieldpath
from hubctl.explanation.evidence import Proof
from hubctl.explanation.found import Explanation, Leaf
from hubctl.inputs import schema as schemas
from hubctl.model import origin
from hubctl.render.leaves import GONE

SCHEMA = "explanation.schema.json"

VERSION: Literal["1"] = "1"
"""Of ``render --explain -o json``: within it, keys are added but neither renamed nor removed."""

HIDDEN = "(redacted)"
"""In place of everything that a Secret holds."""


class _Data(BaseModel):
    """Open on purpose: a later hubctl may add keys, and a reader has to let them pass."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class OriginData(_Data):
    """One input that a value depends on, with the proof: another value for it, and what would be then."""

    kind: origin.Kind = Field(
        description="file: a key of a file; default: of hubctl, no file sets it; environment: a variable; name: of a "
        "file; hub: what the hub says of a spoke; hubctl: what templates see and no single input changes; fleet: all "
        "spokes together; template: a literal"
    )
    role: origin.Role = Field(
        description="value: its text stands in the value; decides: it chooses the value; presence: it decides whether "
        "there is any"
    )
    file: str = Field(description="relative to the folder of the inputs, or the variable's name; may be empty")
    line: int = Field(description="from 1; 0 for what stands in no file")
    column: int = Field(description="as line")
    field: str = Field(description="such as spec.models[0].version; may be empty")
    branch: str = Field(description="that the file stands on; empty for files of the folder")
    value: Any = Field(None, description="of the input; absent for literals and for all spokes")
    tried: Any = Field(None, description="what was put in its place; absent as value is")
    together: bool = Field(description="whether others that say so had to be changed with it, as they say the same")
    gives: Any = Field(None, description="the value with it; absent when there would be none")


class TemplateData(_Data):
    """What wrote a value."""

    name: str = Field(description="such as spoke/storage.yaml.j2, also of a template that it imports from")
    line: int = Field(description="from 1; 0 when the template changes its own text, so that nobody can tell")
    packaged: bool = Field(description="hubctl's own, not from templates/ of the folder")
    computed: bool | None = Field(description="whether an expression wrote it; null when that is not known")


class ValueData(_Data):
    """One value of an object."""

    path: str = Field(description="such as spec.env[name=A].value; as in diff -o json")
    value: Any
    template: TemplateData
    origins: tuple[OriginData, ...] = Field(description="never empty; those whose text stands in the value first")
    more_spokes: int = Field(description="spokes that lead to it too, beside those in origins; only of the hub's files")


class ObjectData(_Data):
    """One object of a file."""

    api_version: str = Field(description="empty, as kind, for what is no Kubernetes object")
    kind: str
    namespace: str
    name: str
    because: tuple[OriginData, ...] = Field(description="what decides whether there is such an object")
    fields: tuple[ValueData, ...] = Field(description="those that were asked for")


class ExplanationData(_Data):
    """What `hubctl render --explain -o json` prints."""

    schema_version: Literal["1"]
    path: str = Field(description="below the rendered folder")
    template: TemplateData
    made: bool = Field(description="false when the template renders to nothing")
    unless: tuple[OriginData, ...] = Field(description="of a file that is not made: what would make it")
    objects: tuple[ObjectData, ...]


def schema() -> dict[str, Any]:
    """The JSON Schema of ``render --explain -o json`` (draft 2020-12)."""
    return schemas.of_output(
        SCHEMA, ExplanationData, "Where the values of a rendered file come from, hubctl render --explain -o json"
    )


def data(path: str, found: Explanation, own: frozenset[str]) -> dict[str, Any]:
    """An explanation as plain data, as the schema says.

    Args:
        path: of the file, below the rendered folder.
        found: about it.
        own: names of templates that come from the folder of the inputs.
    """
    made = ExplanationData(
        schema_version=VERSION,
        path=path,
        template=TemplateData(name=found.template, line=0, packaged=found.template not in own, computed=None),
        made=bool(found.documents),
        unless=() if found.documents else tuple(_origin(proof, hidden=False, bare=True) for proof in found.because[0]),
        objects=tuple(_object(index, found, own) for index in dict.fromkeys(leaf.trail[0] for leaf in found.leaves)),
    )
    return made.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _object(index: int, found: Explanation, own: frozenset[str]) -> ObjectData:
    document = found.documents[index] if isinstance(found.documents[index], dict) else {}
    found_metadata = document.get("metadata")
    metadata = found_metadata if isinstance(found_metadata, dict) else {}
    return ObjectData(
        api_version=str(document.get("apiVersion", "")),
        kind=str(document.get("kind", "")),
        namespace=str(metadata.get("namespace", "")),
        name=str(metadata.get("name", "")),
        because=tuple(_origin(proof, hidden=False, bare=True) for proof in found.because[index]),
        fields=tuple(_value(leaf, found, own) for leaf in found.leaves if leaf.trail[0] == index),
    )


def _value(leaf: Leaf, found: Explanation, own: frozenset[str]) -> ValueData:
    hidden = secret(leaf, found)
    template = (leaf.line.template, leaf.line.number, leaf.line.computed) if leaf.line else (found.template, 0, None)
    name, line, computed = template
    return ValueData(
        path=fieldpath.written(leaf.trail, list(found.documents)),
        value=HIDDEN if hidden else leaf.value,
        template=TemplateData(name=name, line=line, packaged=name not in own, computed=computed),
        origins=tuple(_origin(proof, hidden=hidden) for proof in leaf.origins),
        more_spokes=leaf.more,
    )


def secret(leaf: Leaf, found: Explanation) -> bool:
    """Whether a value is one that a Secret holds."""
    document = found.documents[leaf.trail[0]]
    return isinstance(document, dict) and document.get("kind") == "Secret" and leaf.trail[1] in ("data", "stringData")


def _origin(proof: Proof, *, hidden: bool, bare: bool = False) -> OriginData:
    place = proof.place
    shown: dict[str, Any] = {}
    if place.kind not in ("template", "fleet"):
        shown = {"value": proof.was, "tried": proof.tried}
        if proof.then is not GONE and not bare:
            shown["gives"] = proof.then
    if hidden:
        shown = dict.fromkeys(shown, HIDDEN)
    return OriginData(
        kind=place.kind,
        role=proof.role,
        file=place.file,
        line=place.line,
        column=place.column,
        field=place.field,
        branch=place.branch,
        together=proof.together,
        **shown,
    )
