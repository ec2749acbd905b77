"""The search for an open way to one predictor: route after route, until a model server answers or the time is over.

Apart from ``poll``, which bounds how many predictors are asked at once; here one is asked, over all of its routes, and
what is kept for its spoke between rounds: clients, one for each set of CAs, and which route answered last.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple

from hubctl.model import values
from hubctl.model.predictor import InferenceService, Outcome, Tried
from hubctl.model.route import Route
from hubctl.observe import exchange, order
from hubctl.observe.accounts import NoToken
from hubctl.observe.answers import Answer, Found
from hubctl.observe.breaker import Breakers
from hubctl.observe.connections import Connections
from hubctl.observe.exchange import Bounds, Question, Request, Requests
from hubctl.observe.http1 import NotHttp
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed
from hubctl.observe.trust import Bundles, NoTrust, Trust
from hubctl.observe.ways import Way, Ways
from hubctl.observe.wire import Phase


class Sought(NamedTuple):
    """What a search came to.

    Attributes:
        found: what the first model server said that some route leads to; if none does, what came of the first route.
        route: the one that ``found`` is about, by name; empty when there is none.
        tried: the others, in the order of the list.
        sent: whether some server has, or may have, the rows.
        seconds: from the first request until the end.
        retry_after: seconds that the last answer asked to be left alone; 0 for none.
    """

    found: Found
    route: str = ""
    tried: tuple[Tried, ...] = ()
    sent: bool = False
    seconds: float = 0.0
    retry_after: float = 0.0


@dataclass(slots=True)
class _Attempts:
    """What the attempts of one search have in common.

    Attributes:
        left: seconds of the deadline; making a trust, which blocks for reading CAs, takes none of it.
        began: seconds of the machine's clock at the first request, 0 before.
        sent: whether some server has, or may have, the rows.
        retry_after: seconds that the last answer asked to be left alone; 0 for none.
    """

    left: float
    began: float = 0.0
    sent: bool = False
    retry_after: float = 0.0

    def sought(self, found: Found, route: str, tried: tuple[Tried, ...] = ()) -> Sought:
        """What they came to."""
        seconds = time.monotonic() - self.began if self.began else 0.0
        return Sought(found, route, tried, self.sent, seconds, self.retry_after)


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
        self._order = order.Order(observe.probe_after, Breakers.of(observe))
        self._bundles = Bundles(folder)
        self._requests = Requests()
        self._connections = Connections(exchange.KEEP_ROUNDS * observe.interval + exchange.KEEP_SECONDS)

    @property
    def opened(self) -> int:
        """How many connections were opened so far."""
        return self._connections.opened

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    @property
    def shut(self) -> int:
        """How many routes are left out for now."""
        return self._order.shut(self._clock())

    async def find(self, question: Question, seconds: float | None = None) -> Sought:
        """Ask over one route after another.

        Args:
            question: what is asked.
            seconds: the deadline, where less is left than the values say.
        """
        service, routes = question.service, question.service.routes
        if not routes:
            return Sought(Found(Outcome.UNREACHABLE, Reason.NO_ROUTE, f"no route leads to {service.cluster}"))
        attempts = _Attempts(self._observe.deadline if seconds is None else seconds)
        if len(routes) == 1:  # most fleets; an order of one costs each poll a tenth of its time
            return attempts.sought(await self._over(routes[0], question, attempts, attempts.left), routes[0].type)
        places, known = self._order.of(service.cluster, routes, self._clock())
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
            self._order.failed(service.cluster, routes, place, self._clock())
            if attempts.left <= 0:
                break
        if answered is None:
            answered = min(missed)
            found = missed.pop(answered)
        names = order.names(routes)
        tried = tuple(Tried(names[at], one.outcome, one.reason, one.detail) for at, one in sorted(missed.items()))
        return attempts.sought(found, names[answered], tried)

    async def _over(self, route: Route, question: Question, attempts: _Attempts, seconds: float) -> Found:
        """What came of asking over one route."""
        phase = Phase(Reason.HUB_API if question.service.account else Reason.CONNECT)
        attempts.retry_after = 0.0
        try:
            answer = await self._answer(route, question, attempts, seconds, phase)
        except NoToken as error:
            return Found(Outcome.UNAUTHORIZED, error.reason, error.detail)
        except NoTrust as error:
            return Found(Outcome.TLS, error.reason, error.detail)
        except Malformed as error:
            return Found(Outcome.UNREACHABLE, error.reason, error.detail)
        except TimeoutError:
            return Found(Outcome.TIMEOUT, phase.now, f"no complete answer within {seconds:.3g} s")
        except (NotHttp, ExceptionGroup, UnicodeError, OSError) as error:
            return exchange.failed(error)
        finally:
            attempts.sent = attempts.sent or phase.sent
        if answer.retry_after:
            attempts.retry_after = exchange.pause(answer.retry_after, self._clock())
        return question.judge(answer)

    async def _answer(
        self, route: Route, question: Question, attempts: _Attempts, seconds: float, phase: Phase
    ) -> Answer:
        began = time.monotonic()
        try:
            way, token = await self._reach(route, question.service, seconds)
        finally:
            attempts.left -= (spent := time.monotonic() - began)
        request = self._requests.of(question, way.url)
        trust = self._bundles.trust(way.anchor)  # also in clear: who names a bundle that is not there means TLS
        began = time.monotonic()
        attempts.began = attempts.began or began
        try:
            return await self._exchange(
                (request, trust if request.origin.tls else None), question.service, token, seconds - spent, phase
            )
        finally:
            attempts.left -= time.monotonic() - began

    async def _reach(self, route: Route, service: InferenceService, seconds: float) -> tuple[Way, str]:
        if not service.account:
            return await self._ways.of(service, route), await self._ways.tokens.current(service)
        async with asyncio.timeout(seconds):  # the hub's API says it, and may take its time
            return await self._ways.of(service, route), await self._ways.tokens.current(service)

    async def _exchange(
        self, to: tuple[Request, Trust | None], service: InferenceService, token: str, seconds: float, phase: Phase
    ) -> Answer:
        end, limit = time.monotonic() + seconds, self._observe.max_body_bytes
        answer = await exchange.send(self._connections, *to, token, Bounds(limit, seconds), phase)
        if answer.status == HTTPStatus.UNAUTHORIZED and token:
            async with asyncio.timeout(end - time.monotonic()):
                fresh = await self._ways.tokens.reread(service, token)
            if fresh != token:
                left = Bounds(limit, end - time.monotonic())
                answer = await exchange.send(self._connections, *to, fresh, left, phase)
        return answer
