"""The engine of this process: makes rounds over predictors, each asked once; whatever happens becomes an Observation.

A predictor with several routes is asked over one after another until a model server answers; all of it fits one
deadline over connecting, writing and reading. Tasks exist only for polls under way, not for those that wait: when each
is due, and who may begin, is decided in ``schedule``.
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
from hubctl.model.predictor import InferenceService, Observation, Outcome, Window
from hubctl.model.snapshot import Snapshot
from hubctl.model.turn import Gathered, Heard, Tally, Turn
from hubctl.observe import limits, schedule
from hubctl.observe.exchange import Question
from hubctl.observe.reason import Reason
from hubctl.observe.rows import Reader, Rows
from hubctl.observe.schedule import Bounds, Due
from hubctl.observe.search import Search
from hubctl.observe.ways import Ways


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True, eq=False)
class _Round:
    """A round under way.

    Attributes:
        found: by position in the turn.
        over: set when every poll was made or given up.
        renewed: spokes whose clients were looked through in this round.
    """

    turn: Turn
    group: asyncio.TaskGroup
    over: asyncio.Event = field(default_factory=asyncio.Event)
    found: dict[int, Observation] = field(default_factory=dict)
    skipped: dict[str, int] = field(default_factory=dict)
    lags: list[float] = field(default_factory=list)
    renewed: set[str] = field(default_factory=set)
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
        self._observe = observe
        # A feature command is somebody else's program: the predictors' token is none of its business.
        apart = {name: value for name, value in environ.items() if name != observe.token_env}
        self._rows = rows or Rows(folder, apart)
        self._clock = clock
        self._seen = seen
        self._ways = Ways(observe, environ, folder, api)
        self._search = Search(observe, folder, self._ways, clock)
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
        await self._search.close()

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
        await self._ways.begin(turn.services, turn.snapshot)
        await self._rows.begin(turn.services, self._clock())
        late = schedule.patience(self._observe.interval, self._observe.late_after)
        latest = late if turn.seconds else float("inf")
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
        tally = Tally(
            len(turn.services),
            made.skipped,
            lags=tuple(made.lags),
            under_way=made.most,
        )
        return Gathered(tuple(made.found[position] for position in range(len(turn.services))), tally)

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
            made.most = max(made.most, self._bounds.under_way)
            if made.turn.seconds:
                made.lags.append(max(0.0, loop.time() - due.at))
            task = made.group.create_task(self._ask(due, renews=self._is_first(made, due.service.cluster)))
            task.add_done_callback(partial(self._ended, due))

    def _is_first(self, made: _Round, cluster: str) -> bool:
        """Whether this poll, which has its slot, is the one in the round before which a spoke's clients are renewed."""
        if cluster in made.renewed or self._bounds.busy(cluster) > 1:
            return False
        made.renewed.add(cluster)
        return True

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

    async def _ask(self, due: Due, *, renews: bool) -> Observation:
        service = due.service
        if renews:
            await self._search.renew(service.cluster)
        rows = await self._rows.of(service)
        sought = await self._search.find(Question(service, rows))
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
            votes=found.instances > 0 and service.profile.output == "labels",
            served_version=found.served_version,
            route=sought.route,
            tried=sought.tried,
        )


def skipped(service: InferenceService, now: datetime, reason: Reason, detail: str = "") -> Observation:
    """A poll that was not made."""
    return Observation(service.cluster, service.name, service.version, now, Outcome.SKIPPED, str(reason), detail)


def _round_of(due: Due) -> _Round:
    assert isinstance(due.round, _Round), "a poll belongs to a round"  # noqa: S101 - a mistake in this module
    return due.round
