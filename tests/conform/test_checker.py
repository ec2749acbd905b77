"""What a person reads: place, expectation, nearest spelling, and each mistake once however many spokes have it."""

import datetime as dt
from typing import Any

import pytest

from hubctl.conform.check import Checker
from hubctl.errors import ManifestRefused
from tests.conform.crds import COUNT, TEXT, checked, complaints, definition, obj, validators, widget

SCHEMA = definition(
    obj(
        maxReplicas=COUNT,
        minReplicas=COUNT,
        mode={"type": "string", "enum": ["Ingress", "Egress"]},
        limits={"type": "object", "additionalProperties": {"type": "string", "pattern": "^[0-9]+[KMGTPE]i$"}},
    )
)
TEMPLATE = {"hubctl.io/template": "templates/spoke/widget.yaml.j2"}


def refused(checker: Checker, **options: Any) -> list[ManifestRefused]:
    with pytest.raises(ManifestRefused) as failed:
        checker.refuse(**options)
    return [failed.value, *(one for one in failed.value.also if isinstance(one, ManifestRefused))]


def test_misspelt_field_is_named_with_the_nearest_one_and_its_template() -> None:
    document = widget({"maxReplica": 1}, annotations=TEMPLATE)
    [error] = refused(checked(("spokes/edge-a/w.yaml", document), schemas=(SCHEMA,)))
    assert str(error) == "spokes/edge-a/w.yaml Widget w spec.maxReplica: unknown field"
    assert "did you mean maxReplicas?" in error.hint
    assert "templates/spoke/widget.yaml.j2" in error.hint
    assert error.exit_code == 2


def test_field_like_no_other_is_answered_with_those_that_are_known() -> None:
    [found] = complaints(widget({"qqq": 1}), SCHEMA)
    assert found.hint == "known here: limits, maxReplicas, minReplicas, mode"


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"maxReplicas": "one"}, "found 'one', expected integer"),
        ({"mode": "Inward"}, "found 'Inward', expected Ingress or Egress"),
        ({"limits": {"memory": "2GiB"}}, "found '2GiB', expected a quantity such as 500m or 2Gi"),
        ([], "found a list, expected object"),
    ],
)
def test_message_says_what_was_found_and_what_was_expected(spec: Any, message: str) -> None:
    assert [one.message for one in complaints(widget(spec), SCHEMA)] == [message]


def test_wrong_choice_is_answered_with_the_nearest_one() -> None:
    [found] = complaints(widget({"mode": "ingres"}), SCHEMA)
    assert found.hint == "did you mean Ingress?"


def test_same_mistake_on_many_spokes_is_one_error_that_names_them() -> None:
    spokes = [f"edge-{number:02}" for number in range(12)]
    files = [(f"spokes/{spoke}/w.yaml", widget({"maxReplica": 1})) for spoke in spokes]
    other = ("spokes/edge-03/v.yaml", widget({"maxReplica": 1}, "v"))
    errors = refused(checked(*files, other, schemas=(SCHEMA,)))
    assert [error.where for error in errors] == [
        "spokes/*/w.yaml Widget w spec.maxReplica",
        "spokes/edge-03/v.yaml Widget v spec.maxReplica",
    ]
    assert errors[0].message == f"unknown field (on 12 spokes: {', '.join(spokes[:10])} and 2 more)"


def test_mistake_of_the_hub_is_not_one_with_that_of_a_spoke() -> None:
    wrong = widget({"maxReplica": 1})
    checker = checked(("hub/w.yaml", wrong), ("spokes/a/w.yaml", wrong), schemas=(SCHEMA,))
    assert [one.where.split()[0] for one in checker.problems] == ["hub/w.yaml", "spokes/a/w.yaml"]


def test_only_the_spokes_asked_for_are_refused() -> None:
    checker = checked(("spokes/a/w.yaml", widget({"x": 1})), ("hub/w.yaml", widget({"x": 1})), schemas=(SCHEMA,))
    checker.refuse(only=("b", "c"))
    assert len(refused(checker, only=("a", "b"))) == 1


def test_kind_without_a_schema_is_counted_and_refused_only_where_that_is_required() -> None:
    other = widget({}) | {"kind": "Gizmo"}
    checker = checked(
        ("spokes/a/w.yaml", widget({})), ("spokes/a/x.yaml", other), ("hub/x.yaml", other), schemas=(SCHEMA,)
    )
    assert (checker.checked, checker.unchecked) == (1, {("example.com/v1", "Gizmo"): 2})
    checker.refuse()
    [error] = refused(checker, required=True)
    assert error.message == "2 objects are of kinds without a cached schema: Gizmo (example.com/v1)"
    assert "hubctl schemas pull" in error.hint


def test_schema_of_a_side_goes_before_one_for_all_and_leaves_the_other_side_alone() -> None:
    found = validators(SCHEMA, side="hub")
    assert found.of("hub", "example.com/v1", "Widget") is not None
    assert found.of("spokes", "example.com/v1", "Widget") is None


def test_dates_and_odd_keys_are_what_they_are_to_the_server() -> None:
    notes = definition(obj(notes={"type": "object", "additionalProperties": TEXT}))
    assert complaints(widget({"notes": {1: "a", False: "b", "day": dt.date(2026, 1, 1)}}), notes) == []


def test_number_that_is_no_json_is_refused() -> None:
    [found] = complaints(widget({"maxReplicas": float("nan")}), SCHEMA)
    assert found.field == "spec.maxReplicas"


def test_value_of_a_secret_is_not_shown() -> None:
    made = definition(obj(token=COUNT))
    made["spec"]["names"]["kind"] = "Secret"
    [found] = complaints(widget({"token": "kept-secret"}) | {"kind": "Secret"}, made)
    assert "kept-secret" not in found.message
    assert found.message == "expected integer"


def test_object_that_fits_none_of_several_forms_is_told_what_each_asks() -> None:
    made = definition({**obj(a=COUNT, b=COUNT), "anyOf": [{"required": ["a"]}, {"required": ["b"]}]})
    [found] = complaints(widget({}), made)
    assert found.message == "fits none of what is allowed: expected a; or expected b"
