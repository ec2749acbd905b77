"""One fleet from the hub's API to its status, with no cluster file: groups say route, access and what is served.

ManagedClusters, tokens and feedback are objects of a real API server, which hubctl finds by HUBCTL_KUBECONFIG alone.
The cluster-proxy is the stand-in that tests/clusterproxy holds to the real one.
"""

import base64
import json
import ssl
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from tests.e2e.predictors import Loop
from tests.e2e.world import MARK, MODEL, OTHER, World
from tests.fleet import hubobjects
from tests.inputs.hubobjects import managed
from tests.kube import hubs
from tests.kube.api import Api, split
from tests.observe.clusterproxy import ClusterProxy
from tests.observe.faultserver import FaultServer

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

MODELS = "self-healing-platform"
ACCOUNT = "hubctl-poller"


def described(section: dict[str, Any], place: str, proxy: FaultServer, authority: Path) -> None:
    """A fleet that no file names."""
    section["fleet"] = {"source": "acm"}
    section["gitops"]["argocdNamespace"] = place
    section["observe"] = {"deadline": "5s"}
    section["witness"] = {"settle": 0, "leaseGrace": 0, "applications": False}
    section["remediation"] = {"policies": []}
    route = [
        {"type": "acm", "host": f"127.0.0.1:{proxy.port}", "caFile": str(authority)},
        {"type": "apiserver", "host": f"127.0.0.1:{proxy.port}", "caFile": str(authority)},
    ]
    section["groups"] = [
        {
            "name": "everyone",
            "match": {},
            "route": route,
            "access": {"token": {}, "feedback": True},
            "serve": [{"name": name, "version": "v1"} for name in (MODEL, OTHER)],
        }
    ]


def manifest(model: str, version: str, ordinal: int) -> dict[str, Any]:
    said = hubobjects.serving(version, f"pvc://model-storage-pvc/{model}/{version}")
    found = hubobjects.manifest(model, ordinal=ordinal, **said)
    found["resourceMeta"]["namespace"] = MODELS
    return found


def on_the_hub(world: World) -> list[str]:
    """The objects of the published folder ``hub``."""
    paths = [path for path in world.files() if path.startswith("rendered/hub/") and "kustomization" not in path]
    return [document for path in paths for document in split(world.file(path))]


