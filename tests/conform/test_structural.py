"""A CRD's schema refuses offline what the API server refuses, and nothing else."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.conform import kinds, sharing
from tests.conform.crds import COUNT, TEXT, complaints, definition, obj, spec_complaints, widget

INT_OR_STRING = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
OPEN = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
PORTS = {
    "type": "array",
    "items": {
        **obj(port=COUNT, protocol={"type": "string", "default": "TCP"}, name=TEXT),
        "required": ["port", "protocol"],
    },
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["port", "protocol"],
}

TAKEN: list[tuple[dict[str, Any], Any]] = [
    (obj(a=TEXT), {"a": "x"}),
    (obj(a=TEXT), {}),
    (obj(a=TEXT), {"a": None}),
    (obj(a={**TEXT, "nullable": True}), {"a": None}),
    ({**obj(a={**TEXT, "nullable": True}), "required": ["a"]}, {"a": None}),
    ({**obj(a={"type": "string", "default": "x"}), "required": ["a"]}, {}),
    (obj(a=INT_OR_STRING), {"a": 1}),
    (obj(a=INT_OR_STRING), {"a": "80%"}),
    (obj(a=OPEN), {"a": {"anything": {"at": ["all"]}}}),
    (obj(a={**OPEN, "properties": {"b": COUNT}}), {"a": {"b": 1, "c": 2}}),
    (obj(a={"x-kubernetes-preserve-unknown-fields": True}), {"a": [1, {"b": 2}]}),
    (obj(a={"type": "object", "additionalProperties": TEXT}), {"a": {"any key": "x", "b": None}}),
    (obj(a={"type": "object", "additionalProperties": True}), {"a": {"b": {"c": 1}}}),
    (obj(a={**OPEN, "x-kubernetes-embedded-resource": True}), {"a": {"apiVersion": "v1", "kind": "B", "data": 1}}),
    (obj(a=COUNT), {"a": 2.0}),
    (obj(a={"type": "integer", "format": "int32"}), {"a": 2**40}),
    (obj(a={"type": "string", "format": "duration"}), {"a": "1h30m"}),
    (obj(a={"type": "string", "format": "date-time"}), {"a": "soon"}),
    (obj(a={"type": "integer", "minimum": 1, "exclusiveMinimum": False}), {"a": 1}),
    (obj(a=PORTS), {"a": [{"port": 80}, {"port": 81}]}),
    (obj(a={"type": "string", "nullable": True, "enum": ["x"]}), {"a": None}),
    ({**obj(a=COUNT, b=COUNT), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}),
    ({**obj(a={"type": "integer", "default": 1}), "anyOf": [{"required": ["a"]}]}, {}),
    ({**obj(a=TEXT), "x-kubernetes-validations": [{"rule": "self.a == 'x'"}]}, {"a": "no CEL here"}),
]

REFUSED: list[tuple[dict[str, Any], Any, str]] = [
    (obj(a=TEXT), {"b": "x"}, "spec.b"),
    (obj(a=obj(b=TEXT)), {"a": {"c": 1}}, "spec.a.c"),
    (obj(a={"type": "array", "items": obj(b=TEXT)}), {"a": [{"b": "x"}, {"c": 1}]}, "spec.a[1].c"),
    (obj(a={"type": "object", "additionalProperties": obj(b=TEXT)}), {"a": {"x/y": {"c": 1}}}, "spec.a[x/y].c"),
    (obj(a={**OPEN, "properties": {"b": obj(c=COUNT)}}), {"a": {"x": 1, "b": {"d": 1}}}, "spec.a.b.d"),
    (obj(a={"type": "object"}), {"a": {"b": 1}}, "spec.a.b"),
    (obj(a=TEXT), {"a": 1}, "spec.a"),
    (obj(a=TEXT), {"a": True}, "spec.a"),
    (obj(a=COUNT), {"a": "1"}, "spec.a"),
    (obj(a=COUNT), {"a": 1.5}, "spec.a"),
    (obj(a=INT_OR_STRING), {"a": 1.5}, "spec.a"),
    ({**obj(a=TEXT), "required": ["a"]}, {}, "spec.a"),
    ({**obj(a=TEXT), "required": ["a"]}, {"a": None}, "spec.a"),
    (obj(a={"type": "array", "items": TEXT}), {"a": [None]}, "spec.a[0]"),
    (obj(a={"type": "string", "enum": ["x", "y"]}), {"a": "z"}, "spec.a"),
    (obj(a={"type": "integer", "minimum": 1, "exclusiveMinimum": True}), {"a": 1}, "spec.a"),
    (obj(a={"type": "string", "pattern": "^x"}), {"a": "y"}, "spec.a"),
    (obj(a={"type": "string", "format": "ipv4"}), {"a": "y"}, "spec.a"),
    (obj(a={**PORTS}), {"a": [{"port": 80}, {"port": 80}]}, "spec.a"),
    (obj(a={"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"}), {"a": ["x", "x"]}, "spec.a"),
    ({**obj(a=COUNT, b=COUNT), "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {}, "spec"),
    ({**obj(a=COUNT), "anyOf": [{"properties": {"b": COUNT}}]}, {"b": 1}, "spec.b"),
    (
        obj(a={**OPEN, "x-kubernetes-embedded-resource": True}),
        {"a": {"metadata": {"label": {}}}},
        "spec.a.metadata.label",
    ),
]


@pytest.mark.parametrize(("schema", "spec"), TAKEN)
def test_what_a_server_takes_is_taken(schema: dict[str, Any], spec: Any) -> None:
    assert spec_complaints(schema, spec) == []


@pytest.mark.parametrize(("schema", "spec", "field"), REFUSED)
def test_what_a_server_refuses_is_refused_by_its_path(schema: dict[str, Any], spec: Any, field: str) -> None:
    assert spec_complaints(schema, spec) == [field]


@pytest.mark.parametrize(
    ("metadata", "field"),
    [
        ({"label": {"a": "b"}}, "metadata.label"),
        ({"labels": {"a": 1}}, "metadata.labels.a"),
        ({"labels": {"a": "no spaces"}}, "metadata.labels.a"),
        ({"labels": {"a b": "c"}}, "metadata.labels"),
        ({"annotations": {"a": True}}, "metadata.annotations.a"),
        ({"name": "Not_A_Name"}, "metadata.name"),
        ({"namespace": "a.b"}, "metadata.namespace"),
    ],
)
def test_metadata_is_checked_though_no_crd_describes_it(metadata: dict[str, Any], field: str) -> None:
    document = widget({}, **metadata) if "name" not in metadata else widget({}, metadata["name"])
    assert [one.field for one in complaints(document, definition(OPEN))] == [field]


def test_metadata_of_every_kind_of_ours_is_taken() -> None:
    said = {"labels": {"app.kubernetes.io/name": "a", "b": ""}, "annotations": {"Example.com/X": "any: text\n"}}
    assert complaints(widget({}, "a.b-c", namespace="ns", finalizers=["a/b"], **said), definition(OPEN)) == []


def test_unknown_field_beside_spec_is_refused_unless_the_root_keeps_such() -> None:
    document = widget({}) | {"specs": {}}
    assert [one.field for one in complaints(document, definition(OPEN))] == ["specs"]
    keeps: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}
    kept = definition(OPEN, **keeps)
    assert complaints(document, kept) == []


def test_versions_that_are_not_served_are_left_out() -> None:
    made = definition(OPEN)
    made["spec"]["versions"].append({"name": "v0", "served": False, "schema": {"openAPIV3Schema": OPEN}})
    assert [kind.api_version for kind in kinds.of_document(made)] == ["example.com/v1"]


def test_list_of_definitions_gives_all_their_kinds() -> None:
    items = [{"spec": definition(OPEN, version=version)["spec"]} for version in ("v1", "v2")]
    listed = {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinitionList", "items": items}
    assert [kind.api_version for kind in kinds.of_document(listed)] == ["example.com/v1", "example.com/v2"]


SCHEMAS = st.recursive(
    st.sampled_from([TEXT, COUNT, {"type": "string", "pattern": "^[a-c]+$", "minLength": 2, "maxLength": 9999}]),
    lambda inner: st.one_of(
        st.dictionaries(st.sampled_from("abc"), inner, max_size=3).map(
            lambda found: {"type": "object", "properties": found, "additionalProperties": False}
        ),
        inner.map(lambda found: {"type": "array", "items": found}),
        inner.map(lambda found: {"type": "object", "additionalProperties": found}),
    ),
    max_leaves=12,
)
VALUES = st.recursive(
    st.sampled_from(["", "ab", 1, None]),
    lambda inner: st.one_of(st.dictionaries(st.sampled_from("abcd"), inner, max_size=3), st.lists(inner, max_size=2)),
    max_leaves=8,
)


@given(SCHEMAS, st.lists(VALUES, min_size=1, max_size=8))
def test_sharing_equal_parts_changes_no_verdict(schema: dict[str, Any], values: list[Any]) -> None:
    twice = {"type": "array", "items": {"anyOf": [schema, obj(a=schema, b=schema)]}}
    shared, definitions = sharing.share(twice)
    plain = jsonschema_rs.validator_for(twice)
    small = jsonschema_rs.validator_for({**shared, "$defs": definitions})
    for value in values:
        assert plain.is_valid([value]) == small.is_valid([value])


def test_equal_parts_are_written_once() -> None:
    part = obj(**{f"field{number}": {**TEXT, "pattern": "^" + "x" * number} for number in range(30)})
    once, ten = ([*kinds.of_document(definition(obj(**{f"p{n}": part for n in range(count)})))] for count in (1, 10))
    assert len(json.dumps(ten[0].schema)) < 1.2 * len(json.dumps(once[0].schema))
