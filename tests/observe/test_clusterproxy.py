"""Polling through the cluster-proxy, whose stand-in is held to the table that the real one was asked about."""

import ssl
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import trustme

from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.route import AcmRoute, ApiserverRoute, Route, UrlRoute
from hubctl.observe.poll import Poller
from tests.observe import proxycases
from tests.observe.clusterproxy import ClusterProxy
from tests.observe.faultserver import FaultServer
from tests.observe.proxycases import CASES

Make = Callable[..., InferenceService]
MakePoller = Callable[..., Poller]
TOKEN = "s3cret-of-edge-a"


@dataclass
class Hub:
    """A proxy before three predictors of one spoke."""

    proxy: ClusterProxy
    door: FaultServer
    plain: FaultServer
    secure: FaultServer
    tls: ssl.SSLContext

    def route(self, kind: type[AcmRoute | ApiserverRoute], **said: Any) -> Route:
        return kind(host=f"127.0.0.1:{self.door.port}", ca_file="hub.pem", **said)


def server_side(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


@pytest.fixture
async def hub(rows: Path) -> AsyncIterator[Hub]:
    outside, inside = trustme.CA(), trustme.CA()
    outside.cert_pem.write_to_path(str(rows / "hub.pem"))
    (rows / "token").write_text(TOKEN)
    trust = ssl.create_default_context(cadata=inside.cert_pem.bytes().decode())
    proxy = ClusterProxy({}, trust)
    async with (
        FaultServer() as plain,
        FaultServer(tls=server_side(inside.issue_cert("secure-predictor.models.svc"))) as secure,
        FaultServer(tls=server_side(trustme.CA().issue_cert("foreign-predictor.models.svc"))) as foreign,
        FaultServer(proxy, tls=server_side(outside.issue_cert("127.0.0.1"))) as door,
    ):
        proxy.ports = {
            ("edge-a", "plain-predictor.models", "8080"): plain.port,
            ("edge-a", "secure-predictor.models", "8443"): secure.port,
            ("edge-a", "foreign-predictor.models", "8444"): foreign.port,
        }
        yield Hub(proxy, door, plain, secure, ssl.create_default_context(cadata=outside.cert_pem.bytes().decode()))


@pytest.mark.parametrize("case", CASES)
async def test_stand_in_does_what_the_cluster_proxy_does(hub: Hub, case: str) -> None:
    wanted = CASES[case]
    status, body = await proxycases.ask(hub.door.port, hub.tls, wanted.target)
    assert status == wanted.status
    assert wanted.text in body if wanted.text or status == 200 else body == ""
    arrived = [exchange.path for exchange in (*hub.plain.seen, *hub.secure.seen)]
    assert arrived == ([wanted.arrives] if wanted.arrives else [])


async def polled(poller: Poller, service: InferenceService) -> Observation:
    async with poller:
        (found,) = await poller.poll([service])
    return found


@pytest.mark.parametrize(
    ("name", "said"), [("secure", {"scheme": "https"}), ("plain", {"scheme": "http", "port": 8080})]
)
async def test_model_behind_the_proxy_is_polled_with_its_own_token(
    service: Make, poller: MakePoller, hub: Hub, name: str, said: dict[str, Any]
) -> None:
    asked = service(service=f"{name}-predictor", route=hub.route(AcmRoute, **said))
    found = await polled(poller(token_file="token", deadline=10), asked)
    assert (found.outcome, found.route) == (Outcome.OK, "acm")
    (exchange,) = getattr(hub, name).seen
    assert exchange.path == "/v1/models/anomaly-detector:predict"
    assert exchange.headers["authorization"] == f"Bearer {TOKEN}"
    assert exchange.headers["cluster-proxy-service"] == f"{name}-predictor"


FAULTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "allowlist": ({"allowlist": {"models/other"}}, {}, "allowlist"),
    "no tunnel": ({}, {"cluster": "edge-x"}, "tunnel"),
    "before MCE 2.11": ({"https_only": True}, {}, "proxy_url"),
    "wrong certificate": (
        {},
        {"service": "foreign-predictor", "route": {"scheme": "https", "port": 8444}},
        "bad_gateway",
    ),
    "nobody there": ({}, {"route": {"scheme": "http", "port": 8099}}, "bad_gateway"),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_the_proxy_refuses_is_told_apart_and_another_route_tried(
    service: Make, poller: MakePoller, hub: Hub, fault: str
) -> None:
    settings, changes, reason = FAULTS[fault]
    for key, value in settings.items():
        setattr(hub.proxy, key, value)
    said = {"scheme": "http", "port": 8080} | changes.get("route", {})
    routes = (hub.route(AcmRoute, **said), UrlRoute(url=hub.plain.url))
    about = {"service": "plain-predictor", "cluster": "edge-a"} | changes
    found = await polled(poller(deadline=10), service(**{**about, "route": routes}))
    assert (found.outcome, found.route) == (Outcome.OK, "url")
    assert [one.reason for one in found.tried] == [reason]


async def test_kube_apiserver_proxies_where_the_list_does_not_let_through(
    service: Make, poller: MakePoller, hub: Hub
) -> None:
    hub.proxy.allowlist = ()
    hub.proxy.tokens = {TOKEN: ["http:plain-predictor:8080"]}
    routes = tuple(hub.route(kind, scheme="http", port=8080) for kind in (AcmRoute, ApiserverRoute))
    found = await polled(poller(token_file="token", deadline=10), service(service="plain-predictor", route=routes))
    assert (found.outcome, found.route) == (Outcome.OK, "apiserver")
    assert [one.reason for one in found.tried] == ["allowlist"]
    assert "authorization" not in hub.plain.seen[0].headers


@pytest.mark.parametrize(
    ("tokens", "name", "reason"),
    [
        ({}, "plain-predictor", "apiserver_token"),
        ({TOKEN: []}, "plain-predictor", "apiserver_denied"),
        ({TOKEN: ["http:other-predictor:8080"]}, "other-predictor", "service_absent"),
        ({TOKEN: ["http:secure-predictor:8080"]}, "secure-predictor", "no_endpoints"),
    ],
)
async def test_what_the_kube_apiserver_refuses_is_told_apart(
    service: Make, poller: MakePoller, hub: Hub, tokens: dict[str, list[str]], name: str, reason: str
) -> None:
    hub.proxy.tokens = tokens
    route = hub.route(ApiserverRoute, scheme="http", port=8080)
    found = await polled(poller(token_file="token", deadline=10), service(service=name, route=route))
    assert found.reason == reason
    assert TOKEN not in found.detail


async def test_answer_of_the_model_behind_the_proxy_ends_the_search(
    service: Make, poller: MakePoller, hub: Hub
) -> None:
    async def absent(exchange: Any) -> None:
        await exchange.send(404, b'{"error":"Model with name anomaly-detector does not exist."}')

    hub.plain.behave = absent
    routes = (hub.route(AcmRoute, scheme="http", port=8080), UrlRoute(url="http://127.0.0.1:1"))
    found = await polled(poller(deadline=10), service(service="plain-predictor", route=routes))
    assert (found.reason, found.route, found.tried) == ("model_absent", "acm", ())