def token(api: Api, spoke: str, text: str) -> None:
    """The agent of managed-serviceaccount reports a token."""
    data = {"token": base64.b64encode(text.encode()).decode()}
    api.store(
        yaml.safe_dump(
            {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": ACCOUNT, "namespace": spoke}, "data": data}
        )
    )
    report(
        api,
        f"/apis/authentication.open-cluster-management.io/v1beta1/namespaces/{spoke}/managedserviceaccounts/{ACCOUNT}",
        {"tokenSecretRef": {"name": ACCOUNT, "lastRefreshTimestamp": "2026-11-23T10:00:00Z"}},
    )


def report(api: Api, path: str, status: dict[str, Any]) -> None:
    headers = {"content-type": "application/merge-patch+json"}
    api.client.patch(f"{path}/status", content=json.dumps({"status": status}), headers=headers).raise_for_status()


def feedback(api: Api, spoke: str, version: str) -> None:
    """The work agent reports what the spoke serves."""
    said = hubobjects.work(spoke, manifest(MODEL, version, 1), manifest(OTHER, "v1", 2))["status"]
    report(api, f"/apis/{hubobjects.WORK_API}/namespaces/{spoke}/manifestworks/hubctl-fleet-feedback", said)


@pytest.fixture
def world(api: Api, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setenv(MARK, uuid.uuid4().hex)
    loop, hub, authority, tag = Loop(), hubs.Hub(api.client), trustme.CA(), uuid.uuid4().hex[:6]
    # No namespace ever ends on this server, so each test has spokes of its own.
    made = World.made(tmp_path, loop, (f"north-{tag}", f"south-{tag}"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    ports = {
        (spoke, f"{model}-predictor.{MODELS}", "80"): made.predictors.listeners[spoke].port
        for spoke in made.spokes
        for model in (MODEL, OTHER)
    }
    proxy = FaultServer(ClusterProxy(ports), tls=tls)
    loop.do(proxy.__aenter__())
    for file in (made.fleet / "clusters").iterdir():
        file.unlink()
    made.edit_values(lambda section: described(section, f"argocd-{tag}", proxy, tmp_path / "ca.pem"))
    made.environ |= {"HUBCTL_KUBECONFIG": str(kubeconfig)}
    hub.join(*(managed(spoke) for spoke in made.spokes))
    yield made
    hub.clear()
    for document in on_the_hub(made) if made.count() else ():
        api.remove(document)
    loop.do(proxy.__aexit__())
    made.predictors.close()
    loop.close()


def free(made: Any) -> list[str]:
    """Keys of the findings that nothing wider explains."""
    return [found["key"] for found in made["findings"] if not found["inhibitedBy"]]


def reconciled(world: World) -> Any:
    world.new_window()
    return world.reconcile()


def settled(api: Api, world: World) -> None:
    """What is published is on the hub, and agents report that all is well."""
    for document in on_the_hub(world):
        api.make_namespace(yaml.safe_load(document)["metadata"]["namespace"])
        api.store(document, force="true")
    for spoke in world.spokes:
        token(api, spoke, f"token-of-{spoke}")
        feedback(api, spoke, "v1")


def test_fleet_that_no_file_names_is_rendered_polled_witnessed_and_told(world: World, api: Api) -> None:
    north, south = world.spokes
    first = reconciled(world)
    assert {path.split("/")[2] for path in world.files() if path.startswith("rendered/spokes/")} == set(world.spokes)
    assert {seen["reason"].partition(":")[0] for seen in first["observations"]} == {"token_missing"}

    settled(api, world)
    second = reconciled(world)
    assert [(seen["outcome"], seen["route"]) for seen in second["observations"]] == [("ok", "acm")] * 4
    assert free(second) == []
    for spoke in world.spokes:
        sent = {asked.headers["authorization"] for asked in world.predictors.listeners[spoke].asked}
        assert sent == {f"Bearer token-of-{spoke}"}

    feedback(api, south, "v0")
    assert free(reconciled(world)) == [f"version-drift:{south}/{MODEL}"]
    told = world.inside("status", expect=1).out
    assert f"Git says {MODEL} v1, {south} serves v0" in told
    shown = {one["name"]: one for one in world.status()["clusters"]}
    assert shown[north]["health"] == "healthy"
    assert [one["reason"] for one in shown[south]["models"]] == ["not-served", "votes-good"]
    incident = world.incidents()[-1]["id"]
    assert f"{south} serves v0" in world.inside("explain", incident).out


def checks(world: World, *more: str, expect: int) -> dict[str, list[str]]:
    """State of each check of doctor about the hub, as often as there is one of its name."""
    found: dict[str, list[str]] = {}
    for one in world.inside("doctor", "-o", "json", *more, expect=expect).json["checks"]:
        if one["name"].startswith(("hub", "fleet")):
            found.setdefault(one["name"], []).append(one["state"])
    return found


def test_doctor_looks_at_the_hub_of_this_fleet_and_says_nothing_twice(
    world: World, api: Api, kubeconfig: Path, server_folder: Path
) -> None:
    reconciled(world)
    settled(api, world)
    joined = [hubobjects.condition(f"ManagedCluster{word}", "True") for word in ("ConditionAvailable", "Joined")]
    for spoke in world.spokes:
        report(api, f"{hubs.CLUSTERS}/{spoke}", {"conditions": joined})
    found = checks(world, expect=3)
    assert found == {
        "fleet": ["ok"],
        "hub add-on cluster-proxy": ["failed"],
        "hub add-on managed-serviceaccount": ["failed"],
        **{f"hub delivery {spoke}": ["failed"] for spoke in world.spokes},
    }
    guest = json.loads(kubeconfig.read_text())
    proof = str(server_folder / "guest.pem")
    guest["users"][0]["user"] = {"client-certificate": proof, "client-key": proof}
    (world.home / "guest").write_text(json.dumps(guest))
    world.environ["HUBCTL_KUBECONFIG"] = str(world.home / "guest")
    forbidden = checks(world, expect=3)
    assert forbidden.pop("fleet") == ["warning"]
    assert {"hub managedclusters", "hub manifestworks", "hub managedserviceaccounts"} < set(forbidden)
    assert all(states == ["failed"] for states in forbidden.values()), forbidden


def test_spoke_that_only_the_hub_names_can_be_paused_also_while_the_hub_is_away(world: World) -> None:
    north, south = world.spokes
    asked = ("pause", "add", "--for", "1h", "--owner", "ana", "--reason", "disk", "--cluster")
    assert "nothing is known of the fleet yet" in world.inside(*asked, north).err
    reconciled(world)
    world.environ["HUBCTL_KUBECONFIG"] = str(world.home / "none")
    assert "warning" not in world.inside(*asked, south).err
    assert f"the fleet has no spoke '{south}x' did you mean {south}?" in world.inside(*asked, f"{south}x").err
