"""A hub with Argo CD on it, and the rule that these tests run only when somebody asks for them.

They ask with `-m argo`, with HUBCTL_ARGO=1 or by naming this folder: the first run builds for many minutes.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.argo import argocd
from tests.argo.argocd import Servers
from tests.argo.cluster import Cluster
from tests.argo.installation import Installation
from tests.kube import apiserver, parts
from tests.kube.api import Api
from tests.publish import httpsgit
from tests.publish.httpsgit import HttpsGit

HERE = Path(__file__).resolve().parent


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True leaves this folder alone; None has no opinion."""
    return None if parts.asked_for(config, HERE) else True


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """Everything that the programs write; gone afterwards, and short, since there are sockets in it."""
    with tempfile.TemporaryDirectory(prefix="hubctl-argo-") as name:
        yield Path(name)


@pytest.fixture(scope="session")
def programs(request: pytest.FixtureRequest) -> Path:
    """The folder with Argo CD."""
    return parts.built(HERE / "build.sh", request.config)[0]


@pytest.fixture(scope="session")
def kubernetes(request: pytest.FixtureRequest) -> tuple[Path, ...]:
    """The folder with etcd and kube-apiserver, and the one with the CRDs."""
    return parts.built(HERE.parent / "kube" / "build.sh", request.config)


@pytest.fixture(scope="session")
def hub(kubernetes: tuple[Path, ...], folder: Path) -> Iterator[Api]:
    """The hub's API server, which knows the kinds of Argo CD and Open Cluster Management."""
    (folder / "hub").mkdir()
    with apiserver.running(kubernetes[0], folder / "hub") as client:
        api = Api(client)
        for pattern in ("app*", "*open-cluster-management*", "clusterpermissions*"):
            api.define(kubernetes[1], pattern)
        yield api


@pytest.fixture(scope="session")
def hub_config(hub: Api, folder: Path) -> Path:
    """How Argo CD reaches the hub."""
    return argocd.kubeconfig(str(hub.client.base_url), folder / "hub")


@pytest.fixture(scope="session")
def edge(kubernetes: tuple[Path, ...], folder: Path) -> Iterator[Cluster]:
    """A spoke, which knows the kinds that hubctl renders for spokes."""
    (folder / "edge").mkdir()
    with apiserver.running(kubernetes[0], folder / "edge") as client:
        api = Api(client)
        for pattern in ("serving*", "gateway*", "monitoring*", "external-secrets*"):
            api.define(kubernetes[1], pattern)
        yield Cluster.made(api, folder / "edge")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def git(folder: Path, authority: trustme.CA) -> Iterator[HttpsGit]:
    """A Git server over HTTPS that asks for a password."""
    (folder / "git").mkdir()
    with httpsgit.serving(folder / "git", authority) as server:
        yield server


@pytest.fixture(scope="session")
def servers(programs: Path, folder: Path, authority: trustme.CA) -> Iterator[Servers]:
    """Argo CD's repo-server and its cache."""
    (folder / "argo").mkdir()
    with argocd.running(programs, folder / "argo", authority.cert_pem.bytes()) as up:
        yield up


@pytest.fixture
def argo(hub: Api, tmp_path: Path, git: HttpsGit, programs: Path) -> Installation:
    """An installation without its controllers."""
    return Installation.made(hub, tmp_path, git, programs)


@pytest.fixture
def generating(argo: Installation, servers: Servers, hub_config: Path) -> Iterator[Installation]:
    """An installation whose applicationset-controller is at work."""
    with servers.applicationsets(hub_config, argo.namespace):
        yield argo
