"""Several routes to one predictor: which is tried when, whose answer counts, and what each of the others said."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.route import AcmRoute, ExposedRoute, Route, UrlRoute
from hubctl.model.snapshot import Snapshot
from hubctl.model.values import Observe
from hubctl.observe.poll import Poller
from tests.observe.faultserver import Exchange, FaultServer, fixed, normal
from tests.observe.hubstub import NOW, HubStub, account, accounts, work, works

Make = Callable[..., InferenceService]
MakePoller = Callable[..., Poller]


def over(service: Make, *routes: FaultServer | Route) -> InferenceService:
    made = tuple(UrlRoute(url=one.url) if isinstance(one, FaultServer) else one for one in routes)
    return service(route=made)


def told(found: Observation) -> tuple[str, str, list[tuple[str, str]]]:
    return found.route, found.outcome, [(one.route, one.reason) for one in found.tried]


async def silent(_: Exchange) -> None:
    await asyncio.sleep(60)


ALLOWLIST = fixed(403, b"service models/x is not in the exposed services allowlist", "text/plain")


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (ALLOWLIST, "allowlist"),
        (fixed(502, b"proxy to anp-proxy-server failed because EOF", "text/plain"), "tunnel"),
        (fixed(400, b"only support https", "text/plain"), "proxy_url"),
        (fixed(503, b"<h1>Application is not available</h1>", "text/html"), "no_endpoints"),
        (fixed(504, b"", "text/html"), "gateway"),
        (fixed(200, b"<html>log in</html>", "text/html"), "content_type"),
        (fixed(302, b"", "text/html", "Location: https://elsewhere.example/\r\n"), "redirect"),
    ],
)
async def test_what_a_proxy_says_lets_the_next_route_be_tried(
    service: Make, poller: MakePoller, behave: Any, reason: str
) -> None:
    async with FaultServer(behave) as first, FaultServer() as second, poller() as polled:
        (found,) = await polled.poll([over(service, first, second)])
    assert told(found) == ("url 2", Outcome.OK, [("url 1", reason)])
    assert found.votes


@pytest.mark.parametrize(
    ("behave", "reason"),
    [
        (fixed(404, b'{"error":"Model with name m does not exist."}'), "model_absent"),
        (fixed(500, b'{"error":"ValueError : kaboom"}'), "server_error"),
        (fixed(403, b"Forbidden (user=x, verb=get)", "text/plain"), "denied"),
        (fixed(200, b"{"), "syntax"),
    ],
)
async def test_answer_of_the_model_server_is_the_last_word(
    service: Make, poller: MakePoller, behave: Any, reason: str
) -> None:
    async with FaultServer(behave) as first, FaultServer() as second, poller() as polled:
        (found,) = await polled.poll([over(service, first, second)])
    assert (found.route, found.reason, found.tried) == ("url 1", reason, ())
    assert second.seen == []


async def test_route_that_answered_is_the_first_one_asked_next_time(service: Make, poller: MakePoller) -> None:
    async with FaultServer(ALLOWLIST) as first, FaultServer() as second, poller() as polled:
        rounds = [await polled.poll([over(service, first, second)]) for _ in range(3)]
    assert [found.route for (found,) in rounds] == ["url 2"] * 3
    assert len(first.seen) == 1


async def test_route_that_died_gives_way_in_the_same_round(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as first, poller() as polled:
        async with FaultServer() as second:
            routes = over(service, second, first)
            before = await polled.poll([routes])
        after = await polled.poll([routes])
    assert [found.route for (found,) in (before, after)] == ["url 1", "url 2"]
    assert after[0].tried[0].reason == "refused"


async def test_when_no_route_leads_anywhere_the_first_one_says_why(service: Make, poller: MakePoller) -> None:
    async with FaultServer(ALLOWLIST) as first, FaultServer(fixed(502, b"")) as second, poller() as polled:
        (found,) = await polled.poll([over(service, first, second)])
    assert told(found) == ("url 1", Outcome.FORBIDDEN, [("url 2", "bad_gateway")])


async def test_whole_list_fits_the_deadline_of_one_predictor(service: Make, poller: MakePoller) -> None:
    async with FaultServer(silent) as dead, FaultServer() as alive, poller(deadline=4.0) as polled:
        (found,) = await polled.poll([over(service, dead, alive)])
    assert (found.route, found.outcome) == ("url 2", Outcome.OK)
    assert [(one.route, one.outcome) for one in found.tried] == [("url 1", Outcome.TIMEOUT)]
    async with FaultServer(silent) as dead, poller(deadline=0.5) as polled:
        (lost,) = await polled.poll([over(service, dead, dead, dead)])
    assert (lost.route, lost.outcome) == ("url 1", Outcome.TIMEOUT)


async def test_one_route_has_the_whole_deadline_and_its_name(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server, poller() as polled:
        (found,) = await polled.poll([service(server.url)])
    assert (found.route, found.tried) == ("url", ())


async def test_host_that_nobody_knows_yet_lets_the_next_route_be_tried(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server, poller() as polled:
        (found,) = await polled.poll([over(service, AcmRoute(), ExposedRoute(), server)])
    assert told(found) == ("url", Outcome.OK, [("acm", "no_address"), ("route", "no_address")])
    assert "without access to the hub's API server" in found.tried[0].detail


def guarded(token: str) -> Callable[[Exchange], Any]:
    async def behave(exchange: Exchange) -> None:
        if exchange.headers.get("authorization") == f"Bearer {token}":
            await normal(exchange)
        else:
            await exchange.send(401, b"Unauthorized", "text/plain")

    return behave


def by_account(observe: Observe, rows: Path, hub: HubStub) -> Poller:
    return Poller(observe, rows, {}, clock=lambda: NOW, api=hub)


async def test_token_of_an_account_is_sent_and_read_again_when_it_is_refused(service: Make, rows: Path) -> None:
    hub = HubStub(secrets={("edge-a", "poller"): {"token": b"s3cret-1"}})
    async with FaultServer(guarded("s3cret-2")) as server, by_account(Observe(), rows, hub) as polled:
        await polled.poll([service(server.url, account="poller")], accounts(account()))
        hub.secrets["edge-a", "poller"]["token"] = b"s3cret-2"
        (found,) = await polled.poll([service(server.url, account="poller")], accounts(account()))
    assert found.outcome is Outcome.OK
    assert [exchange.headers["authorization"] for exchange in server.seen] == [
        f"Bearer s3cret-{one}" for one in (1, 1, 2)
    ]


async def test_forbidden_answer_reads_no_secret_again(service: Make, rows: Path) -> None:
    hub = HubStub(secrets={("edge-a", "poller"): {"token": b"s3cret-1"}})
    async with FaultServer(fixed(403, b"Forbidden s3cret-1")) as server, by_account(Observe(), rows, hub) as polled:
        (found,) = await polled.poll([service(server.url, account="poller")], accounts(account()))
    assert (found.reason, len(server.seen), len(hub.asked)) == ("denied", 1, 1)
    assert "s3cret" not in found.detail


async def test_exposed_host_is_verified_by_the_cas_that_came_with_the_token(service: Make, rows: Path) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost.localdomain", "127.0.0.1").configure_cert(context)
    ca = authority.cert_pem.bytes()
    hub = HubStub(secrets={("edge-a", "poller"): {"token": b"s3cret", "ca.crt": ca}})
    async with FaultServer(guarded("s3cret"), tls=context) as server, by_account(Observe(), rows, hub) as polled:
        host = work("edge-a", "routes", "anomaly-detector", host=f"127.0.0.1:{server.port}", admitted="True")
        snapshot = Snapshot(NOW, {**accounts(account()).objects, **works(host).objects})
        exposed = service(account="poller", route=ExposedRoute())
        (found,) = await polled.poll([exposed], snapshot)
        hub.secrets["edge-a", "poller"]["ca.crt"] = trustme.CA().cert_pem.bytes()
        rotated = Snapshot(NOW, {**accounts(account(at="t2")).objects, **works(host).objects})
        (distrusted,) = await polled.poll([exposed], rotated)
    assert (found.outcome, found.route) == (Outcome.OK, "route")
    assert (distrusted.outcome, distrusted.reason) == (Outcome.TLS, "unknown_ca")
