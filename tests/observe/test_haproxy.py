"""Predictors behind HAProxy, as OpenShift's router stands before them: edge and re-encrypt, and all that goes wrong."""

import asyncio
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.route import UrlRoute
from hubctl.model.snapshot import Snapshot
from hubctl.model.values import Observe
from hubctl.observe.poll import Poller
from tests.observe import haproxy
from tests.observe.faultserver import Exchange, FaultServer, normal
from tests.observe.hubstub import NOW, HubStub, account, accounts

Make = Callable[..., InferenceService]
MakePoller = Callable[..., Poller]
NAME = "anomaly-detector-predictor.models.svc"


@pytest.fixture
def authority(rows: Path) -> trustme.CA:
    """The CA of the router, whose bundle lies beside the rows."""
    made = trustme.CA()
    made.cert_pem.write_to_path(str(rows / "ca.pem"))
    return made


@pytest.fixture
def edge(authority: trustme.CA) -> trustme.LeafCert:
    return authority.issue_cert("127.0.0.1")


def serving(authority: trustme.CA, name: str = NAME, until: datetime | None = None) -> ssl.SSLContext:
    """What a predictor behind OpenShift AI's proxy shows."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name, not_after=until).configure_cert(made)
    return made


async def polled(poller: Poller, service: InferenceService, snapshot: Snapshot | None = None) -> Observation:
    async with poller:
        (found,) = await poller.poll([service], snapshot)
    return found


async def test_edge_route_leads_to_a_predictor_in_clear(
    service: Make, poller: MakePoller, edge: trustme.LeafCert
) -> None:
    async with FaultServer() as pod:
        with haproxy.routing(pod.port, edge) as router:
            found = await polled(poller(ca_file="ca.pem", deadline=10), service(router.url))
    assert (found.outcome, found.votes) == (Outcome.OK, True)
    assert pod.seen[0].path == "/v1/models/anomaly-detector:predict"


async def test_reencrypt_route_leads_to_a_predictor_with_tls(
    service: Make, poller: MakePoller, edge: trustme.LeafCert
) -> None:
    inside = trustme.CA()
    async with FaultServer(tls=serving(inside)) as pod:
        with haproxy.routing(pod.port, edge, reencrypt=inside, name=NAME) as router:
            found = await polled(poller(ca_file="ca.pem", deadline=10), service(router.url))
    assert found.outcome is Outcome.OK


@pytest.mark.parametrize("wrong", ["ca", "name", "expired"])
async def test_reencrypt_to_a_wrong_certificate_is_a_503_of_the_router(
    service: Make, poller: MakePoller, edge: trustme.LeafCert, wrong: str
) -> None:
    inside = trustme.CA()
    shown = {
        "ca": serving(trustme.CA()),
        "name": serving(inside, "other.models.svc"),
        "expired": serving(inside, until=datetime(2021, 1, 1, tzinfo=UTC)),
    }[wrong]
    async with FaultServer(tls=shown) as pod:
        with haproxy.routing(pod.port, edge, reencrypt=inside, name=NAME) as router:
            found = await polled(poller(ca_file="ca.pem", deadline=10), service(router.url))
    assert (found.outcome, found.reason) == (Outcome.NOT_READY, "no_endpoints")
    assert pod.seen == []


async def test_router_that_another_ca_vouches_for_is_not_trusted(service: Make, poller: MakePoller, rows: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(rows / "ca.pem"))
    async with FaultServer() as pod:
        with haproxy.routing(pod.port, trustme.CA().issue_cert("127.0.0.1")) as router:
            found = await polled(poller(ca_file="ca.pem", deadline=10), service(router.url))
    assert (found.outcome, found.reason) == (Outcome.TLS, "unknown_ca")


async def test_router_with_an_expired_certificate_is_not_trusted(
    service: Make, poller: MakePoller, authority: trustme.CA
) -> None:
    old = authority.issue_cert("127.0.0.1", not_after=datetime(2021, 1, 1, tzinfo=UTC))
    async with FaultServer() as pod:
        with haproxy.routing(pod.port, old) as router:
            found = await polled(poller(ca_file="ca.pem", deadline=10), service(router.url))
    assert (found.outcome, found.reason) == (Outcome.TLS, "expired")


async def test_route_without_a_pod_is_a_503_with_the_routers_page(
    service: Make, poller: MakePoller, edge: trustme.LeafCert
) -> None:
    with haproxy.routing(haproxy.free_port(), edge) as router:
        found = await polled(poller(ca_file="ca.pem", deadline=10), service(router.url))
    assert (found.outcome, found.reason) == (Outcome.NOT_READY, "no_endpoints")
    assert "Application is not available" in found.detail


async def silent(_: Exchange) -> None:
    await asyncio.sleep(60)


async def test_router_gives_up_before_we_do_with_a_504(
    service: Make, poller: MakePoller, edge: trustme.LeafCert
) -> None:
    async with FaultServer(silent) as pod:
        # Half a second stands for the 30 seconds of a Route that says nothing else.
        with haproxy.routing(pod.port, edge, timeout="500ms") as router:
            found = await polled(poller(ca_file="ca.pem", deadline=20), service(router.url))
    assert (found.outcome, found.reason) == (Outcome.TIMEOUT, "gateway")
    assert "504" in found.detail


async def test_insecure_route_that_redirects_is_not_followed(
    service: Make, poller: MakePoller, edge: trustme.LeafCert
) -> None:
    async with FaultServer() as pod:
        with haproxy.routing(pod.port, edge) as router:
            found = await polled(poller(deadline=10), service(f"http://127.0.0.1:{router.insecure}"))
    assert found.reason == "redirect"
    assert pod.seen == []


async def test_token_that_rotates_is_read_again_through_the_router(
    service: Make, edge: trustme.LeafCert, rows: Path
) -> None:
    hub = HubStub(secrets={("edge-a", "poller"): {"token": b"s3cret-1"}})
    wanted = "Bearer s3cret-1"

    async def guard(exchange: Exchange) -> None:
        if exchange.headers.get("authorization") == wanted:
            await normal(exchange)
        else:
            await exchange.send(401, b"Unauthorized", "text/plain")

    poller = Poller(Observe(ca_file="ca.pem"), rows, {}, clock=lambda: NOW, api=hub)
    async with FaultServer(guard) as pod, poller:
        with haproxy.routing(pod.port, edge) as router:
            asked = [service(router.url, account="poller")]
            (before,) = await poller.poll(asked, accounts(account()))
            # The spoke takes the new token before the hub says that there is one.
            wanted = "Bearer s3cret-2"
            hub.secrets["edge-a", "poller"]["token"] = b"s3cret-2"
            (after,) = await poller.poll(asked, accounts(account()))
    assert (before.outcome, after.outcome) == (Outcome.OK, Outcome.OK)


async def test_next_route_is_tried_when_the_router_says_no(
    service: Make, poller: MakePoller, edge: trustme.LeafCert
) -> None:
    async with FaultServer() as pod:
        with haproxy.routing(haproxy.free_port(), edge) as empty, haproxy.routing(pod.port, edge) as router:
            routes = (UrlRoute(url=empty.url), UrlRoute(url=router.url))
            found = await polled(poller(ca_file="ca.pem", deadline=10), service(route=routes))
    assert (found.outcome, found.route) == (Outcome.OK, "url 2")
    assert [one.reason for one in found.tried] == ["no_endpoints"]
