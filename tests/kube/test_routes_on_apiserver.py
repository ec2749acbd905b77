"""Tokens, hosts and the cluster-proxy's address from objects of a real API server, through the door that hubctl has."""

import base64
import json
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import trustme

from hubctl.fleet.cluster import connect
from hubctl.fleet.hubapi import HubApi
from hubctl.model.predictor import InferenceService, Outcome
from hubctl.model.route import AcmRoute, ExposedRoute, UrlRoute
from hubctl.model.snapshot import FEEDBACK_WORKS, SERVICE_ACCOUNTS, Resource
from hubctl.model.values import Features, ModelProfile, Observe
from hubctl.observe.poll import Poller
from tests.kube.api import Api
from tests.observe.faultserver import Exchange, FaultServer, normal

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

SPOKE = "routes-edge-a"


def put(api: Api, resource: Resource, name: str, spec: dict[str, Any], status: dict[str, Any]) -> None:
    """An object with the status that its controller would report."""
    path = f"/apis/{resource.group}/{resource.version}/namespaces/{SPOKE}/{resource.plural}"
    meta = {"name": name, "labels": {"app.kubernetes.io/managed-by": "hubctl"}}
    whole = {"apiVersion": f"{resource.group}/{resource.version}", "kind": resource.kind, "metadata": meta}
    api.client.post(path, json=whole | {"spec": spec})
    report(api, resource, name, status)


def report(api: Api, resource: Resource, name: str, status: dict[str, Any]) -> None:
    path = f"/apis/{resource.group}/{resource.version}/namespaces/{SPOKE}/{resource.plural}/{name}/status"
    merge = {"content-type": "application/merge-patch+json"}
    api.client.patch(path, content=json.dumps({"status": status}), headers=merge).raise_for_status()


def secret(api: Api, token: str, ca: bytes) -> None:
    path = f"/api/v1/namespaces/{SPOKE}/secrets"
    data = {"token": base64.b64encode(token.encode()).decode(), "ca.crt": base64.b64encode(ca).decode()}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "its-token"}, "data": data}
    if api.client.post(path, json=body).status_code == httpx.codes.CONFLICT:
        api.client.put(f"{path}/its-token", json=body).raise_for_status()


def token_of(at: str) -> dict[str, Any]:
    return {"tokenSecretRef": {"name": "its-token", "lastRefreshTimestamp": at}}


def feedback(host: str) -> dict[str, Any]:
    """What the work agent reports of a Route."""
    meta = {"ordinal": 0, "group": "route.openshift.io", "version": "v1", "kind": "Route", "resource": "routes"}
    told = [{"name": "host", "fieldValue": {"type": "String", "string": host}}]
    manifest = {
        "resourceMeta": meta | {"namespace": "models", "name": "m"},
        "conditions": [],
        "statusFeedback": {"values": told},
    }
    return {"resourceStatus": {"manifests": [manifest]}}


async def test_token_host_and_ca_of_a_spoke_are_the_hubs_own_objects(
    api: Api, kubeconfig: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.json").write_text("[[0.1]]")
    authority, wanted = trustme.CA(), "Bearer s3cret-1"

    async def guard(exchange: Exchange) -> None:
        known = exchange.headers.get("authorization") == wanted
        await (normal(exchange) if known else exchange.send(401, b"Unauthorized", "text/plain"))

    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    api.make_namespace(SPOKE)
    secret(api, "s3cret-1", authority.cert_pem.bytes())
    put(api, SERVICE_ACCOUNTS, "poller", {"rotation": {}}, token_of("2026-03-01T12:00:00Z"))
    profile = ModelProfile(features=Features(file="rows.json"))
    routes = (AcmRoute(), ExposedRoute())
    model = InferenceService(SPOKE, "m", "v1", "models", "m-predictor", profile, routes, account="poller")
    hub = HubApi(connect(kubeconfig, None), (SERVICE_ACCOUNTS, FEEDBACK_WORKS))
    async with FaultServer(guard, tls=tls) as spoke, Poller(Observe(), tmp_path, {}, api=hub) as poller:
        works: dict[str, Any] = {"workload": {"manifests": []}}
        put(api, FEEDBACK_WORKS, "feedback", works, feedback(f"127.0.0.1:{spoke.port}"))
        (first,) = await poller.poll([model], await hub.snapshot(datetime.now(UTC)))
        secret(api, "s3cret-2", authority.cert_pem.bytes())
        wanted = "Bearer s3cret-2"
        (refused_once,) = await poller.poll([model], await hub.snapshot(datetime.now(UTC)))
        secret(api, "s3cret-3", authority.cert_pem.bytes())
        wanted = "Bearer s3cret-3"
        report(api, SERVICE_ACCOUNTS, "poller", token_of("2026-03-02T12:00:00Z"))
        (rotated,) = await poller.poll([model], await hub.snapshot(datetime.now(UTC)))
    found = (first, refused_once, rotated)
    assert [(one.outcome, one.route) for one in found] == [(Outcome.OK, "route")] * 3
    assert "has no Route cluster-proxy-addon-user" in first.tried[0].detail
    sent = [exchange.headers["authorization"][-1] for exchange in spoke.seen]
    assert sent == ["1", "1", "2", "3"]


async def test_proxy_inside_of_the_hub_is_found_by_its_service(api: Api, kubeconfig: Path, tmp_path: Path) -> None:
    api.make_namespace("multicluster-engine")
    service = {"metadata": {"name": "cluster-proxy-addon-user"}, "spec": {"ports": [{"port": 9092}]}}
    api.client.post("/api/v1/namespaces/multicluster-engine/services", json=service).raise_for_status()
    bundle = trustme.CA().cert_pem.bytes().decode()
    authority = {"metadata": {"name": "openshift-service-ca.crt"}, "data": {"service-ca.crt": bundle}}
    api.client.post("/api/v1/namespaces/multicluster-engine/configmaps", json=authority).raise_for_status()
    model = InferenceService(SPOKE, "m", "v1", "models", "m-predictor", ModelProfile(), AcmRoute())
    hub = HubApi(connect(kubeconfig, None), ())
    inside = {"KUBERNETES_SERVICE_HOST": "127.0.0.1"}
    async with Poller(Observe(), tmp_path, inside, api=hub) as poller:
        (found,) = await poller.poll([model])
    # There is no cluster whose DNS knows the Service: that it is asked for proves where it was looked for.
    assert (found.reason, found.route) == ("dns", "acm")


@pytest.mark.usefixtures("api")
async def test_spoke_without_its_account_is_told_so_and_nothing_sent(kubeconfig: Path, tmp_path: Path) -> None:
    model = InferenceService(
        "routes-edge-x", "m", "v1", "models", "m-predictor", ModelProfile(), UrlRoute(url="https://x.example"),
        account="poller",
    )  # fmt: skip
    hub = HubApi(connect(kubeconfig, None), (SERVICE_ACCOUNTS,))
    async with Poller(Observe(), tmp_path, {}, api=hub) as poller:
        (found,) = await poller.poll([model], await hub.snapshot(datetime.now(UTC)))
    assert (found.outcome, found.reason) == (Outcome.UNAUTHORIZED, "token_missing")
