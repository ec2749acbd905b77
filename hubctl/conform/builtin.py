"""A Go type's schema, as ``/openapi/v3`` publishes it, in JSON Schema as strict as the server's decoder.

These kinds are decoded into Go structures: a null is as good as nothing, an integer has the size of its type, an
object without properties holds anything. Their ``default`` is most often Go's zero value, so that what is required
stays so, unless it is a structure that may be empty: to Go that one is never missing.
"""

from collections.abc import Mapping
from typing import Any

from hubctl.conform import metadata
from hubctl.conform.structural import Schema, limits

REFERENCE = "#/components/schemas/"
QUANTITY = (
    r"^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)"
    r"([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?$"
)
"""As the server reads it; KServe's own pattern takes more."""

_BASE64 = r"^[A-Za-z0-9+/\r\n]*={0,2}[\r\n]*$"
_META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
_SPECIAL: dict[str, Schema] = {
    _META: metadata.DEFINITIONS[metadata.META],
    "io.k8s.apimachinery.pkg.api.resource.Quantity": {
        "type": ["string", "number", "null"],
        "pattern": QUANTITY,
    },
    "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {
        "type": ["integer", "string", "null"],
        "minimum": -(2**31),
        "maximum": 2**31 - 1,
    },
}


def close(name: str, components: Mapping[str, Any]) -> Schema:
    """A whole schema for a kind of the server's own, definitions included."""
    made = node(components[name], components)
    made["type"] = "object"
    made["required"] = sorted({*made.get("required", ()), "apiVersion", "kind", "metadata"})
    definitions: dict[str, Schema] = {}
    waiting = list(references(made))
    while waiting:
        wanted = waiting.pop()
        if wanted not in definitions:
            definitions[wanted] = _SPECIAL.get(wanted) or node(components[wanted], components)
            waiting += references(definitions[wanted])
    return {**made, "$defs": definitions}


def node(schema: Mapping[str, Any], components: Mapping[str, Any], *, optional: bool = False) -> Schema:
    """One place, closed; null fits everywhere, and an optional choice may be empty: to Go it is not set then."""
    if pointed := _pointed(schema):
        return {"$ref": f"#/$defs/{pointed}"}
    made = limits(schema) | _sizes(schema)
    required = [key for key in schema.get("required", ()) if not _empties(schema["properties"][key], components)]
    if required:
        made["required"] = required
    if "properties" in schema:
        made["properties"] = {
            key: node(one, components, optional=key not in required) for key, one in schema["properties"].items()
        }
        made["additionalProperties"] = bool(schema.get("x-kubernetes-preserve-unknown-fields"))
    for word in ("items", "additionalProperties"):
        if isinstance(schema.get(word), Mapping):
            made[word] = node(schema[word], components)
    if "type" in made:
        made["type"] = [made["type"], "null"]
    if "enum" in made and optional:
        made["enum"] = [*made["enum"], "", None]
    return made


def _pointed(schema: Mapping[str, Any]) -> str:
    """The component that a schema points to, with a default or a description beside it; empty for none."""
    alone = schema.get("allOf", ())
    found = schema.get("$ref") or (alone[0].get("$ref") if len(alone) == 1 else None)
    return str(found or "").removeprefix(REFERENCE)


def _empties(schema: Mapping[str, Any], components: Mapping[str, Any]) -> bool:
    """Whether it is a structure in which nothing is required."""
    pointed = components.get(_pointed(schema), {})
    return "properties" in pointed and not pointed.get("required")


def references(schema: object) -> list[str]:
    """The names of the definitions that a schema points to."""
    if isinstance(schema, Mapping):
        found = [name for value in schema.values() for name in references(value)]
        pointed = schema.get("$ref")
        return [*found, pointed.removeprefix("#/$defs/")] if isinstance(pointed, str) else found
    if isinstance(schema, list):
        return [name for value in schema for name in references(value)]
    return []


def _sizes(schema: Mapping[str, Any]) -> Schema:
    kind, form = schema.get("type"), schema.get("format")
    if kind == "integer" and form in {"int32", "int64"}:
        bits = 31 if form == "int32" else 63
        return {"minimum": -(2**bits), "maximum": 2**bits - 1}
    if kind == "string" and form == "date-time":
        return {"format": form}
    if kind == "string" and form == "byte":
        return {"pattern": _BASE64}
    return {}
