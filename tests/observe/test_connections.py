"""Connections on real sockets: when one is used again, when it is closed, and that none is ever left behind."""

import asyncio
import contextlib
import os
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import cast

import pytest
import trustme

from hubctl.observe import faults
from hubctl.observe.address import Origin
from hubctl.observe.answers import Answer
from hubctl.observe.connections import Connections, Place
from hubctl.observe.http1 import Cut, NotHttp
from hubctl.observe.reason import Reason
from hubctl.observe.trust import Trust
from hubctl.observe.wire import Phase
from tests.observe.conftest import STOCK, UVLOOP
from tests.observe.faultserver import Behave, Exchange, FaultServer, fixed, normal

GET = b"GET /v1/models/m HTTP/1.1\r\nHost: h\r\n\r\n"


@pytest.fixture(params=[UVLOOP, STOCK], ids=["uvloop", "stock"])
def anyio_backend(request: pytest.FixtureRequest) -> tuple[str, dict[str, bool]]:
    backend: tuple[str, dict[str, bool]] = request.param
    return backend


@pytest.fixture
async def kept() -> AsyncIterator[Connections]:
    """Connections; afterwards as many files are open as before."""
    before = sockets()
    made = Connections(keep=60)
    yield made
    await made.close()
    await settled(before)


def sockets() -> int:
    found = 0
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - a Path cannot tell what a link to a socket says
        with contextlib.suppress(OSError):
            found += os.readlink(f"/proc/self/fd/{name}").startswith("socket:")  # noqa: PTH115 - as above
    return found


async def settled(expected: int) -> None:
    async with asyncio.timeout(5):
        while sockets() > expected:  # noqa: ASYNC110 - the kernel tells nobody
            await asyncio.sleep(0.01)


async def ask(kept: Connections, server: FaultServer, seconds: float = 5) -> Answer:
    return await kept.ask(place(server), GET, limit=65_536, seconds=seconds, phase=Phase())


def place(server: FaultServer, trust: Trust | None = None) -> Place:
    return Origin(trust is not None, "127.0.0.1", server.port), trust


async def silent(_: Exchange) -> None:
    await asyncio.sleep(60)


async def slow(exchange: Exchange) -> None:
    await asyncio.sleep(0.02)
    await normal(exchange)


async def test_connection_used_last_is_used_next_and_old_ones_are_closed() -> None:
    kept = Connections(keep=0.2)
    async with FaultServer(slow) as server:
        await asyncio.gather(*(ask(kept, server) for _ in range(5)))
        for _ in range(15):
            await ask(kept, server)
        assert (server.connections, kept.opened, len(kept._open)) == (5, 5, 1)
        await asyncio.sleep(0.5)
        assert (kept._open, kept._idle, kept._stacks) == ({}, {}, {})
    await kept.close()


async def test_idle_connections_are_bounded() -> None:
    kept = Connections(keep=60, most=lambda: 3)
    async with FaultServer(slow) as server:
        await asyncio.gather(*(ask(kept, server) for _ in range(5)))
        await asyncio.sleep(0.05)
        assert (server.connections, len(kept._open), len(kept._idle)) == (5, 3, 3)
        await kept.close()
    assert kept._open == {}


@pytest.mark.parametrize(
    "behave",
    [
        fixed(200, b"[]", extra="Connection: close\r\n"),
        fixed(200, b"[]", extra="Content-Encoding: gzip\r\n"),
        fixed(200, b" " * 70_000),
    ],
)
async def test_connection_in_doubt_is_not_used_again(kept: Connections, behave: Behave) -> None:
    async with FaultServer(behave) as server:
        for _ in range(2):
            await ask(kept, server)
    assert server.connections == 2


