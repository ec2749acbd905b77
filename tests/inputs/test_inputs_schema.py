"""The schemas in the repository are those of the models."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from hubctl.inputs.schema import schemas

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", schemas())
def test_committed_schema_is_what_the_command_writes(name: str) -> None:
    assert (ROOT / "schemas" / name).read_text() == json.dumps(schemas()[name], indent=2) + "\n"


@pytest.mark.parametrize("name", schemas())
def test_schema_says_what_it_is(name: str) -> None:
    schema = schemas()[name]
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"].endswith(name)
    assert schema["title"]
    assert schema["description"]


@pytest.mark.parametrize("name", schemas())
def test_every_reference_has_a_definition(name: str) -> None:
    schema = schemas()[name]
    references = set(re.findall(r'"#/\$defs/(\w+)"', json.dumps(schema)))
    assert references <= set(schema["$defs"])


@pytest.mark.parametrize("name", schemas())
def test_our_sections_are_closed(name: str) -> None:
    definitions: dict[str, Any] = schemas()[name]["$defs"]
    assert all(one.get("additionalProperties") is False for one in definitions.values() if one["type"] == "object")


def test_values_are_open_to_other_peoples_keys() -> None:
    schema = schemas()["values-hub.schema.json"]
    assert "additionalProperties" not in schema
    assert "additionalProperties" not in schema["properties"]["coordinationEngine"]
    assert schema["properties"]["coordinationEngine"]["properties"]["mlService"]["not"] == {}


def test_schema_speaks_the_keys_of_the_files() -> None:
    spoke = schemas()["spoke.schema.json"]
    assert set(spoke["properties"]) == {"apiVersion", "kind", "metadata", "spec"}
    assert "repoURL" in schemas()["values-hub.schema.json"]["$defs"]["GitOps"]["properties"]


@pytest.mark.parametrize(
    "path", ["values-hub.yaml", *(f"clusters/{n}.yaml" for n in ("edge-factory", "edge-store", "cloud-eu"))]
)
def test_each_sample_points_its_editor_to_its_schema(path: str) -> None:
    found = re.match(r"# yaml-language-server: \$schema=(\S+)\n", (ROOT / path).read_text())
    assert found is not None
    assert (ROOT / path).parent.joinpath(found[1]).resolve().is_relative_to(ROOT / "schemas")
    assert Path(found[1]).name in schemas()
