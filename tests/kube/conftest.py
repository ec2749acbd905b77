"""An API server for the session: our own, or the cluster that HUBCTL_TEST_KUBECONFIG names.

These tests come last, so that the first build of the API server goes on beside the others.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube import apiserver, cluster
from tests.kube.api import Api

HERE = Path(__file__).resolve().parent
NO_GO = 69
"""Exit code of build.sh where there is nothing to build with."""


@pytest.hookimpl(trylast=True)  # after the plugin that shuffles
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> tuple[Path, Path]:
    """The folder with etcd and kube-apiserver, and the one with the CRDs; waits for a build that goes on."""
    code, output, said = _build(request.config)
    if code == NO_GO and not os.environ.get("CI"):
        pytest.skip(said.strip())
    assert code == 0, said
    programs, definitions = output.splitlines()
    return Path(programs), Path(definitions)


def _build(config: pytest.Config) -> tuple[int, str, str]:
    """Exit code, output and messages of build.sh; the messages go to the terminal too, since it may take minutes."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    with subprocess.Popen(
        [HERE / "build.sh"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as build:
        assert build.stdout
        assert build.stderr
        said = ""
        for line in build.stderr:
            said += line
            if terminal:
                terminal.write_line(line.rstrip())
        return build.wait(), build.stdout.read(), said


@pytest.fixture(scope="session")
def api(request: pytest.FixtureRequest) -> Iterator[Api]:
    """The server with our manifests' kinds; what tests make on it is gone afterwards, the kinds stay."""
    kubeconfig = os.environ.get(cluster.KUBECONFIG)
    if kubeconfig:
        with cluster.named(Path(kubeconfig)) as up:
            server = Api(up)
            code, output, said = _build(request.config)
            # Without Go the cluster's own kinds have to do; a missing one fails the tests that need it.
            assert code in (0, NO_GO), said
            if code == 0:
                server.define(Path(output.splitlines()[1]))
            yield server
            server.remove_namespaces()
        return
    programs, definitions = request.getfixturevalue("built")
    # Not pytest's own folder, which is kept: the database of a run takes more than 100 MB.
    with tempfile.TemporaryDirectory(prefix="hubctl-kube-") as folder, apiserver.running(programs, Path(folder)) as up:
        server = Api(up)
        server.define(definitions)
        yield server
