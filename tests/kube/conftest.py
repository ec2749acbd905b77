"""An API server for the session: our own, or the cluster that HUBCTL_TEST_KUBECONFIG names.

These tests come last, so that the first build of the API server goes on beside the others.
"""

import json
import os
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.kube import apiserver, cluster, deployed, parts
from tests.kube.api import Api
from tests.kube.deployed import NAMESPACE, OVERLAYS, ROOT, SPOKE, Installed, token_of

HERE = Path(__file__).resolve().parent
SCRIPT = HERE / "build.sh"


@pytest.hookimpl(trylast=True)  # after the plugin that shuffles
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.is_relative_to(HERE))


@pytest.fixture(scope="session")
def built(request: pytest.FixtureRequest) -> tuple[Path, ...]:
    """The folder with etcd and kube-apiserver, and the one with the CRDs; waits for a build that goes on."""
    return parts.built(SCRIPT, request.config)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """What the server writes: its certificates, and the database of a run, which takes more than 100 MB."""
    if os.environ.get(cluster.KUBECONFIG):
        pytest.skip(f"needs users of the tests' own server: unset {cluster.KUBECONFIG}")
    # Not pytest's own folder, which is kept.
    with tempfile.TemporaryDirectory(prefix="hubctl-kube-") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def served(request: pytest.FixtureRequest) -> Iterator[tuple[Api, Path]]:
    """The server with our manifests' kinds, and a kubeconfig for it; what tests make is gone afterwards, kinds stay."""
    named = os.environ.get(cluster.KUBECONFIG)
    if named:
        with cluster.named(Path(named)) as up:
            server = Api(up)
            done = parts.build(SCRIPT, request.config)
            # Without Go the cluster's own kinds have to do; a missing one fails the tests that need it.
            assert done.code in (0, parts.NO_GO), done.said
            if done.code == 0:
                server.define(done.folders[1])
            yield server, Path(named)
            server.remove_namespaces()
        return
    programs, definitions = request.getfixturevalue("built")
    folder = request.getfixturevalue("server_folder")
    with apiserver.running(programs, folder) as up:
        server = Api(up)
        server.define(definitions)
        yield server, apiserver.kubeconfig(folder, up)


@pytest.fixture(scope="session")
def api(served: tuple[Api, Path]) -> Api:
    return served[0]


@pytest.fixture(scope="session")
def kubeconfig(served: tuple[Api, Path]) -> Path:
    return served[1]


@pytest.fixture(scope="session")
def kustomize(request: pytest.FixtureRequest) -> Path:
    (folder,) = parts.built(HERE / "kustomize.sh", request.config)
    return folder


@pytest.fixture(scope="module", params=OVERLAYS)
def installed(
    request: pytest.FixtureRequest,
    api: Api,
    kubeconfig: Path,
    server_folder: Path,
    kustomize: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Installed]:
    """Applied for real; what gives rights is gone afterwards, so that no overlay lends some to the next."""
    objects = deployed.built(kustomize, ROOT / "deploy" / "overlays" / request.param)
    for one in objects:
        api.make_namespace(one["metadata"].get("namespace", NAMESPACE))
    api.make_namespace(SPOKE)
    for one in objects:
        api.store(yaml.safe_dump(one), fieldValidation="Strict", force="true")
    token = token_of(api, "hubctl")
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    file = tmp_path_factory.mktemp("token") / "kubeconfig"
    file.write_text(json.dumps(config))
    trusted = ssl.create_default_context(cafile=server_folder / "ca.pem")
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=api.client.base_url, verify=trusted, headers=headers, trust_env=False) as client:
        yield Installed(request.param, objects, file, client, trusted)
    for one in objects:
        if one["apiVersion"].startswith("rbac."):
            assert api.remove(yaml.safe_dump(one))
