"""An API server for the session, and the rule that these tests run only when somebody asks for them.

They ask with `-m kube`, with HUBCTL_KUBE=1 or by naming this folder: the first run builds for minutes.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kube import apiserver, parts
from tests.kube.api import Api

HERE = Path(__file__).resolve().parent


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "kube: sends manifests to a real kube-apiserver, which is built once")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True leaves this folder alone; None has no opinion."""
    return None if parts.asked_for(config, HERE) else True


@pytest.fixture(scope="session")
def built() -> tuple[Path, ...]:
    """The folder with etcd and kube-apiserver, and the one with the CRDs."""
    return parts.built(HERE / "build.sh")


@pytest.fixture(scope="session")
def api(built: tuple[Path, ...]) -> Iterator[Api]:
    programs, definitions = built
    # Not pytest's own folder, which is kept: the database of a run takes more than 100 MB.
    with tempfile.TemporaryDirectory(prefix="hubctl-kube-") as folder, apiserver.running(programs, Path(folder)) as up:
        server = Api(up)
        server.define(definitions)
        yield server
