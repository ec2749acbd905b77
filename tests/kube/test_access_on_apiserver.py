"""Feedback paths against KServe's own schema, and the shared list of Services beside other people's entries."""

import re
import time
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
    assert len(paths) == 13
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


def allowed(api: Api, user: str, **attributes: str) -> bool:
    """What a SubjectAccessReview says, which is what kube-rbac-proxy asks before it lets a caller through."""
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": attributes},
    }
    answer = api.client.post("/apis/authorization.k8s.io/v1/subjectaccessreviews", json=review)
    assert answer.is_success, answer.text
    return bool(answer.json()["status"]["allowed"])


def granted(api: Api, fleet: fleets.Fleet, spoke: str, namespace: str) -> None:
    """Makes what a spoke's work carries, in a namespace of the test's own, and waits until it counts."""
    api.make_namespace(namespace)
    work = yaml.safe_load(fleet.objects[f"hub/token-{spoke}.yaml#1"])
    role, binding = work["spec"]["workload"]["manifests"][:2]
    for each in (role, binding):
        each["metadata"]["namespace"] = namespace
        api.store(yaml.safe_dump(each))
    name = role["rules"][0]["resourceNames"][0]
    until = time.monotonic() + 20
    group, resource = role["rules"][0]["apiGroups"][0], role["rules"][0]["resources"][0]
    resource, _, subresource = resource.partition("/")
    asked = {"namespace": namespace, "verb": "get", "group": group, "resource": resource, "subresource": subresource}
    while not allowed(api, ACCOUNT.format(binding["subjects"][0]["namespace"]), name=name, **asked):
        assert time.monotonic() < until, f"{role} does not count"
        time.sleep(0.1)


ACCOUNT = "system:serviceaccount:{}:hubctl-poller"


def test_token_reads_the_polled_models_by_name_and_nothing_else(api: Api, fleet: fleets.Fleet) -> None:
    granted(api, fleet, "granted", "reads")
    kserve = {"group": "serving.kserve.io", "resource": "inferenceservices"}
    own, agent = {"namespace": "reads", "verb": "get", "name": "car"}, ACCOUNT.format("agents")
    assert allowed(api, agent, **kserve, **own)
    # Both are polled in another namespace; a list names nothing.
    assert not allowed(api, agent, **kserve, **own | {"name": "own"})
    assert not allowed(api, agent, **kserve, **own | {"name": "sklearn"})
    assert not allowed(api, agent, **kserve, **own | {"verb": "list", "name": ""})
    assert not allowed(api, agent, **kserve, **own | {"verb": "update"})
    assert not allowed(api, agent, **kserve, **own | {"namespace": "default"})
    assert not allowed(api, agent, group="", resource="services", subresource="proxy", **own)
    assert not allowed(api, agent, group="", resource="secrets", **own)
    assert not allowed(api, ACCOUNT.format("reads"), **kserve, **own)


def test_token_goes_through_the_apiserver_to_the_polled_services_only(api: Api, fleet: fleets.Fleet) -> None:
    granted(api, fleet, "proxied-by-work", "proxies")
    agent = ACCOUNT.format("open-cluster-management-agent-addon")
    proxy = {"namespace": "proxies", "group": "", "resource": "services", "subresource": "proxy"}
    for verb in ("get", "create"):
        assert allowed(api, agent, **proxy, verb=verb, name="own-predictor:http")
    assert not allowed(api, agent, **proxy, verb="get", name="own-predictor:80")
    assert not allowed(api, agent, **proxy, verb="get", name="other:http")
    assert not allowed(api, agent, **proxy, verb="delete", name="own-predictor:http")
    assert not allowed(
        api, agent, namespace="proxies", verb="get", group="serving.kserve.io", resource="inferenceservices", name="own"
    )
