"""docs/install.md as people follow it: its commands in their order, a real kubectl, an API server of its own."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs import markdown
from tests.kube import apiserver, parts
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

HERE = Path(__file__).resolve().parent
PAGE = markdown.page("docs/install.md")


@pytest.fixture(scope="module")
def done(
    request: pytest.FixtureRequest,
    built: tuple[Path, ...],
    server_folder: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[str, Api]]:
    """What the commands said, and the server after them; it is not the session's, since namespaces end here."""
    (programs,) = parts.built(HERE / "kubectl.sh", request.config)
    folder = server_folder / "install"
    folder.mkdir()
    home = tmp_path_factory.mktemp("install")
    shutil.copytree(markdown.ROOT / "deploy", home / "hubctl" / "deploy")
    with apiserver.running(built[0], folder) as client:
        server = Api(client)
        for pattern in ("*managedclusters.crd.yaml", "*servicemonitors.yaml", "*prometheusrules.yaml"):
            server.define(built[1], pattern)
        # What the page says is there before.
        for name in ("argocd", "open-cluster-management-addon"):
            server.make_namespace(name)
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "KUBECONFIG": str(apiserver.kubeconfig(folder, client)),
        }
        script = "set -euxo pipefail\n" + "\n".join(PAGE.blocks("bash"))
        command = ["bash", "-c", script]
        ran = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr[-3000:] + ran.stdout[-1000:]
        yield ran.stdout, server


def test_every_command_of_the_page_works(done: tuple[str, Api]) -> None:
    said, _ = done
    lines = said.splitlines()
    assert lines.count("yes") == lines.count("no") == 1
    assert "deployment.apps/hubctl serverside-applied" in lines
    assert "deployment.apps/hubctl serverside-applied (server dry run)" in lines
    assert "servicemonitor.monitoring.coreos.com/hubctl serverside-applied (server dry run)" in lines
    assert "registry.example.com/platform/hubctl:0.1.1" in said


def test_uninstalled_hubctl_has_no_rights_left(done: tuple[str, Api]) -> None:
    _, server = done
    for kind in ("clusterroles", "clusterrolebindings", "roles", "rolebindings"):
        items = server.client.get(f"/apis/rbac.authorization.k8s.io/v1/{kind}").json()["items"]
        assert not [one["metadata"]["name"] for one in items if one["metadata"]["name"].startswith("hubctl")], kind


def test_steps_that_nobody_runs_are_marked_as_such() -> None:
    for block in PAGE.blocks("console"):
        assert all(line.startswith("$ ") for line in block.splitlines())
    assert all("$ " not in line[:2] for block in PAGE.blocks("bash") for line in block.splitlines())
