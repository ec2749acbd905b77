"""A CRD's schema as the API server applies it to a strict write, in JSON Schema.

The server prunes: a field that no schema names is unknown, below ``x-kubernetes-preserve-unknown-fields`` it is not.
Only the structure counts for that (``properties``, ``items``, ``additionalProperties``), never what stands below
``allOf``, ``anyOf``, ``oneOf`` and ``not``. Defaults come before validation, so a required field with a default may be
missing; a null is dropped before, so it may stand wherever a field may be missing. Rules in CEL
(``x-kubernetes-validations``) are not carried over.
"""

from collections.abc import Mapping
from typing import Any

from hubctl.conform import metadata, sharing

Schema = dict[str, Any]

MAP_KEYS = "x-kubernetes-list-map-keys"
"""Keyword of our validators: no two items may have the same values of these keys."""

_LIMITS = frozenset({
    "type", "enum", "pattern", "minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties",
    "minimum", "maximum", "multipleOf", "uniqueItems",
})  # fmt: skip
_FORMATS = frozenset({"ipv4", "ipv6"})
"""Others mean something else to Kubernetes than to JSON Schema, such as ``duration``, or nothing, such as int32."""

_BRANCHES = ("allOf", "anyOf", "oneOf")


def close(schema: Mapping[str, Any]) -> Schema:
    """A whole schema for a custom resource, definitions included."""
    made = node(schema)
    own = schema.get("properties", {}).get("metadata", {})
    meta: Schema = {"$ref": f"#/$defs/{metadata.NAMED}"}
    if asked := {key: value for key, value in judged(own, own).items() if key not in {"type", *_BRANCHES}}:
        meta["allOf"] = [asked]
    text = {"type": "string"}
    made["properties"] = made.get("properties", {}) | {"apiVersion": text, "kind": text, "metadata": meta}
    made["required"] = sorted({*made.get("required", ()), "apiVersion", "kind", "metadata"})
    shared, definitions = sharing.share(made)
    return {**shared, "$defs": {**metadata.DEFINITIONS, **definitions}}


def node(schema: Mapping[str, Any], *, nullable: bool = False) -> Schema:
    """One place of the structure, closed; ``nullable`` as well as what the schema itself says."""
    if reference := _reference(schema):
        return {"$ref": reference}
    made = judged(schema, schema, inner=False)
    if schema.get("x-kubernetes-int-or-string"):
        made.pop("anyOf", None)
        made["type"] = ["integer", "string"]
    if properties := _properties(schema):
        made["properties"] = properties
    if isinstance(schema.get("items"), Mapping):
        made["items"] = node(schema["items"])
    _close(made, schema)
    if schema.get("x-kubernetes-list-type") == "set":
        made["uniqueItems"] = True
    if schema.get(MAP_KEYS):
        made[MAP_KEYS] = list(schema[MAP_KEYS])
    return _or_null(made) if nullable or schema.get("nullable") else made


def judged(schema: Mapping[str, Any], structure: Mapping[str, Any], *, inner: bool = True) -> Schema:
    """What a schema asks of a value, leaving open which fields there may be.

    Args:
        schema: a branch of ``anyOf`` for instance.
        structure: the structural schema of the same place, which knows the defaults.
        inner: also what it asks of the fields and items.
    """
    made = limits(schema)
    if required := [key for key in schema.get("required", ()) if not _defaulted(structure, key)]:
        made["required"] = required
    if inner:
        known = structure.get("properties", {})
        if "properties" in schema:
            made["properties"] = {key: judged(one, known.get(key, {})) for key, one in schema["properties"].items()}
        for word in ("items", "additionalProperties"):
            if isinstance(schema.get(word), Mapping):
                beside = structure.get(word)
                made[word] = judged(schema[word], beside if isinstance(beside, Mapping) else {})
    for word in _BRANCHES:
        if word in schema:
            made[word] = [judged(branch, structure) for branch in schema[word]]
    if "not" in schema:
        made["not"] = judged(schema["not"], structure)
    return made


def limits(schema: Mapping[str, Any]) -> Schema:
    """The keywords that mean the same in JSON Schema; exclusive bounds are flags in OpenAPI 3.0."""
    made = {key: value for key, value in schema.items() if key in _LIMITS}
    for bound in ("minimum", "maximum"):
        if schema.get(f"exclusive{bound.capitalize()}") is True and bound in made:
            made[f"exclusive{bound.capitalize()}"] = made.pop(bound)
    if schema.get("format") in _FORMATS:
        made["format"] = schema["format"]
    return made


def _properties(schema: Mapping[str, Any]) -> Schema:
    asked = {key for key in schema.get("required", ()) if not _defaulted(schema, key)}
    made = {key: node(one, nullable=key not in asked) for key, one in schema.get("properties", {}).items()}
    if schema.get("x-kubernetes-embedded-resource"):
        text = {"type": "string"}
        made |= {"apiVersion": text, "kind": text, "metadata": {"$ref": f"#/$defs/{metadata.META}"}}
    return made


def _close(made: Schema, schema: Mapping[str, Any]) -> None:
    """Say what fields there may be beside the properties."""
    others = schema.get("additionalProperties")
    if isinstance(others, Mapping):
        made["additionalProperties"] = node(others, nullable=True)
    elif others is None and not schema.get("x-kubernetes-preserve-unknown-fields"):
        if schema.get("type") == "object" or "properties" in made:
            _forbid(made)
    elif others is False:
        _forbid(made)


def _forbid(made: Schema) -> None:
    """No other fields; without properties beside it, the validator would not say which field is too many."""
    made.setdefault("properties", {})
    made["additionalProperties"] = False


def _or_null(made: Schema) -> Schema:
    if "type" in made:
        kinds = made["type"] if isinstance(made["type"], list) else [made["type"]]
        made["type"] = [*kinds, "null"]
    if "enum" in made:
        made["enum"] = [*made["enum"], None]
    return made


def _defaulted(structure: Mapping[str, Any], key: str) -> bool:
    return "default" in structure.get("properties", {}).get(key, {})


def _reference(schema: Mapping[str, Any]) -> str:
    """Where a published schema points to: only ever the metadata of an embedded object."""
    alone = schema.get("allOf", [{}])
    pointed = schema.get("$ref") or (alone[0].get("$ref") if len(alone) == 1 else None)
    return f"#/$defs/{metadata.META}" if pointed else ""
