"""A small CRD and small OpenAPI components, and ways to put an object through them."""

import json
from collections.abc import Mapping
from typing import Any

from hubctl.conform import kinds
from hubctl.conform.check import Checker, Validators
from hubctl.conform.complaint import Complaint

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer"}


def obj(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def definition(spec: Schema, *, version: str = "v1", **root: Any) -> Schema:
    """A CRD of the kind Widget with this schema of its spec."""
    whole = {**obj(apiVersion=TEXT, kind=TEXT, metadata={"type": "object"}, spec=spec), **root}
    versions = [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": whole}}]
    names = {"kind": "Widget", "plural": "widgets"}
    spoken = {"group": "example.com", "names": names, "scope": "Namespaced", "versions": versions}
    metadata = {"name": "widgets.example.com"}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": spoken,
    }


def widget(spec: Any, name: str = "w", **metadata: Any) -> Schema:
    return {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name, **metadata}, "spec": spec}


class Shelf:
    """Schemas in memory."""

    def __init__(self, *found: kinds.Kind, side: str = "all") -> None:
        self._texts = {(side, kind.api_version, kind.name): json.dumps(kind.schema) for kind in found}

    def find(self, side: str, api_version: str, kind: str) -> str | None:
        own = self._texts.get((side, api_version, kind))
        return own or self._texts.get(("all", api_version, kind))


def validators(*documents: Mapping[str, Any], side: str = "all") -> Validators:
    return Validators(Shelf(*(kind for one in documents for kind in kinds.of_document(one)), side=side))


def complaints(document: Mapping[str, Any], *schemas: Mapping[str, Any]) -> list[Complaint]:
    """What is wrong with an object."""
    found = validators(*schemas).of("spokes", document["apiVersion"], document["kind"])
    assert found is not None
    return found.complaints(document)


def spec_complaints(schema: Schema, spec: Any) -> list[str]:
    """Fields with complaints, of a Widget whose spec has this schema."""
    return sorted(one.field for one in complaints(widget(spec), definition(schema)))


def checked(*files: tuple[str, Mapping[str, Any]], schemas: tuple[Mapping[str, Any], ...]) -> Checker:
    """A checker that has seen these files, each with one object."""
    checker = Checker(validators(*schemas))
    for path, document in files:
        checker(path, [document])
    return checker


def openapi(**components: Schema) -> Schema:
    """A document of /openapi/v3 with the kind Gadget of the core group."""
    meta = {"allOf": [{"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}], "default": {}}
    root = obj(apiVersion=TEXT, kind=TEXT, metadata=meta, spec={"$ref": "#/components/schemas/io.k8s.api.core.v1.Spec"})
    root["x-kubernetes-group-version-kind"] = [{"group": "", "version": "v1", "kind": "Gadget"}]
    named = {f"io.k8s.api.core.v1.{name}": schema for name, schema in components.items()}
    return {"openapi": "3.0.0", "components": {"schemas": {"io.k8s.api.core.v1.Gadget": root, **named}}}


def gadget(spec: Any, **metadata: Any) -> Schema:
    return {"apiVersion": "v1", "kind": "Gadget", "metadata": {"name": "g", **metadata}, "spec": spec}
