"""Inputs of a file: each with its place, and with other values of its own type."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from hubctl.inputs import origin, other, trial
from hubctl.inputs.document import parse
from hubctl.model.cluster import Spoke
from hubctl.model.registry import KServe
from hubctl.model.remediation import Override
from hubctl.model.values import HubctlSection
from tests.inputs.inputfolder import OVERRIDE, SPOKE, VALUES, Folder

ONE_VALUE_ONLY = {"api_version", "kind", "type"}


def fields(model: type[BaseModel], seen: set[type[BaseModel]]) -> list[tuple[str, Any]]:
    """Every field of a model and of the models below it."""
    if model in seen:
        return []
    seen.add(model)
    found = []
    for name, field in model.model_fields.items():
        annotation = other.annotation_of(field)
        found.append((name, annotation))
        for below in (*other.sections(annotation), *other.sections(other.inner(annotation))):
            found += fields(below, seen)
    return found


FIELDS = [one for model in (HubctlSection, KServe, Spoke, Override) for one in fields(model, set())]


@pytest.mark.parametrize(("name", "annotation"), FIELDS)
def test_every_field_has_other_values_that_it_accepts(name: str, annotation: Any) -> None:
    if other.sections(annotation):
        assert all(other.smallest(kind) for kind in other.sections(annotation))
        return
    scalar = other.inner(annotation) if other.inner(annotation) is not Any else annotation
    if other.sections(scalar) or name in ONE_VALUE_ONLY:
        return
    found = other.others(scalar, None)
    assert found
    for value in found:
        TypeAdapter(scalar).validate_python(value)


@given(st.sampled_from([int, bool, str, float]), st.integers(0, 9))
def test_other_value_is_another_one(kind: Any, number: int) -> None:
    value = kind(number)
    found = other.others(kind, value)
    assert found
    assert value not in found


def test_values_nearby_are_tried_first() -> None:
    assert other.others(str, "a", ("store",))[0] == "store"


def changes(folder: Folder) -> list[trial.Change]:
    sources = folder.sources()
    overrides = (("one.yaml", Override.model_validate(parse(OVERRIDE, "one.yaml").data)),)
    world = trial.World(sources.values, sources.spokes, overrides)
    documents = origin.Documents(
        parse(VALUES, "values-hub.yaml"),
        (parse(SPOKE, "clusters/edge-a.yaml"),),
        (parse(OVERRIDE, "overrides/one.yaml"),),
        branch="main",
    )
    return list(origin.changes(world, documents))


def test_key_is_found_where_it_stands(folder: Folder) -> None:
    texts = {change.place.text for change in changes(folder)}
    assert {
        "values-hub.yaml:3:5 coordinationEngine.kserve.namespace",
        "clusters/edge-a.yaml:10:7 spec.models[0].version",
        "overrides/one.yaml:8:7 spec.models[0].insteadOf on branch main",
        "default of hubctl: spec.storage.size",
        "default of hubctl: hubctl.models.anomaly-detector.minReplicas",
        "name of the file clusters/edge-a.yaml",
    } <= texts


def test_every_change_can_be_made_and_makes_another_world(folder: Folder) -> None:
    sources = folder.sources()
    overrides = (("one.yaml", Override.model_validate(parse(OVERRIDE, "one.yaml").data)),)
    world = trial.World(sources.values, sources.spokes, overrides)
    for change in changes(folder):
        for value in change.others:
            assert change.applied(world, value) != world or change.fills, change
    assert world == trial.World(sources.values, sources.spokes, overrides)


def test_default_that_a_group_replaces_is_no_input(folder: Folder) -> None:
    folder.write(
        "values-hub.yaml",
        f"{VALUES}hubctl:\n  groups:\n    - {{name: g, match: {{}}, storage: {{type: pvc, claim: x}}}}\n",
    )
    sources = folder.sources()
    world = trial.World(sources.values, sources.spokes, ())
    spoke = (parse(SPOKE, "clusters/edge-a.yaml"),)
    documents = origin.Documents(parse((folder.root / "values-hub.yaml").read_text(), "values-hub.yaml"), spoke, ())
    places = {change.place.field for change in origin.changes(world, documents) if not change.unsaid}
    assert "hubctl.groups[0].storage.size" in places
    assert "spec.storage.size" not in places
