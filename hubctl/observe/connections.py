"""Connections: those that are kept between exchanges, by what they lead to and whom they trusted.

Not by spoke: behind ACM's cluster-proxy all spokes share one host, and may share its connections. Every step is O(1),
whatever the number of hosts; the one used last is used next, so that those a burst needed grow old and are closed.
"""

import asyncio
import ssl
from collections import OrderedDict
from collections.abc import Callable

from hubctl.observe import faults, limits, wire
from hubctl.observe.address import Origin
from hubctl.observe.answers import Answer
from hubctl.observe.http1 import Cut
from hubctl.observe.reason import Reason
from hubctl.observe.trust import Trust
from hubctl.observe.wire import Phase, Wire

Place = tuple[Origin, Trust | None]
"""What a connection leads to, and whose word was taken for it; None in clear."""

_TURNS = 5
"""Of the loop, in which closed connections say goodbye."""


class Connections:
    """The connections of one process.

    Attributes:
        opened: how many were opened so far.
    """

    def __init__(self, keep: float, most: Callable[[], int] = limits.most_idle) -> None:
        """Take for how many seconds an idle one is kept, and how many of them; nothing is opened yet."""
        self.opened = 0
        self._keep = keep
        self._bound = most
        self._most = most()
        self._open: dict[Wire, Place] = {}
        self._idle: OrderedDict[Wire, Place] = OrderedDict()
        self._stacks: dict[Place, dict[Wire, None]] = {}
        self._broom: asyncio.TimerHandle | None = None

    async def ask(self, place: Place, request: bytes, *, limit: int, seconds: float, phase: Phase) -> Answer:
        """Send a request over a kept connection, or a new one, and read the answer.

        Raises:
            TimeoutError: it was not complete in time.
            NotHttp: what came is no HTTP.
            OSError: connecting failed, or the connection broke.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        if (kept := self._take(place)) is not None:
            try:
                return await self._over(kept, request, limit, seconds, phase)
            except Cut:
                # A kept connection that the server was closing just then says nothing about the predictor: once more.
                if kept.heard:
                    raise
        async with asyncio.timeout_at(end):
            made = await self._connect(place, end - loop.time(), phase)
        return await self._over(made, request, limit, end - loop.time(), phase)

    async def close(self) -> None:
        """Close all of them, those in use too."""
        if self._broom is not None:
            self._broom.cancel()
            self._broom = None
        for one in tuple(self._open):
            one.abort()
        for _ in range(_TURNS):
            if not self._open:
                break
            await asyncio.sleep(0)

    async def _connect(self, place: Place, seconds: float, phase: Phase) -> Wire:
        origin, trust = place
        self.opened += 1
        self._most = self._bound()
        try:
            made = await wire.connect(origin, trust.context if trust else None, seconds, phase, self._forget)
        except ssl.SSLCertVerificationError as error:
            if trust is None or trust.beyond is None or faults.explain(error).reason is not Reason.UNKNOWN_CA:
                raise
            made = await wire.connect(origin, trust.beyond, seconds, phase, self._forget)
        if made.is_open:
            self._open[made] = place
        return made

    async def _over(self, one: Wire, request: bytes, limit: int, seconds: float, phase: Phase) -> Answer:
        try:
            return await one.ask(request, limit, seconds, phase)
        finally:
            if one.is_open:
                self._put(one)

    def _take(self, place: Place) -> Wire | None:
        """The one of this place that was used last."""
        while stack := self._stacks.get(place):
            one = next(reversed(stack))
            self._drop(one)
            if one.is_open:
                return one
        return None

    def _put(self, one: Wire) -> None:
        place, loop = self._open[one], asyncio.get_running_loop()
        one.since = loop.time()
        self._idle[one] = place
        self._stacks.setdefault(place, {})[one] = None
        if self._broom is None:
            self._broom = loop.call_later(self._keep, self._sweep)
        if len(self._idle) > self._most:
            oldest = next(iter(self._idle))
            self._drop(oldest)
            oldest.abort()

    def _sweep(self) -> None:
        """Close those that nobody used for too long, and come back when the next one will have been."""
        loop, self._broom = asyncio.get_running_loop(), None
        while self._idle:
            one = next(iter(self._idle))
            if (left := one.since + self._keep - loop.time()) > 0:
                self._broom = loop.call_later(left, self._sweep)
                break
            self._drop(one)
            one.abort()

    def _drop(self, one: Wire) -> None:
        if (place := self._idle.pop(one, None)) is not None:
            stack = self._stacks[place]
            stack.pop(one, None)
            if not stack:
                del self._stacks[place]

    def _forget(self, one: Wire) -> None:
        """Hear that one is closed."""
        self._drop(one)
        self._open.pop(one, None)
