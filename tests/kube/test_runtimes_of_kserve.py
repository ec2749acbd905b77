"""Our table of formats and protocols against the serving runtimes that KServe ships."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.model.serving import FORMATS, RUNTIMES, Protocol

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]


@pytest.fixture(scope="module")
def runtimes(built: tuple[Path, ...]) -> dict[str, Any]:
    """Name to spec, of KServe's own runtimes for the formats that we know."""
    files = sorted((built[1] / "runtimes").glob("*.yaml"))
    found = [document for file in files for document in yaml.safe_load_all(file.read_text()) if document]
    return {each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "ClusterServingRuntime"}


def chosen(runtimes: dict[str, Any], name: str) -> Iterator[tuple[int, list[str]]]:
    """Priority and protocols of the runtimes that KServe may choose for a format."""
    for spec in runtimes.values():
        for known in spec["supportedModelFormats"]:
            if known["name"] == name and known.get("autoSelect"):
                yield known.get("priority", 0), spec["protocolVersions"]


@pytest.mark.parametrize(("name", "protocol"), [(name, each) for name, spoken in FORMATS.items() for each in spoken])
def test_kserve_has_a_runtime_for_each_format_and_protocol(
    runtimes: dict[str, Any], name: str, protocol: Protocol
) -> None:
    assert any(protocol in spoken for _, spoken in chosen(runtimes, name))


def test_first_choice_for_onnx_speaks_v2_only(runtimes: dict[str, Any]) -> None:
    _, spoken = min(found for found in chosen(runtimes, "onnx") if found[0])
    assert {"v1", "v2"} & set(spoken) == set(FORMATS["onnx"])


@pytest.mark.parametrize("name", RUNTIMES)
def test_runtime_of_one_protocol_is_one(runtimes: dict[str, Any], name: str) -> None:
    assert {"v1", "v2"} & set(runtimes[name]["protocolVersions"]) == set(RUNTIMES[name])