async def test_body_of_100_mb_is_left_at_its_bound(kept: Connections) -> None:
    sent = 0

    async def huge(exchange: Exchange) -> None:
        nonlocal sent
        exchange.writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n")
        for sent in range(0, 100_000_000, 100_000):  # noqa: B007 - counted for the test
            exchange.writer.write(b" " * 100_000)
            await exchange.writer.drain()

    async with FaultServer(huge) as server:
        answer = await ask(kept, server)
    assert answer.refused is not None
    assert (len(answer.body), answer.refused.reason) == (65_536, Reason.TOO_LARGE)
    assert sent < 20_000_000  # what the system's own buffers hold


async def test_bytes_that_nobody_asked_for_end_a_kept_connection(kept: Connections) -> None:
    async def chatty(exchange: Exchange) -> None:
        await normal(exchange)
        await asyncio.sleep(0.02)
        await exchange.send(200, b'"poison"')

    async with FaultServer(chatty) as server:
        first = await ask(kept, server)
        await asyncio.sleep(0.1)
        server.behave = normal
        second = await ask(kept, server)
    assert first.body == second.body
    assert server.connections == 2


async def test_answer_that_began_is_not_asked_for_again(kept: Connections) -> None:
    async def half(exchange: Exchange) -> None:
        exchange.writer.write(b"HTTP/1.1 200 OK\r\n")
        await exchange.writer.drain()
        await asyncio.sleep(0.02)
        exchange.writer.transport.abort()

    async with FaultServer() as server:
        await ask(kept, server)
        server.behave = half
        with pytest.raises(Cut):
            await ask(kept, server)
    assert len(server.seen) == 2


async def test_what_a_dead_connection_took_counts_as_sent(kept: Connections) -> None:
    async def hang_up(exchange: Exchange) -> None:
        exchange.writer.transport.abort()

    phase = Phase()
    async with FaultServer() as server:
        await ask(kept, server)
        server.behave = hang_up
        with pytest.raises(Cut):
            await kept.ask(place(server), GET, limit=1, seconds=5, phase=phase)
    assert (len(server.seen), phase.sent) == (3, True)


async def test_request_that_is_given_up_takes_its_connection_with_it(kept: Connections) -> None:
    async with FaultServer(silent) as server:
        with pytest.raises(TimeoutError):
            await ask(kept, server, seconds=0.05)
        task = asyncio.create_task(ask(kept, server))
        while len(server.seen) < 2:  # noqa: ASYNC110 - seen by the server
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.sleep(0.05)
        assert (server.connections, kept._open) == (2, {})


async def test_server_that_takes_nothing_times_out_while_sending(kept: Connections) -> None:
    async def deaf(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(1)
        writer.close()

    server, phase = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024), Phase()
    to = Origin(tls=False, host="127.0.0.1", port=server.sockets[0].getsockname()[1]), None
    with pytest.raises(TimeoutError):
        await kept.ask(to, GET + b" " * 30_000_000, limit=1, seconds=0.3, phase=phase)
    assert phase.now is Reason.SEND
    server.close()


