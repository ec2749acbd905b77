"""An API server for the session, and the rule that these tests run only when somebody asks for them.

They ask with `-m kube`, with HUBCTL_KUBE=1 or by naming this folder: the first run builds for minutes.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube import apiserver
from tests.kube.api import Api

HERE = Path(__file__).resolve().parent
BUILD_SECONDS = 3600
NO_GO = 69
"""Exit code of build.sh where there is nothing to build with."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kube: sends manifests to a real kube-apiserver, which is built once")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True leaves this folder alone; None has no opinion."""
    asked = os.environ.get("HUBCTL_KUBE") == "1" or config.option.markexpr == "kube"
    named = (Path(config.invocation_params.dir, arg.partition("::")[0]).resolve() for arg in config.args)
    return None if asked or any(path.is_relative_to(HERE) for path in named) else True


@pytest.fixture(scope="session")
def built() -> tuple[Path, Path]:
    """The folder with etcd and kube-apiserver, and the one with the CRDs."""
    done = subprocess.run([HERE / "build.sh"], capture_output=True, text=True, check=False, timeout=BUILD_SECONDS)
    if done.returncode == NO_GO and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    programs, definitions = done.stdout.splitlines()
    return Path(programs), Path(definitions)


@pytest.fixture(scope="session")
def served(built: tuple[Path, Path]) -> Iterator[tuple[Api, Path]]:
    """The server with every CRD, and a kubeconfig for it."""
    programs, definitions = built
    # Not pytest's own folder, which is kept: the database of a run takes more than 100 MB.
    with tempfile.TemporaryDirectory(prefix="hubctl-kube-") as folder, apiserver.running(programs, Path(folder)) as up:
        server = Api(up)
        server.define(definitions)
        yield server, apiserver.kubeconfig(Path(folder), up)


@pytest.fixture(scope="session")
def api(served: tuple[Api, Path]) -> Api:
    return served[0]


@pytest.fixture(scope="session")
def kubeconfig(served: tuple[Api, Path]) -> Path:
    return served[1]
