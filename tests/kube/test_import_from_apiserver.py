"""Clusters are imported as a real API server describes itself, and as it hands ManagedClusters out."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from hubctl.cli import main
from hubctl.inputs import inventory
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

CLUSTERS = "/apis/cluster.open-cluster-management.io/v1/managedclusters"
FEATURE = "feature.open-cluster-management.io/addon-cluster-proxy"
CLAIMS = {
    "product.open-cluster-management.io": "ROSA",
    "platform.open-cluster-management.io": "AWS",
    "region.open-cluster-management.io": "eu-central-1",
    "version.openshift.io": "4.18.9",
    "controlplanetopology.openshift.io": "SingleReplica",
}


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    folder = tmp_path / "fleet"
    (folder / "clusters").mkdir(parents=True)
    (folder / "values-hub.yaml").write_text("coordinationEngine: {kserve: {namespace: models}}\n")
    return folder


@pytest.fixture
def kubeconfig(api: Api, server_folder: Path, tmp_path: Path) -> Path:
    """An administrator and a guest of the one server, each in a kubeconfig of its own, as the tests ask for one."""
    server = str(api.client.base_url).rstrip("/")

    def inline(name: str) -> str:
        return base64.b64encode((server_folder / name).read_bytes()).decode()

    for user in ("admin", "guest"):
        proof = {"client-certificate-data": inline(f"{user}.pem"), "client-key-data": inline(f"{user}.pem")}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server, "certificate-authority-data": inline("ca.pem")}}],
            "users": [{"name": user, "user": proof}],
            "contexts": [{"name": user, "context": {"cluster": "c", "user": user}}],
        }
        (tmp_path / f"{user}.kubeconfig").write_text(yaml.safe_dump(config))
    return tmp_path


@pytest.fixture
def node(api: Api) -> Iterator[None]:
    body = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "only"}}
    assert api.client.post("/api/v1/nodes", json=body).is_success
    yield
    assert api.client.delete("/api/v1/nodes/only").is_success


@pytest.fixture
def openshift(api: Api) -> Iterator[None]:
    """The two objects of OpenShift that say what a cluster is, in kinds of the same names; gone afterwards."""
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    made = {
        ("clusterversions", "ClusterVersion", "version"): {"desired": {"version": "4.19.3"}},
        ("infrastructures", "Infrastructure", "cluster"): {"controlPlaneTopology": "SingleReplica"},
    }
    for (plural, kind, name), status in made.items():
        api.define_loose("config.openshift.io", plural, kind)
        body = {"apiVersion": "config.openshift.io/v1", "kind": kind, "metadata": {"name": name}, "status": status}
        answer = api.client.post(f"/apis/config.openshift.io/v1/{plural}", json=body)
        assert answer.is_success, answer.text
    yield
    for plural, _, _ in made:
        assert api.client.delete(f"{crds}/{plural}.config.openshift.io").is_success
    # Other tests share the server, which serves the group for a moment longer.
    until = time.monotonic() + 60
    while any(group["name"] == "config.openshift.io" for group in api.client.get("/apis").json()["groups"]):
        assert time.monotonic() < until, "the group is still served"
        time.sleep(0.2)


def spoke(fleet: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((fleet / "clusters" / f"{name}.yaml").read_text())
    return found


def ran(fleet: Path, *words: str) -> int:
    return main.run(["-C", str(fleet), "clusters", "import", *words])


@pytest.mark.usefixtures("node")
def test_probed_kubernetes_says_version_and_topology(fleet: Path, kubeconfig: Path, api: Api) -> None:
    assert ran(fleet, "--kubeconfig", str(kubeconfig / "admin.kubeconfig"), "--probe") == 0
    found = spoke(fleet, "admin")
    assert found["spec"]["platform"] == "kubernetes"
    assert found["spec"]["version"] == "1.33"
    assert found["spec"]["topology"] == "sno"
    assert found["metadata"]["annotations"] == {"hubctl.io/api-server": str(api.client.base_url).rstrip("/")}


@pytest.mark.usefixtures("openshift")
def test_probed_openshift_says_version_and_topology(fleet: Path, kubeconfig: Path) -> None:
    assert ran(fleet, "--kubeconfig", str(kubeconfig / "admin.kubeconfig"), "--probe", "--rename", "admin=edge") == 0
    wanted = {"platform": "openshift", "version": "4.19", "topology": "sno"}
    assert {key: spoke(fleet, "edge")["spec"][key] for key in wanted} == wanted


@pytest.mark.usefixtures("node")
def test_guest_who_may_not_count_nodes_learns_the_version(
    fleet: Path, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran(fleet, "--kubeconfig", str(kubeconfig / "guest.kubeconfig"), "--probe", "-o", "json") == 0
    row = json.loads(capsys.readouterr().out)["clusters"][0]
    assert row["version"] == "1.33"
    assert row["notes"] == ["its nodes may not be listed", "topology ha is assumed, nothing says it"]


def test_nothing_of_the_credentials_is_written_or_shown(
    fleet: Path, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = kubeconfig / "admin.kubeconfig"
    assert ran(fleet, "--kubeconfig", str(path), "--probe") == 0
    shown = "".join(capsys.readouterr()) + (fleet / "clusters" / "admin.yaml").read_text()
    proof = yaml.safe_load(path.read_text())["users"][0]["user"]["client-key-data"]
    assert proof[:40] not in shown


def managed(name: str, *, labels: dict[str, str], claims: dict[str, str]) -> dict[str, Any]:
    return {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": labels},
        "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60},
        "status": {
            "conditions": [],
            "version": {"kubernetes": "v1.31.4"},
            "clusterClaims": [{"name": key, "value": value} for key, value in claims.items()],
        },
    }


@pytest.fixture
def hub(api: Api) -> Iterator[httpx.Client]:
    """A hub that knows itself and two clusters, their claims in the status as agents write it."""
    wanted = [
        managed("edge-a", labels={"region": "eu", FEATURE: "available"}, claims=CLAIMS),
        managed("edge-b", labels={"vendor": "Other"}, claims={"product.open-cluster-management.io": "AKS"}),
        managed("local-cluster", labels={"local-cluster": "true"}, claims=CLAIMS),
    ]
    for each in wanted:
        name = each["metadata"]["name"]
        assert api.client.post(CLUSTERS, json=each).is_success
        patch = api.client.patch(
            f"{CLUSTERS}/{name}/status",
            json={"status": each["status"]},
            headers={"content-type": "application/merge-patch+json"},
        )
        assert patch.is_success, patch.text
    yield api.client
    for each in wanted:
        api.client.delete(f"{CLUSTERS}/{each['metadata']['name']}")


@pytest.mark.parametrize("shape", ["json", "yaml"])
def test_managed_clusters_of_the_hub_become_spokes(fleet: Path, hub: httpx.Client, tmp_path: Path, shape: str) -> None:
    listed = hub.get(CLUSTERS).json()
    text = json.dumps(listed) if shape == "json" else yaml.safe_dump(listed)
    (tmp_path / "list").write_text(text)
    assert ran(fleet, "-f", str(tmp_path / "list")) == 0
    assert not (fleet / "clusters" / "local-cluster.yaml").exists()
    one, other = spoke(fleet, "edge-a"), spoke(fleet, "edge-b")
    assert one["metadata"]["labels"] == {
        "region": "eu",
        "platform.open-cluster-management.io": "AWS",
        "product.open-cluster-management.io": "ROSA",
        "region.open-cluster-management.io": "eu-central-1",
    }
    assert (one["spec"]["platform"], one["spec"]["version"], one["spec"]["topology"]) == ("openshift", "4.18", "sno")
    assert (other["spec"]["platform"], other["spec"]["version"]) == ("kubernetes", "1.31")
    assert ran(fleet, "-f", str(tmp_path / "list")) == 0


def test_objects_of_the_api_are_read_as_they_are(hub: httpx.Client) -> None:
    found = inventory.managed_clusters(hub.get(CLUSTERS).json()["items"], with_hub=True)
    assert [one.name for one in found] == ["edge-a", "edge-b", "local-cluster"]
    assert [one.problem for one in found] == ["", "", ""]