async def test_answer_to_half_a_request_is_taken_and_the_connection_closed(kept: Connections) -> None:
    async def hasty(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n")
        await asyncio.sleep(0.3)
        writer.close()

    server = await asyncio.start_server(hasty, "127.0.0.1", 0, limit=1024)
    to = Origin(tls=False, host="127.0.0.1", port=server.sockets[0].getsockname()[1]), None
    answer = await kept.ask(to, GET + b" " * 30_000_000, limit=1, seconds=5, phase=Phase())
    assert (answer.status, kept._idle) == (413, {})
    server.close()


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


def trusting(authority: trustme.CA, beyond: trustme.CA | None = None) -> Trust:
    context = verifying(authority)
    return Trust("ca", (id(authority), 0), context, beyond=verifying(beyond) if beyond else None)


def verifying(authority: trustme.CA) -> ssl.SSLContext:
    made = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    assert len(made.get_ca_certs()) == 1
    return made


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(made)
    return made


async def test_connection_belongs_to_whom_it_trusted(kept: Connections, authority: trustme.CA) -> None:
    async with FaultServer(tls=serving(authority.issue_cert("127.0.0.1"))) as server:
        for _ in range(2):
            await kept.ask(place(server, trusting(authority)), GET, limit=99, seconds=5, phase=Phase())
        with pytest.raises(ssl.SSLCertVerificationError):
            await kept.ask(place(server, trusting(trustme.CA())), GET, limit=99, seconds=5, phase=Phase())
    assert (kept.opened, len(server.seen)) == (2, 2)


async def test_cas_beyond_the_spokes_own_are_tried_after_it(kept: Connections, authority: trustme.CA) -> None:
    own = trustme.CA()
    old = own.issue_cert("127.0.0.1", not_after=datetime(2021, 1, 1, tzinfo=UTC))
    for shown, expected in [
        (own.issue_cert("127.0.0.1"), 200),
        (authority.issue_cert("127.0.0.1"), 200),
        (authority.issue_cert("other.example"), Reason.HOSTNAME),
        (old, Reason.EXPIRED),
        (trustme.CA().issue_cert("127.0.0.1"), Reason.UNKNOWN_CA),
    ]:
        async with FaultServer(tls=serving(shown)) as server:
            assert await came_of(kept, place(server, trusting(own, authority))) == expected


async def came_of(kept: Connections, to: Place) -> int | str:
    try:
        return (await kept.ask(to, GET, limit=999, seconds=5, phase=Phase())).status
    except ssl.SSLCertVerificationError as error:
        return faults.explain(error).reason


async def test_handshake_that_hangs_leaves_nothing_behind(kept: Connections, authority: trustme.CA) -> None:
    trust, phase = trusting(authority), Phase()
    async with FaultServer() as server:
        before = sockets()
        with pytest.raises(TimeoutError):
            await kept.ask(place(server, trust), GET, limit=1, seconds=0.2, phase=phase)
        assert phase.now is Reason.HANDSHAKE
        task = asyncio.create_task(kept.ask(place(server, trust), GET, limit=1, seconds=5, phase=Phase()))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await settled(before)


async def test_host_is_reached_at_whichever_address_answers(kept: Connections) -> None:
    async with FaultServer() as server:
        to = Origin(tls=False, host="localhost", port=server.port), None
        assert (await kept.ask(to, GET, limit=999, seconds=5, phase=Phase())).status == 200
    with pytest.raises((OSError, ExceptionGroup)):
        await kept.ask(to, GET, limit=999, seconds=5, phase=Phase())


class Fickle(asyncio.Protocol):
    """Answers at once, most of the time."""

    asked = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, _: bytes) -> None:
        Fickle.asked += 1
        way = self.transport
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
        match Fickle.asked % 50:
            case 1:
                way.abort()
            case 2:
                way.write(answer[:20])
                way.close()
            case 3:
                way.write(b"no HTTP\r\n\r\n")
            case 4:
                way.write(answer)
                way.close()
            case 5:
                way.write(answer + b"more")
            case 6:
                way.write(answer.replace(b"2", b"9999999", 2))
            case _:
                way.write(answer)


@pytest.mark.parametrize("anyio_backend", [UVLOOP], ids=["uvloop"])
async def test_ten_thousand_polls_of_fickle_servers_leave_no_socket(kept: Connections) -> None:
    server = await asyncio.get_running_loop().create_server(Fickle, "127.0.0.1", 0)
    to = Origin(tls=False, host="127.0.0.1", port=server.sockets[0].getsockname()[1]), None
    before = sockets()

    async def worker(count: int) -> int:
        answered = 0
        for _ in range(count):
            with contextlib.suppress(TimeoutError, Cut, NotHttp, ConnectionError):
                answered += (await kept.ask(to, GET, limit=99, seconds=0.05, phase=Phase())).status == 200
        return answered

    answered = sum(await asyncio.gather(*(worker(2000) for _ in range(5))))
    assert answered > 9000
    assert sockets() <= before + 2 * 5 + 2
    await kept.close()
    assert (kept._open, kept._idle, kept._stacks) == ({}, {}, {})
    server.close()
    await server.wait_closed()
    await settled(before - 1)
