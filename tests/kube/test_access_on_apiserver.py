"""Feedback paths against KServe's own schema, and the shared list of Services beside other people's entries."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kube import fleets, variants
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

PART = re.compile(r"\.((?:[A-Za-z/]|\\.)+)|\[(\d+)\]|\[\?\(@\.type==\"\w+\"\)\]")


def parts(path: str) -> Iterator[str]:
    """Field names of a JSONPath, ``[]`` for one item of a list; the whole path has to be understood."""
    assert "".join(found[0] for found in PART.finditer(path)) == path
    for found in PART.finditer(path):
        yield found[1].replace("\\.", ".") if found[1] else "[]"


def kind_of(schema: dict[str, Any], path: str) -> str:
    """The type at the end of a path; ``string`` for what metadata holds, which a CRD does not describe."""
    for part in parts(path):
        if part == "metadata":
            return "string"
        schema = schema["items"] if part == "[]" else schema["properties"][part]
    return str(schema["type"])


@pytest.fixture
def fleet(tmp_path: Path) -> fleets.Fleet:
    fleets.write_fleet(tmp_path, variants.VALUES, *variants.SPOKES)
    return fleets.rendered(tmp_path, tmp_path)


def test_every_feedback_path_ends_at_one_value_of_kserves_schema(built: tuple[Path, Path], fleet: fleets.Fleet) -> None:
    definition = yaml.safe_load((built[1] / "serving.kserve.io_inferenceservices.yaml").read_text())
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    configs = [
        config
        for name, text in fleet.objects.items()
        if name.startswith("hub/feedback-")
        for config in yaml.safe_load(text)["spec"]["manifestConfigs"]
    ]
    paths = {
        path["path"]
        for config in configs
        if config["resourceIdentifier"]["resource"] == "inferenceservices"
        for path in config["feedbackRules"][0]["jsonPaths"]
    }
    assert len(paths) == 11
    assert {kind_of(schema, path) for path in paths} <= {"string", "integer", "boolean"}


CONFIG_MAP = "/api/v1/namespaces/{}/configmaps/cluster-proxy-exposed-services"
LIST = "hub/exposed-services.shared.yaml#0"


def apply(api: Api, manager: str, document: dict[str, Any]) -> dict[str, str]:
    """A server-side apply under a name, without force; the data that is stored then."""
    namespace = document["metadata"]["namespace"]
    answer = api.client.patch(
        CONFIG_MAP.format(namespace),
        content=yaml.safe_dump(document),
        params={"fieldManager": manager},
        headers={"Content-Type": "application/apply-patch+yaml"},
    )
    assert answer.is_success, answer.text
    found: dict[str, str] = answer.json()["data"]
    return found


def test_list_leaves_entries_of_others_alone_and_they_ours(api: Api, fleet: fleets.Fleet) -> None:
    ours = yaml.safe_load(fleet.one(LIST.removesuffix("#0")))
    namespace = ours["metadata"]["namespace"] = "shared-list"
    api.make_namespace(namespace)
    metadata = {"name": ours["metadata"]["name"], "namespace": namespace}
    theirs = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"services": "[]"}}
    apply(api, "helm", theirs)
    assert set(apply(api, "hubctl-fleet", ours)) == {"services", "hubctl-fleet.yaml"}
    assert set(apply(api, "helm", theirs | {"data": {"more": "[]"}})) == {"more", "hubctl-fleet.yaml"}
    assert set(apply(api, "hubctl-fleet", ours | {"data": {}})) == {"more"}
