"""Asking one predictor: its rows, the search for a way, once more where that may help; and who is left alone for now.

Apart from ``poll``, which knows when each is due and how many may be under way.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from hubctl.model.apiserver import HubReader
from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService, Observation, Outcome, Window
from hubctl.model.turn import Turn
from hubctl.observe import budget, golden
from hubctl.observe.breaker import Breakers
from hubctl.observe.exchange import Question
from hubctl.observe.reason import Reason
from hubctl.observe.rows import Reader, of_sources
from hubctl.observe.search import Search, Sought
from hubctl.observe.spoken import Spoken
from hubctl.observe.ways import Ways

_FAILED = frozenset({Outcome.UNREACHABLE, Outcome.TIMEOUT, Outcome.OVERLOADED})
"""Outcomes that open a breaker; a refused token or a missing model is an answer, which costs nothing."""

_OWN = frozenset({Reason.NO_ROUTE, Reason.NO_ADDRESS, Reason.BAD_URL, Reason.HUB_LIMIT, Reason.HUB_API})
"""Reasons that are the hub's own; no predictor is left alone for them."""


class Asking:
    """Asks; keep it over rounds."""

    def __init__(
        self,
        observe: Observe,
        folder: Path,
        environ: Mapping[str, str],
        clock: Callable[[], datetime],
        *,
        api: HubReader | None,
        rows: Reader | None = None,
    ) -> None:
        """Take the settings; nothing is opened yet."""
        self._ways = Ways(observe, environ, folder, api)
        self._rows = rows or of_sources(observe, folder, environ, self._ways.tokens)
        self._search = Search(observe, folder, self._ways, clock)
        self._spoken = Spoken(self._search.find)
        self._deadline, self._clock = observe.deadline, clock
        self._breakers = Breakers.of(observe)
        self._budget = budget.Budget(observe.retries.share)
        self.retried = 0

    @property
    def opened(self) -> int:
        """How many connections were opened so far."""
        return self._search.opened

    @property
    def left_alone(self) -> int:
        """Of how many predictors and routes the breaker is open now."""
        return self._breakers.open(_now()) + self._search.shut

    async def close(self) -> None:
        """Close every connection."""
        await self._search.close()
        await self._rows.close()

    async def begin(self, turn: Turn) -> None:
        """Begin a round: what comes for all predictors at once is fetched."""
        await self._ways.begin(turn.services, turn.snapshot)
        await self._rows.begin(turn.services, self._clock())
        self._budget.due(len(turn.services))
        if turn.seconds:
            self._breakers.keep({_key(service) for service in turn.services})

    def refusal(self, service: InferenceService) -> Reason | None:
        """Why a predictor is left alone now; None when it is asked, which is then its breaker's trial."""
        key, now = _key(service), _now()
        if self._breakers.may(key, now):
            self._breakers.tried(key, now)
            return None
        return Reason.RETRY_AFTER if self._breakers.state(key).asked else Reason.BREAKER_OPEN

    async def ask(self, service: InferenceService) -> Observation:
        """What came of it."""
        rows = golden.fitted(service, await self._rows.of(service))
        sought = await self._sought(Question(service, rows))
        self._remember(service, sought)
        found = sought.found
        return Observation(
            cluster=service.cluster,
            model=service.name,
            version=service.version,
            at=self._clock(),
            outcome=found.outcome,
            reason=str(found.reason),
            detail=found.detail,
            window=rows.digest if isinstance(rows, Window) and sought.sent else "",
            instances=found.instances,
            anomalies=found.anomalies,
            latency_ms=sought.seconds * 1000,
            votes=found.instances > 0 and service.profile.votes,
            served_version=found.served_version,
            route=sought.route,
            tried=sought.tried,
        )

    async def _sought(self, question: Question) -> Sought:
        began = _now()
        sought = await self._spoken.find(question)
        if sought.found.reason not in budget.TRANSIENT or sought.retry_after:
            return sought
        pause = budget.pause(random.random())  # noqa: S311 - no secret
        left = self._deadline - (_now() - began) - pause
        if left < pause or not self._budget.take():
            return sought
        self.retried += 1
        await asyncio.sleep(pause)
        return await self._spoken.find(question, left)

    def _remember(self, service: InferenceService, sought: Sought) -> None:
        key, found = _key(service), sought.found
        fails = found.outcome in _FAILED or found.reason == Reason.UNAVAILABLE
        if not fails and not sought.retry_after:
            self._breakers.answered(key)
        elif found.reason not in _OWN:
            self._breakers.failed(key, _now())
            if sought.retry_after:
                self._breakers.left_alone(key, _now(), sought.retry_after)


def _key(service: InferenceService) -> tuple[str, str, str]:
    return service.cluster, service.namespace, service.name


def _now() -> float:
    return asyncio.get_running_loop().time()
