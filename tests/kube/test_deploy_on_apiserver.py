"""deploy/ on a real API server: every overlay is taken whole, and its Pod where Pod security is restricted.

What it lets hubctl do is in ``test_rights_on_apiserver``.
"""

import copy
import json
from typing import Any

import httpx
import pytest
import yaml

from tests.kube.api import Api, lost
from tests.kube.deployed import NAMESPACE, Installed

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]


def test_every_object_is_taken_strictly(installed: Installed, api: Api) -> None:
    for one in installed.objects:
        answer = api.ask(yaml.safe_dump(one), how="apply")
        assert answer.accepted, (one["kind"], answer.message)
        assert not lost({key: one[key] for key in ("spec", "data", "rules") if key in one}, answer.stored)


def pod_of(installed: Installed) -> dict[str, Any]:
    (deployment,) = [one for one in installed.objects if one["kind"] == "Deployment"]
    template = copy.deepcopy(deployment["spec"]["template"])
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {**template["metadata"], "generateName": "hubctl-", "namespace": NAMESPACE},
        "spec": template["spec"],
    }


def would_run(api: Api, pod: dict[str, Any]) -> httpx.Response:
    return api.client.post(f"/api/v1/namespaces/{NAMESPACE}/pods", params={"dryRun": "All"}, json=pod)


def test_pod_is_let_in_where_pod_security_is_restricted(installed: Installed, api: Api) -> None:
    answer = would_run(api, pod_of(installed))
    assert answer.status_code == httpx.codes.CREATED, answer.text
    assert "warning" not in answer.headers


def test_pod_security_is_really_asked(installed: Installed, api: Api) -> None:
    pod = pod_of(installed)
    del pod["spec"]["containers"][0]["securityContext"]["capabilities"]
    answer = would_run(api, pod)
    assert answer.status_code == httpx.codes.FORBIDDEN
    assert "unrestricted capabilities" in answer.json()["message"]


def test_container_can_write_to_volumes_only(installed: Installed) -> None:
    spec = pod_of(installed)["spec"]
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert {one["mountPath"] for one in container["volumeMounts"] if not one.get("readOnly")} == {
        "/tmp",  # noqa: S108 - of the container
        "/var/lib/hubctl",
    }
    assert "runAsUser" not in json.dumps(spec)  # OpenShift chooses one


def test_two_replicas_share_a_database_and_one_has_a_file(installed: Installed) -> None:
    (deployment,) = [one for one in installed.objects if one["kind"] == "Deployment"]
    environment = {one["name"] for one in deployment["spec"]["template"]["spec"]["containers"][0]["env"]}
    assert (deployment["spec"]["replicas"] == 2) == ("HUBCTL_STORE_URL" in environment)
