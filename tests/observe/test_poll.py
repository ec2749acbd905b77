import asyncio
import gzip
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.values import Features, ModelProfile
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from tests.observe.conftest import NOW, STOCK, UVLOOP
from tests.observe.faultserver import Behave, Exchange, FaultServer, fixed

Make = Callable[..., InferenceService]
MakePoller = Callable[..., Poller]


async def one(poller: Poller, service: InferenceService) -> Observation:
    async with poller:
        (found,) = await poller.poll([service])
    return found


async def silent(_: Exchange) -> None:
    await asyncio.sleep(60)


async def drip(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        exchange.writer.write(b" ")
        await exchange.writer.drain()
        await asyncio.sleep(0.05)


async def endless(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    while True:
        exchange.writer.write(b" " * 65536)
        await exchange.writer.drain()


async def chunked(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    for part in (b"7\r\n[1, -1]\r\n", b"0\r\nTrailer: x\r\n", b"\r\n"):
        exchange.writer.write(part)
        await exchange.writer.drain()


async def until_the_end(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n[1, -1]")
    exchange.writer.close()


async def reset_mid_body(exchange: Exchange) -> None:
    exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
    await exchange.writer.drain()
    exchange.writer.transport.abort()


async def reset(exchange: Exchange) -> None:
    exchange.writer.transport.abort()


async def no_http(exchange: Exchange) -> None:
    exchange.writer.write(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")
    await exchange.writer.drain()


async def test_normal_answer_is_a_vote(service: Make, poller: MakePoller) -> None:
    body = b'{"predictions": [-1, 1], "model_name": "anomaly-detector", "model_version": "v7"}'
    async with FaultServer(fixed(200, body)) as server:
        found = await one(poller(), service(server.url))
    assert (found.outcome, found.reason, found.votes) == (Outcome.OK, "", True)
    assert (found.instances, found.anomalies, found.served_version) == (2, 1, "v7")
    assert (found.at, len(found.window)) == (NOW, 32)
    assert 0 < found.latency_ms < 2000


async def test_request_is_what_kserve_reads(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server:
        await one(poller(), service(server.url))
    (request,) = server.seen
    assert request.line == "POST /v1/models/anomaly-detector:predict HTTP/1.1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "identity"
    assert request.body == b'{"instances":[[0.1,0.2],[0.3,0.4]]}'


async def test_forecast_is_recorded_and_never_votes(service: Make, poller: MakePoller) -> None:
    profile = ModelProfile(output="forecast", features=Features(file="rows.json"))
    async with FaultServer(fixed(200, b'{"predictions": [[1.5, 2], [3, 4]]}')) as server:
        found = await one(poller(), service(server.url, profile=profile))
    assert (found.outcome, found.instances, found.anomalies, found.votes) == (Outcome.OK, 2, 0, False)


@pytest.mark.parametrize(
    ("behave", "outcome", "reason"),
    [
        (silent, Outcome.TIMEOUT, Reason.ANSWER),
        (drip, Outcome.TIMEOUT, Reason.BODY),
        (endless, Outcome.MALFORMED, Reason.TOO_LARGE),
        (chunked, Outcome.OK, ""),
        (until_the_end, Outcome.OK, ""),
        (fixed(200, b"[1, -1]", extra="Content-Length: 8\r\n"), Outcome.MALFORMED, Reason.PROTOCOL),
        (reset_mid_body, Outcome.UNREACHABLE, Reason.RESET),
        (reset, Outcome.UNREACHABLE, Reason.RESET),
        (no_http, Outcome.MALFORMED, Reason.PROTOCOL),
        (fixed(200, b"<html>log in</html>", "text/html"), Outcome.MALFORMED, Reason.CONTENT_TYPE),
        (fixed(302, b"", extra="Location: /login\r\n"), Outcome.MALFORMED, Reason.REDIRECT),
        (fixed(401, b""), Outcome.UNAUTHORIZED, Reason.TOKEN_REFUSED),
        (fixed(403, b""), Outcome.FORBIDDEN, Reason.DENIED),
        (fixed(404, b'{"detail":"Not Found"}'), Outcome.NOT_FOUND, Reason.PATH_NOT_FOUND),
        (fixed(429, b"", extra="Retry-After: 3600\r\n"), Outcome.OVERLOADED, Reason.OVERLOADED),
        (fixed(500, b'{"error":"kaboom"}'), Outcome.UNREACHABLE, Reason.SERVER_ERROR),
        (fixed(502, b""), Outcome.UNREACHABLE, Reason.BAD_GATEWAY),
        (fixed(503, b""), Outcome.NOT_READY, Reason.UNAVAILABLE),
        (fixed(504, b""), Outcome.TIMEOUT, Reason.GATEWAY),
        (fixed(200, b'{"predictions": [1]}'), Outcome.MALFORMED, Reason.COUNT),
        (fixed(200, b'{"predictions": [1, NaN]}'), Outcome.MALFORMED, Reason.NOT_FINITE),
        (fixed(200, b'{"predictions": [1, null]}'), Outcome.MALFORMED, Reason.LABEL_NULL),
        (fixed(200, b'{"predictions": [1, 0]}'), Outcome.MALFORMED, Reason.LABEL_ZERO),
        (fixed(200, b'{"predictions": [1], "predictions": [1]}'), Outcome.MALFORMED, Reason.DUPLICATE_KEY),
        (fixed(200, b"[1, -1]"), Outcome.OK, ""),
    ],
)
async def test_every_misbehaviour_is_an_outcome(
    service: Make, poller: MakePoller, behave: Behave, outcome: Outcome, reason: str
) -> None:
    async with FaultServer(behave) as server:
        found = await one(poller(deadline=0.6, max_body_bytes=65536), service(server.url))
    assert (found.outcome, found.reason) == (outcome, reason)
    assert found.votes is (outcome is Outcome.OK)
    assert found.latency_ms < 1500


@pytest.mark.parametrize("anyio_backend", [STOCK], ids=["stock"])
@pytest.mark.parametrize(
    ("behave", "outcome", "reason"),
    [
        (silent, Outcome.TIMEOUT, Reason.ANSWER),
        (endless, Outcome.MALFORMED, Reason.TOO_LARGE),
        (until_the_end, Outcome.OK, ""),
        (reset_mid_body, Outcome.UNREACHABLE, Reason.RESET),
        (reset, Outcome.UNREACHABLE, Reason.RESET),
        (no_http, Outcome.MALFORMED, Reason.PROTOCOL),
    ],
)
async def test_misbehaviour_is_the_same_on_the_standard_loop(
    service: Make, poller: MakePoller, behave: Behave, outcome: Outcome, reason: str
) -> None:
    async with FaultServer(behave) as server:
        found = await one(poller(deadline=0.6, max_body_bytes=65536), service(server.url))
    assert (found.outcome, found.reason) == (outcome, reason)


async def test_gzip_bomb_is_not_unfolded(service: Make, poller: MakePoller) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    async with FaultServer(fixed(200, bomb, extra="Content-Encoding: gzip\r\n")) as server:
        found = await one(poller(), service(server.url))
    assert (found.outcome, found.reason) == (Outcome.MALFORMED, Reason.CONTENT_ENCODING)


@pytest.mark.parametrize("anyio_backend", [UVLOOP, STOCK], ids=["uvloop", "stock"])
async def test_refused_connection_is_unreachable(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server:
        url = server.url
    found = await one(poller(), service(url))
    assert (found.outcome, found.reason) == (Outcome.UNREACHABLE, Reason.REFUSED)
    assert found.window == ""


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://no-such-host.invalid", Reason.DNS),
        (f"http://{'a' * 64}.example", Reason.DNS),
        ("http://127.0.0.1:99999", Reason.BAD_URL),
        ("http://127.0.0.1:0", Reason.BAD_URL),
        ("http://[::1", Reason.BAD_URL),
    ],
)
@pytest.mark.parametrize("anyio_backend", [UVLOOP, STOCK], ids=["uvloop", "stock"])
async def test_host_that_cannot_be_is_unreachable(service: Make, poller: MakePoller, url: str, reason: str) -> None:
    found = await one(poller(deadline=10.0), service(url))
    assert (found.outcome, found.reason) == (Outcome.UNREACHABLE, reason)


async def test_service_without_route_is_unreachable(service: Make, poller: MakePoller) -> None:
    found = await one(poller(), service("http://h", route=None))
    assert (found.outcome, found.reason) == (Outcome.UNREACHABLE, Reason.NO_ROUTE)


async def test_without_rows_the_models_presence_is_still_proven(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server:
        found = await one(poller(), service(server.url, profile=ModelProfile()))
    assert server.seen[0].line == "GET /v1/models/anomaly-detector HTTP/1.1"
    assert (found.outcome, found.reason) == (Outcome.OK, Reason.NO_FEATURES)
    assert (found.votes, found.instances, found.window) == (False, 0, "")


@pytest.mark.parametrize(
    ("behave", "outcome", "reason"),
    [
        (fixed(404, b'{"error":"Model with name m does not exist."}'), Outcome.NOT_FOUND, Reason.MODEL_ABSENT),
        (fixed(200, b'{"name":"anomaly-detector","ready":false}'), Outcome.NOT_READY, Reason.MODEL_NOT_READY),
        (fixed(200, b'{"name":"other","ready":true}'), Outcome.MALFORMED, Reason.MODEL_NAME),
    ],
)
async def test_without_rows_other_outcomes_are_as_found(
    service: Make, poller: MakePoller, behave: Behave, outcome: Outcome, reason: str
) -> None:
    async with FaultServer(behave) as server:
        found = await one(poller(), service(server.url, profile=ModelProfile()))
    assert (found.outcome, found.reason, found.votes) == (outcome, reason, False)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda body: b"HTTP/1.1 200 OK\r\n" + body + b"\r\n\r\n"))
def test_any_bytes_for_an_answer_are_an_outcome(service: Make, poller: MakePoller, answer: bytes) -> None:
    async def babble(exchange: Exchange) -> None:
        exchange.writer.write(answer)
        exchange.writer.close()

    async def poll() -> Observation:
        async with FaultServer(babble) as server:
            return await one(poller(), service(server.url))

    found = asyncio.run(poll())
    assert found.outcome in (Outcome.MALFORMED, Outcome.UNREACHABLE)
    assert found.detail.isprintable()
