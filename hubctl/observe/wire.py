"""Wire: one connection to a host, and one exchange after another on it; opening one.

A protocol of our own on the loop's transports, because polling is what hubctl is for: on uvloop an exchange costs a
fifth of what a general client needs. It speaks HTTP/1.1 to the letter of ``exchange`` and knows nothing else: no
redirect, proxy, cookie, compression or HTTP/2.
"""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

from hubctl.observe.address import Origin
from hubctl.observe.answers import Answer
from hubctl.observe.http1 import Cut, NotHttp, Reader
from hubctl.observe.reason import Reason

_SEND, _ANSWER, _BODY = Reason.SEND, Reason.ANSWER, Reason.BODY
"""Looking up a member of an enumeration takes ten times as long as a name of the module."""


@dataclass(slots=True)
class Phase:
    """What an exchange is doing, while it goes on.

    Attributes:
        sent: whether some server has, or may have, what was sent.
    """

    now: Reason = Reason.CONNECT
    sent: bool = False


class Wire(asyncio.Protocol):
    """One connection; used for one exchange at a time.

    Attributes:
        since: the loop's time at which it was put aside.
    """

    __slots__ = ("_gone", "_paused", "_phase", "_reader", "_transport", "_waiter", "since")

    def __init__(self, gone: Callable[["Wire"], None]) -> None:
        """Take what is to be called once, when the connection is no more."""
        self._gone = gone
        self._reader = Reader()
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._phase = Phase()
        self._paused = False
        self.since = 0.0

    @property
    def fits(self) -> bool:
        """Whether another request may follow: nothing about the last exchange is in doubt."""
        way = self._transport
        return (
            way is not None
            and self._reader.keeps
            and not self._paused
            and not way.is_closing()
            and way.get_write_buffer_size() == 0
        )

    @property
    def is_open(self) -> bool:
        """Whether it is still there, as far as this side knows."""
        return self._transport is not None and not self._transport.is_closing()

    @property
    def heard(self) -> bool:
        """Whether a byte came in answer to the last request."""
        return self._reader.fed > 0

    def abort(self) -> None:
        """Close it at once."""
        if self._transport is not None:
            self._transport.abort()

    async def ask(self, request: bytes, limit: int, seconds: float, phase: Phase) -> Answer:
        """Send a request and read its answer; afterwards the connection is closed unless it ``fits``.

        Raises:
            TimeoutError: it was not complete in time.
            NotHttp: what came is no HTTP.
            OSError: the connection broke.
        """
        if self._transport is None:
            raise Cut("the connection was closed before anything was sent")
        loop = asyncio.get_running_loop()
        self._waiter, self._phase = loop.create_future(), phase
        alarm = loop.call_later(seconds, self._fail, TimeoutError())
        self._reader.begin(limit)
        phase.now, phase.sent = _SEND, True
        try:
            self._transport.write(request)
            if not self._paused:
                phase.now = _ANSWER
            return await self._waiter
        finally:
            alarm.cancel()
            self._waiter = None
            if not self.fits:
                self.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport; with TLS, first the one below it."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits, and whoever keeps it."""
        self._transport = None
        cut = Cut("the connection was closed before the answer was complete")
        cut.__cause__ = exc
        self._fail(cut)
        self._gone(self)

    def data_received(self, data: bytes) -> None:
        """Read on; bytes that nobody asked for end the connection."""
        waiter = self._waiter
        if waiter is None or waiter.done():
            self._reader.keeps = False
            self.abort()
            return
        try:
            answer = self._reader.feed(data)
        except NotHttp as error:
            self._fail(error)
            return
        if answer is not None:
            waiter.set_result(answer)
        elif self._reader.headed:
            self._phase.now = _BODY

    def eof_received(self) -> None:
        """Take the end of the connection for the end of an answer without a length."""
        if self._waiter is None or self._waiter.done():
            return
        try:
            self._waiter.set_result(self._reader.end())
        except Cut as error:
            self._fail(error)

    def pause_writing(self) -> None:
        """The other side takes nothing for now."""
        self._paused = True

    def resume_writing(self) -> None:
        """The other side took most of it."""
        self._paused = False
        if self._phase.now is _SEND:
            self._phase.now = _ANSWER

    def _fail(self, error: Exception) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)


async def connect(
    origin: Origin, trust: ssl.SSLContext | None, seconds: float, phase: Phase, gone: Callable[[Wire], None]
) -> Wire:
    """A new connection, verified; connecting and the handshake get half of the time each.

    Raises:
        TimeoutError: it took longer.
        OSError: name, network, host or certificate; ``ssl.SSLError`` is one.
    """
    loop, phase.now = asyncio.get_running_loop(), Reason.CONNECT
    end = loop.time() + seconds / 2
    async with asyncio.timeout(seconds / 2):
        places = await _places(origin)
    failures: list[Exception] = []
    for place, waiting in zip(places, range(len(places), 0, -1), strict=True):
        wire = Wire(gone)
        try:
            # A place that says nothing leaves time for the others behind it.
            async with asyncio.timeout((end - loop.time()) / waiting):
                below, _ = await loop.create_connection(partial(_same, wire), place, origin.port)
        except (OSError, TimeoutError) as error:
            failures.append(error)
            continue
        if trust is not None:
            await _secure(wire, below, trust, origin.host, seconds=seconds / 2, phase=phase)
        return wire
    # Of several failures, silence says least.
    told = [error for error in failures if not isinstance(error, TimeoutError)] or failures[:1]
    raise told[0] if len(told) == 1 else ExceptionGroup(f"no address of {origin.host} answers", told)


def _same(wire: Wire) -> Wire:
    return wire


async def _secure(
    wire: Wire, below: asyncio.Transport, trust: ssl.SSLContext, host: str, *, seconds: float, phase: Phase
) -> None:
    """Put TLS on a connection, which is closed when that fails."""
    phase.now, secured = Reason.HANDSHAKE, None
    try:
        async with asyncio.timeout(seconds):
            # The loop's own bound on handshakes must not be the shorter one: it raises another error.
            secured = await asyncio.get_running_loop().start_tls(
                below, wire, trust, server_hostname=host, ssl_handshake_timeout=2 * seconds + 1
            )
    finally:
        if secured is None:
            below.abort()
        else:
            wire.connection_made(secured)


async def _places(origin: Origin) -> list[str]:
    """The addresses of a host, in the system's order, each once."""
    try:
        return [str(ipaddress.ip_address(origin.host))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    # As bytes: of a str Python makes a name of its own first, and says of a wrong one that it cannot.
    found = await loop.getaddrinfo(origin.host.encode(), origin.port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))
