"""JSON Schemas of the files that people write, for their editors, and of what commands print; made from the models.

The modeline of each sample names one of them.
"""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from hubctl.model.cluster import Spoke
from hubctl.model.golden import GoldenFile
from hubctl.model.registry import KServe
from hubctl.model.remediation import Override
from hubctl.model.values import HubctlSection

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_BASE = "https://hubctl.io/schemas/"


def schemas() -> dict[str, dict[str, Any]]:
    """File name to schema (draft 2020-12): values-hub.yaml, a spoke, an override and golden rows."""
    return {
        "values-hub.schema.json": _values("values-hub.schema.json"),
        "spoke.schema.json": _spoke("spoke.schema.json"),
        "override.schema.json": _file("override.schema.json", Override, "An override, overrides/NAME.yaml"),
        "golden.schema.json": _file("golden.schema.json", GoldenFile, "Golden rows, golden/MODEL.yaml"),
    }


def of_output(name: str, model: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema (draft 2020-12) of what a command prints as JSON.

    Args:
        name: file name of the schema.
        model: makes the output.
        title: of the schema.
    """
    found = model.model_json_schema(by_alias=True, mode="serialization")
    return _head(name, title, str(found["description"])) | {
        key: value for key, value in found.items() if key != "title"
    }


def _head(name: str, title: str, description: str) -> dict[str, Any]:
    return {"$schema": _DRAFT, "$id": _BASE + name, "title": title, "description": description}


def _file(name: str, model: type[BaseModel], title: str) -> dict[str, Any]:
    """The schema of a file that is one object of ours."""
    found = model.model_json_schema(by_alias=True)
    description = str(found.pop("description")).partition("\n\n")[0]
    found.setdefault("$defs", {})
    return _head(name, title, description) | {key: value for key, value in found.items() if key != "title"}


def _spoke(name: str) -> dict[str, Any]:
    """The schema of a cluster file, which may leave to the hub what it knows; in mode ``files`` reading asks for it."""
    found = _file(name, Spoke, "A spoke of the fleet, clusters/NAME.yaml")
    found["$defs"]["SpokeSpec"].pop("required")
    return found


def _values(name: str) -> dict[str, Any]:
    """The schema of values-hub.yaml: open for other people's keys, closed in our two sections."""
    references, found = models_json_schema([(KServe, "validation"), (HubctlSection, "validation")], by_alias=True)
    engine = {
        "type": "object",
        "description": "Values of the coordination engine; hubctl reads enabled and kserve, and no other key.",
        "properties": {
            "enabled": {"description": "true: the engine runs on the hub too, and its environment is rendered there."},
            "kserve": references[KServe, "validation"],
            "mlService": {"not": {}, "description": "No platform deployed it; run `hubctl migrate`."},
        },
    }
    title = "The hub's values, values-hub.yaml"
    return _head(name, title, "hubctl reads coordinationEngine.kserve and hubctl; other keys are other people's.") | {
        "type": "object",
        "properties": {"coordinationEngine": engine, "hubctl": references[HubctlSection, "validation"]},
        "$defs": found["$defs"],
    }
