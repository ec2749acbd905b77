"""Documents of a cluster to the kinds that they describe, each with its closed schema.

Two forms are known: a CustomResourceDefinition, or a list of them, and a document of ``/openapi/v3``.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hubctl.conform import builtin, structural

GVK = "x-kubernetes-group-version-kind"

Wanted = Collection[tuple[str, str]]
"""API versions and kinds, such as ``("v1", "ConfigMap")``."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind in one version.

    Attributes:
        api_version: as objects spell it: ``serving.kserve.io/v1beta1``, ``v1``.
        name: such as ``InferenceService``.
        schema: JSON Schema, draft 2020-12, that knows every field.
    """

    api_version: str
    name: str
    schema: Mapping[str, Any]


def of_document(document: object) -> Iterator[Kind]:
    """The kinds of any document; none of one that describes no kind."""
    if not isinstance(document, Mapping):
        return
    if isinstance(document.get("items"), list) and str(document.get("kind", "")).endswith("List"):
        for item in document["items"]:
            # The items of a typed list do not repeat its kind.
            named = {"apiVersion": document.get("apiVersion"), "kind": document["kind"].removesuffix("List")}
            yield from of_document({**named, **item} if isinstance(item, Mapping) else item)
    elif document.get("kind") == "CustomResourceDefinition":
        yield from of_definition(document)
    elif isinstance(document.get("components"), Mapping):
        yield from of_openapi(document)


def of_definition(definition: Mapping[str, Any], wanted: Wanted | None = None) -> Iterator[Kind]:
    """The served versions of a CRD that have a schema; only those wanted."""
    spec = definition["spec"]
    for version in spec.get("versions", ()):
        schema = version.get("schema", {}).get("openAPIV3Schema")
        key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
        if version.get("served") and schema is not None and (wanted is None or key in wanted):
            yield Kind(*key, structural.close(schema))


def of_openapi(document: Mapping[str, Any], wanted: Wanted | None = None) -> Iterator[Kind]:
    """The kinds of objects among the components, only those wanted; not their lists, options and parts."""
    components = document["components"].get("schemas", {})
    for name, schema in components.items():
        said = schema.get(GVK, ())
        if len(said) != 1 or not _is_object(schema):
            continue
        group, version, kind = (str(said[0].get(key, "")) for key in ("group", "version", "kind"))
        key = (f"{group}/{version}" if group else version, kind)
        if wanted is not None and key not in wanted:
            continue
        custom = name == ".".join([*reversed(group.split(".")), version, kind])
        yield Kind(*key, structural.close(schema) if custom else builtin.close(name, components))


def _is_object(schema: Mapping[str, Any]) -> bool:
    """Whether it has metadata, and not that of a list."""
    return "ObjectMeta" in str(schema.get("properties", {}).get("metadata", ""))
