"""The search for an open way to one predictor: route after route, until a model server answers or the time is over.

Apart from ``poll``, which bounds how many predictors are asked at once; here one is asked, over all of its routes, and
what is kept for its spoke between rounds: clients, one for each set of CAs, and which route answered last.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from hubctl.model import values
from hubctl.model.predictor import InferenceService, Outcome, Tried
from hubctl.model.route import Route
from hubctl.observe import exchange, order
from hubctl.observe.accounts import NoToken
from hubctl.observe.answers import Answer, Found
from hubctl.observe.exchange import Phase, Question
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed
from hubctl.observe.trust import Anchor, Bundles, NoTrust, Trust
from hubctl.observe.ways import Ways


@dataclass(frozen=True, slots=True)
class Sought:
    """What a search came to.

    Attributes:
        found: what the first model server said that some route leads to; if none does, what came of the first route.
        route: the one that ``found`` is about, by name; empty when there is none.
        tried: the others, in the order of the list.
        sent: whether some server has, or may have, the rows.
        seconds: from the first request until the end.
    """

    found: Found
    route: str = ""
    tried: tuple[Tried, ...] = ()
    sent: bool = False
    seconds: float = 0.0


@dataclass(slots=True)
class _Attempts:
    """What the attempts of one search have in common.

    Attributes:
        left: seconds of the deadline; making a client, which blocks for reading CAs, takes none of it.
        began: the loop's time of the first request, 0 before.
        sent: whether some server has, or may have, the rows.
    """

    left: float
    began: float = 0.0
    sent: bool = False

    @asynccontextmanager
    async def within(self, seconds: float) -> AsyncIterator[None]:
        """Take what is done from the deadline, and end it after so many seconds with a TimeoutError."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(seconds):
                yield
        finally:
            self.left -= loop.time() - began


@dataclass(slots=True)
class _Spoke:
    """What is held for one spoke between rounds; ``used`` are the sets of CAs of the last round."""

    clients: dict[Anchor, tuple[Trust, httpx.AsyncClient]] = field(default_factory=dict)
    used: set[Anchor] = field(default_factory=set)


class Search:
    """Searches; keep it over rounds."""

    def __init__(self, observe: values.Observe, folder: Path, ways: Ways, clock: Callable[[], datetime]) -> None:
        """Take the settings; nothing is opened yet.

        Args:
            observe: ``hubctl.observe`` of the values.
            folder: which relative paths start from.
            ways: finds what a route leads to.
            clock: tells the time, which says when the first route is tried again.
        """
        self._observe = observe
        self._ways = ways
        self._clock = clock
        self._order = order.Order(observe.probe_after)
        self._bundles = Bundles(folder)
        self._spokes: dict[str, _Spoke] = {}

    async def close(self) -> None:
        """Close every connection."""
        for spoke in self._spokes.values():
            for _, client in spoke.clients.values():
                await client.aclose()
        self._spokes.clear()

    async def renew(self, cluster: str) -> None:
        """Close the clients of a spoke whose CAs have changed, or that the last round did not use.

        Between rounds, when nothing of this spoke is under way: closing a client ends its requests.
        """
        spoke = self._spokes.setdefault(cluster, _Spoke())
        for anchor, (trust, client) in tuple(spoke.clients.items()):
            try:
                fresh = self._bundles.trust(anchor)
            except NoTrust:
                fresh = None
            if fresh != trust or anchor not in spoke.used:
                del spoke.clients[anchor]
                await client.aclose()
        spoke.used.clear()

    async def find(self, question: Question) -> Sought:
        """Ask over one route after another."""
        service, routes = question.service, question.service.routes
        if not routes:
            return Sought(Found(Outcome.UNREACHABLE, Reason.NO_ROUTE, f"no route leads to {service.cluster}"))
        places, known = self._order.of(service.cluster, routes, self._clock())
        loop, attempts = asyncio.get_running_loop(), _Attempts(self._observe.deadline)
        missed: dict[int, Found] = {}
        answered: int | None = None
        for turn, place in enumerate(places):
            # One that answered last gets all of the time, so that a slow model is not cut off for its having others.
            waiting = 0 if known and turn == 0 else len(places) - turn - 1
            found = await self._over(routes[place], question, attempts, order.share(attempts.left, waiting))
            if found.reason not in order.ON_THE_WAY:
                answered = place
                self._order.answered(service.cluster, routes, place, self._clock())
                break
            missed[place] = found
            self._order.failed(service.cluster, routes, place)
            if attempts.left <= 0:
                break
        if answered is None:
            answered = min(missed)
            found = missed.pop(answered)
        names = order.names(routes)
        tried = tuple(Tried(names[at], one.outcome, one.reason, one.detail) for at, one in sorted(missed.items()))
        seconds = loop.time() - attempts.began if attempts.began else 0.0
        return Sought(found, names[answered], tried, attempts.sent, seconds)

    async def _over(self, route: Route, question: Question, attempts: _Attempts, seconds: float) -> Found:
        """What came of asking over one route."""
        phase = Phase(Reason.HUB_API if question.service.account else Reason.CONNECT)
        end = attempts.left - seconds
        try:
            async with attempts.within(seconds):
                way = await self._ways.of(question.service, route)
            client = self._client(way.anchor, question.service.cluster)
            request = question.request(client, way.url, phase, attempts.left - end)
            attempts.began = attempts.began or asyncio.get_running_loop().time()
            async with attempts.within(attempts.left - end):
                answer = await self._exchange(client, request, question.service)
        except NoToken as error:
            return Found(Outcome.UNAUTHORIZED, error.reason, error.detail)
        except NoTrust as error:
            return Found(Outcome.TLS, error.reason, error.detail)
        except Malformed as error:
            return Found(Outcome.UNREACHABLE, error.reason, error.detail)
        except (TimeoutError, httpx.TimeoutException):
            return Found(Outcome.TIMEOUT, phase.now, f"no complete answer within {seconds:.3g} s")
        except (httpx.InvalidURL, httpx.HTTPError, httpx.StreamError, UnicodeError, OSError) as error:
            return exchange.failed(error)
        finally:
            attempts.sent = attempts.sent or phase.now in exchange.SENT
        return question.judge(answer)

    async def _exchange(self, client: httpx.AsyncClient, request: httpx.Request, service: InferenceService) -> Answer:
        limit = self._observe.max_body_bytes
        token = await self._ways.tokens.current(service)
        answer = await exchange.send(client, request, token, limit)
        if answer.status == httpx.codes.UNAUTHORIZED and token:
            fresh = await self._ways.tokens.reread(service, token)
            if fresh != token:
                answer = await exchange.send(client, request, fresh, limit)
        return answer

    def _client(self, anchor: Anchor, cluster: str) -> httpx.AsyncClient:
        spoke = self._spokes[cluster]
        spoke.used.add(anchor)
        if anchor not in spoke.clients:
            trust = self._bundles.trust(anchor)
            spoke.clients[anchor] = trust, exchange.new_client(self._observe, trust)
        return spoke.clients[anchor][1]
