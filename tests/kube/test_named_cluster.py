"""The tests of this folder on a cluster of somebody else's, which they leave as they found it."""

import json
from pathlib import Path

import pytest

from tests.kube import apiserver, cluster
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]


def kubeconfig(folder: Path, server: str) -> Path:
    login = {"client-certificate": str(folder / "admin.pem"), "client-key": str(folder / "admin.pem")}
    content = {
        "clusters": [{"name": "a", "cluster": {"server": server, "certificate-authority": str(folder / "ca.pem")}}],
        "users": [{"name": "b", "user": login}],
        "contexts": [{"name": "c", "context": {"cluster": "a", "user": "b"}}],
        "current-context": "c",
    }
    (folder / "kubeconfig").write_text(json.dumps(content))
    return folder / "kubeconfig"


def phases(api: Api) -> dict[str, str]:
    """Name to phase of every namespace; with no controller, one that is being removed stays."""
    found = api.client.get("/api/v1/namespaces").json()["items"]
    return {each["metadata"]["name"]: each["status"]["phase"] for each in found}


def test_cluster_of_a_kubeconfig_keeps_only_its_own_namespaces(built: tuple[Path, ...], tmp_path: Path) -> None:
    with apiserver.running(built[0], tmp_path) as up, cluster.named(kubeconfig(tmp_path, str(up.base_url))) as client:
        Api(up).make_namespace("theirs")
        server = Api(client)
        server.make_namespace("theirs")
        server.make_namespace("ours")
        server.remove_namespaces()
        assert {name: phase for name, phase in phases(server).items() if name.endswith("s")} == {
            "theirs": "Active",
            "ours": "Terminating",
        }


def test_kubeconfig_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="HUBCTL_TEST_KUBECONFIG"), cluster.named(tmp_path / "none"):
        pass
