"""The components that poll on Dask workers: a real API server takes them, and the workers may do little."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

import hubctl
from tests.kube.api import Api
from tests.kube.deployed import EVERYWHERE, NAMESPACE, PROXY, ROOT, WORKER, Right, built, documented, granted

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

OVERLAY = "kubernetes-ocm"


def overlay(folder: Path, *components: str) -> Path:
    """An overlay as somebody writes it beside a checkout."""
    deploy = folder / "deploy"
    deploy.symlink_to(ROOT / "deploy")
    (folder / "hub").mkdir()
    asked = {
        "resources": [f"../deploy/overlays/{OVERLAY}"],
        "components": [f"../deploy/components/{name}" for name in components],
    }
    (folder / "hub" / "kustomization.yaml").write_text(yaml.safe_dump(asked))
    return folder / "hub"


@pytest.fixture(scope="module")
def objects(kustomize: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return built(kustomize, overlay(tmp_path_factory.mktemp("plain"), "dask"))


@pytest.fixture(scope="module")
def operated(kustomize: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    return built(kustomize, overlay(tmp_path_factory.mktemp("operated"), "dask", "dask-operator"))


def named(objects: list[dict[str, Any]], kind: str, name: str) -> list[dict[str, Any]]:
    return [one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, name)]


def pods(objects: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    found = {"scheduler": "hubctl-dask-scheduler", "worker": "hubctl-worker"}
    return {part: named(objects, "Deployment", name)[0]["spec"]["template"] for part, name in found.items()}


def test_workers_may_read_tokens_and_the_way_to_the_proxy_and_nothing_else(objects: list[dict[str, Any]]) -> None:
    proxy, group = PROXY[OVERLAY], "route.openshift.io"
    assert granted(objects, WORKER) == {
        Right(EVERYWHERE, "", "secrets", "hubctl-poller", "get"),
        Right(proxy, "", "services", "cluster-proxy-addon-user", "get"),
        Right(proxy, group, "routes", "cluster-proxy-addon-user", "get"),
        Right(proxy, "", "configmaps", "kube-root-ca.crt", "get"),
        Right(proxy, "", "configmaps", "openshift-service-ca.crt", "get"),
    }
    used = ["discovery", "witness", "tokens", "cluster-proxy", "applications", "postgresql", "dask"]
    assert granted(objects) == documented(OVERLAY, used)


def test_server_takes_every_object_and_lets_the_pods_in(objects: list[dict[str, Any]], api: Api) -> None:
    api.make_namespace(NAMESPACE)
    (namespace,) = named(objects, "Namespace", NAMESPACE)
    api.store(yaml.safe_dump(namespace), force="true")
    ours = [one for one in objects if any(word in one["metadata"]["name"] for word in ("dask", "worker"))]
    assert len(ours) == 7
    for one in ours:
        answer = api.ask(yaml.safe_dump(one), how="apply")
        assert answer.accepted, (one["kind"], answer.message)
    api.store(yaml.safe_dump(named(objects, "ServiceAccount", WORKER)[0]))
    for template in pods(objects).values():
        # No controller makes the account called default here.
        body = {"apiVersion": "v1", "kind": "Pod", "spec": {**template["spec"], "serviceAccountName": WORKER}}
        body["metadata"] = {**template["metadata"], "generateName": "dask-", "namespace": NAMESPACE}
        path = f"/api/v1/namespaces/{NAMESPACE}/pods"
        made = api.client.post(path, params={"dryRun": "All", "fieldValidation": "Strict"}, json=body)
        assert made.status_code == httpx.codes.CREATED, made.text
        assert "warning" not in made.headers


def test_nobody_but_hubctl_and_the_workers_reaches_the_scheduler(objects: list[dict[str, Any]]) -> None:
    (policy,) = named(objects, "NetworkPolicy", "hubctl-dask-scheduler")
    (ingress,) = policy["spec"]["ingress"]
    labels = [peer["podSelector"]["matchLabels"] for peer in ingress["from"]]
    (leader,) = named(objects, "Deployment", "hubctl")
    found = pods(objects)
    assert labels[0].items() <= leader["spec"]["template"]["metadata"]["labels"].items()
    assert labels[1].items() <= found["worker"]["metadata"]["labels"].items()
    assert not any(one.items() <= found["scheduler"]["metadata"]["labels"].items() for one in labels)


def test_every_pod_runs_the_release_and_speaks_tls(objects: list[dict[str, Any]]) -> None:
    for template in pods(objects).values():
        (container,) = template["spec"]["containers"]
        assert container["image"] == f"hubctl:{hubctl.__version__}"
        assert "/var/run/secrets/hubctl/dask" in [mount["mountPath"] for mount in container["volumeMounts"]]
    scheduler = pods(objects)["scheduler"]["spec"]["containers"][0]
    assert "--protocol=tls" in scheduler["args"]


def test_operator_gets_the_same_pods(objects: list[dict[str, Any]], operated: list[dict[str, Any]]) -> None:
    (cluster,) = named(operated, "DaskCluster", "hubctl-dask")
    assert not named(operated, "Deployment", "hubctl-worker")
    assert not named(operated, "Service", "hubctl-dask-scheduler")
    assert granted(operated, WORKER) == granted(objects, WORKER)
    for part, template in pods(objects).items():
        mine, theirs = template["spec"]["containers"][0], cluster["spec"][part]["spec"]["containers"][0]
        for key in ("image", "resources", "securityContext", "volumeMounts"):
            assert theirs[key] == mine[key], key
        assert [word for word in theirs["args"] if "name" not in word] == [
            word for word in mine["args"] if "name" not in word
        ]
        assert cluster["spec"][part]["metadata"]["labels"].items() <= template["metadata"]["labels"].items()
