"""A Go type's schema is as strict as the server's decoder, and no stricter."""

from typing import Any

import pytest

from hubctl.conform import kinds
from tests.conform.crds import COUNT, TEXT, complaints, gadget, obj, openapi

REF = "#/components/schemas/"
PART = {**obj(key=TEXT), "required": ["key"]}
EMPTIES = obj(labels={"type": "object", "additionalProperties": TEXT})


def doc(**properties: Any) -> dict[str, Any]:
    required = properties.pop("required", [])
    made = openapi(Spec={**obj(**properties), "required": required}, Part=PART, Empties=EMPTIES)
    machinery = "io.k8s.apimachinery.pkg"
    made["components"]["schemas"] |= {
        f"{machinery}.api.resource.Quantity": {"oneOf": [{"type": "string"}, {"type": "number"}]},
        f"{machinery}.util.intstr.IntOrString": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
        f"{machinery}.runtime.RawExtension": {"type": "object"},
    }
    return made


def ref(name: str) -> dict[str, Any]:
    return {"allOf": [{"$ref": REF + name}], "default": {}, "description": "beside it"}


QUANTITY = {"$ref": f"{REF}io.k8s.apimachinery.pkg.api.resource.Quantity"}
PORT = {"$ref": f"{REF}io.k8s.apimachinery.pkg.util.intstr.IntOrString"}
RAW = ref("io.k8s.apimachinery.pkg.runtime.RawExtension")


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (TEXT, None),
        (COUNT, 1),
        (QUANTITY, "500m"),
        (QUANTITY, "2.5Gi"),
        (QUANTITY, 3),
        (QUANTITY, "1e3"),
        (PORT, "http"),
        (PORT, 8080),
        (RAW, {"any": "thing"}),
        (ref("io.k8s.api.core.v1.Part"), None),
        (ref("io.k8s.api.core.v1.Part"), {"key": "x"}),
        ({"type": "string", "enum": ["A", "B"]}, ""),
        ({"type": "string", "enum": ["A", "B"]}, "B"),
        ({"type": "string", "format": "byte"}, "aGVsbG8="),
        ({"type": "object", "additionalProperties": TEXT}, {"a.b/c": "x"}),
    ],
)
def test_what_the_decoder_takes_is_taken(schema: dict[str, Any], value: Any) -> None:
    assert complaints(gadget({"a": value}), doc(a=schema)) == []


@pytest.mark.parametrize(
    ("schema", "value", "field"),
    [
        (TEXT, True, "spec.a"),
        (COUNT, "1", "spec.a"),
        ({"type": "integer", "format": "int32"}, 2**31, "spec.a"),
        (QUANTITY, "5GiB", "spec.a"),
        (QUANTITY, "1e1.5", "spec.a"),
        (PORT, 2**40, "spec.a"),
        (ref("io.k8s.api.core.v1.Part"), {"keys": "x", "key": "y"}, "spec.a.keys"),
        (ref("io.k8s.api.core.v1.Part"), {}, "spec.a.key"),
        ({"type": "string", "enum": ["A", "B"]}, "a", "spec.a"),
        ({"type": "array", "items": {"type": "string", "enum": ["A"]}}, [""], "spec.a[0]"),
        ({"type": "string", "format": "byte"}, "no base64!", "spec.a"),
    ],
)
def test_what_the_decoder_refuses_is_refused_by_its_path(schema: dict[str, Any], value: Any, field: str) -> None:
    assert [one.field for one in complaints(gadget({"a": value}), doc(a=schema))] == [field]


def test_required_structure_that_may_be_empty_may_be_missing_as_in_go() -> None:
    made = doc(a=ref("io.k8s.api.core.v1.Empties"), b=ref("io.k8s.api.core.v1.Part"), required=["a", "b"])
    assert [one.field for one in complaints(gadget({}), made)] == ["spec.b"]


def test_metadata_of_the_servers_own_kinds_is_checked() -> None:
    found = complaints(gadget({}, labels={"a": "no spaces"}, annotation={}), doc())
    assert sorted(one.field for one in found) == ["metadata.annotation", "metadata.labels.a"]


def test_custom_kind_in_openapi_is_read_as_its_crd() -> None:
    """Published for everybody who is logged in, also for who may not list CRDs."""
    meta = {"allOf": [{"$ref": f"{REF}io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}]}
    root = obj(metadata=meta, spec=obj(size={"type": "integer", "format": "int32"}))
    root[kinds.GVK] = [{"group": "example.com", "version": "v1", "kind": "Widget"}]
    made = {"components": {"schemas": {"com.example.v1.Widget": root}}}
    document = {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": {"size": 2**40}}
    assert complaints(document, made) == []
    assert [one.field for one in complaints(document | {"spec": {"sice": 1}}, made)] == ["spec.sice"]


def test_lists_options_and_parts_are_no_kinds() -> None:
    made = doc(a=TEXT)
    listed = {**obj(metadata={"$ref": f"{REF}io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta"})}
    listed[kinds.GVK] = [{"group": "", "version": "v1", "kind": "GadgetList"}]
    options = {**obj(), kinds.GVK: [{"group": "", "version": "v1", "kind": "DeleteOptions"}]}
    made["components"]["schemas"] |= {"io.k8s.api.core.v1.GadgetList": listed, "x.DeleteOptions": options}
    assert [kind.name for kind in kinds.of_document(made)] == ["Gadget"]
