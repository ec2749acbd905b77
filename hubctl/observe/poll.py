"""The engine of this process: makes rounds over predictors, each asked once; whatever happens becomes an Observation.

Tasks exist only for polls under way, not for those that wait: when each is due, and who may begin, is decided in
``schedule``; how one is asked is in ``asking``.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from hubctl.model.apiserver import HubReader
from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.snapshot import Snapshot
from hubctl.model.turn import Gathered, Heard, Tally, Turn
from hubctl.observe import limits, schedule
from hubctl.observe.asking import Asking
from hubctl.observe.reason import Reason
from hubctl.observe.rows import Reader
from hubctl.observe.schedule import Bounds, Due


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, eq=False)
class _Round:
    """A round under way.

    Attributes:
        found: by position in the turn.
        over: set when every poll was made or given up.
    """

    turn: Turn
    group: asyncio.TaskGroup
    over: asyncio.Event = field(default_factory=asyncio.Event)
    found: dict[int, Observation] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)
    most: int = 0

    def take(self, due: Due, observation: Observation) -> None:
        """One more."""
        self.found[due.position] = observation
        if observation.outcome is Outcome.SKIPPED:
            self.skipped[observation.reason] = self.skipped.get(observation.reason, 0) + 1
        if len(self.found) == len(self.turn.services):
            self.over.set()


class Poller:
    """Asks predictors; use it as an async context manager and keep it over rounds."""

    def __init__(
        self,
        observe: Observe,
        folder: Path,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], datetime] = _utc_now,
        seen: Heard | None = None,
        api: HubReader | None = None,
        rows: Reader | None = None,
    ) -> None:
        """Take the settings; nothing is opened yet.

        Args:
            observe: ``hubctl.observe`` of the values.
            folder: the folder of the inputs, which relative paths start from.
            environ: holds the token's variable; feature commands get the rest of it.
            clock: tells the time for ``Observation.at``, aware and in UTC.
            seen: called with each observation as soon as it is made, for progress.
            api: the hub's own API, for routes and tokens that come from there.
            rows: where rows come from; None: from the sources that the models name.
        """
        self._clock = clock
        self._seen = seen
        self._asking = Asking(observe, folder, environ, clock, api=api, rows=rows)
        self._patience = schedule.patience(observe.interval, observe.late_after)
        self._told = 0, 0
        self._bounds = Bounds(observe.concurrency, observe.per_spoke)

    async def __aenter__(self) -> Self:
        limits.raise_open_files()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._asking.close()

    async def poll(
        self, services: Sequence[InferenceService], snapshot: Snapshot | None = None
    ) -> tuple[Observation, ...]:
        """Ask every predictor at once; the observations come in the order of the services.

        Args:
            services: the predictors.
            snapshot: the hub's own objects, where routes or tokens need them.
        """
        return (await self.round(Turn(tuple(services), self._clock(), snapshot=snapshot))).observations

    async def round(self, turn: Turn) -> Gathered:
        """Ask every predictor of the turn once, each in its place; cancelled, it ends at once."""
        loop = asyncio.get_running_loop()
        base = loop.time() + (turn.begins - self._clock()).total_seconds() if turn.seconds else loop.time()
        await self._asking.begin(turn)
        latest = self._patience if turn.seconds else float("inf")
        async with asyncio.TaskGroup() as group:
            made = _Round(turn, group)
            try:
                for after, positions in schedule.slots(turn.services, turn.seconds, turn.seed):
                    if turn.seconds:
                        await asyncio.sleep(base + after - loop.time())
                    self._offer(made, positions, base + after, base + after + latest)
                if turn.services:
                    await made.over.wait()
            finally:
                made.over.set()
        return Gathered(tuple(made.found[position] for position in range(len(turn.services))), self._tally(made))

    def _tally(self, made: _Round) -> Tally:
        # Of rounds that overlap the one that ends first counts what both opened; together they count it once.
        (retried, opened), self._told = self._told, (self._asking.retried, self._asking.opened)
        return Tally(
            due=len(made.turn.services),
            skipped=made.skipped,
            retried=self._told[0] - retried,
            opened=self._told[1] - opened,
            lags=tuple(made.lags),
            under_way=made.most,
            breakers=self._asking.left_alone,
        )

    def _offer(self, made: _Round, positions: Iterable[int], at: float, latest: float) -> None:
        """Polls of one slot, which is now."""
        loop = asyncio.get_running_loop()
        if loop.time() > latest:
            for position in positions:
                self._skip(Due(made.turn.services[position], position, at, latest, made), Reason.LATE)
            return
        for position in positions:
            self._bounds.offer(Due(made.turn.services[position], position, at, latest, made))
        self._begin()
        if latest != float("inf"):
            loop.call_at(latest, self._begin)

    def _begin(self) -> None:
        """Give up what waited too long, and begin what may begin."""
        loop = asyncio.get_running_loop()
        for due in self._bounds.late(loop.time()):
            self._skip(due, Reason.NO_SLOT)
        for due in self._bounds.ready():
            made = _round_of(due)
            if made.over.is_set():  # cancelled
                self._bounds.done(due.service.cluster)
                continue
            # A person who asks gets an answer.
            if made.turn.seconds and (reason := self._asking.refusal(due.service)):
                self._bounds.done(due.service.cluster)
                self._skip(due, reason)
                continue
            made.most = max(made.most, self._bounds.under_way)
            if made.turn.seconds:
                made.lags.append(max(0.0, loop.time() - due.at))
            task = made.group.create_task(self._asking.ask(due.service))
            task.add_done_callback(partial(self._ended, due))

    def _ended(self, due: Due, task: asyncio.Task[Observation]) -> None:
        self._bounds.done(due.service.cluster)
        if not task.cancelled() and task.exception() is None:
            self._take(due, task.result())
        self._begin()

    def _skip(self, due: Due, reason: Reason) -> None:
        self._take(due, skipped(due.service, self._clock(), reason))

    def _take(self, due: Due, observation: Observation) -> None:
        _round_of(due).take(due, observation)
        if self._seen is not None:
            self._seen(observation)


def skipped(service: InferenceService, now: datetime, reason: Reason, detail: str = "") -> Observation:
    """A poll that was not made."""
    return Observation(service.cluster, service.name, service.version, now, Outcome.SKIPPED, str(reason), detail)


def _round_of(due: Due) -> _Round:
    assert isinstance(due.round, _Round), "a poll belongs to a round"  # noqa: S101 - a mistake in this module
    return due.round
