"""Rounds: the fleet is observed all the time, beside the passes; a pass takes what was seen since the one before.

They have a thread and an event loop of their own, since a pass keeps its loop busy for seconds: reading, rendering,
aggregating. Rounds begin at multiples of the interval of absolute time, so that a restart moves no predictor's place.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import structlog

from hubctl import looping
from hubctl.errors import HubctlError, Overrun
from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.snapshot import Snapshot
from hubctl.model.turn import Engine, Made, OpenEngine, Taken, Tally, Turn, merged
from hubctl.observe import breaker, capacity
from hubctl.observe.controls import Controls, Streaks
from hubctl.observe.poll import skipped
from hubctl.observe.reason import Reason

log = structlog.get_logger("hubctl")

_GENTLE = 50.0
"""Polls a second at which a small fleet is asked when hubctl starts, instead of waiting for the next round."""

_KEPT = 4
"""Rounds that are kept while no pass takes them, however large."""

_KEPT_SMALL = 5_000
"""Observations up to which more rounds are kept."""

_ENDING = 30.0
"""Seconds that closing waits; a question to the hub's API that is under way cannot be cancelled."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a round came to."""

    made: Made
    observations: tuple[Observation, ...]
    problems: tuple[HubctlError, ...] = ()


class _Basket:
    """What was seen and not taken yet; the rounds put in, the passes take out, each in a thread of its own.

    Rounds are taken whole and in their order, or a predictor that was asked a little earlier than another one would be
    found ill before what both have in common is, and an older answer folded after a newer one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._begun: deque[Turn] = deque()
        self._held: dict[int, _Ended] = {}
        self._ended: deque[_Ended] = deque()
        self._problem: HubctlError | None = None
        self._probes = Streaks()

    @property
    def under_way(self) -> int:
        """Rounds that have not been put in whole yet."""
        return len(self._begun)

    def begin(self, turn: Turn) -> None:
        """A round begins."""
        self._begun.append(turn)

    def end(self, turn: Turn, ended: _Ended) -> None:
        """It ended."""
        self._held[id(turn)] = ended
        while self._begun and id(self._begun[0]) in self._held:
            released = self._held.pop(id(self._begun.popleft()))
            with self._lock:
                # The store was away for long, say. The newest are the ones that count.
                self._ended.append(released)
                self._problem = None
                while len(self._ended) > max(_KEPT, _KEPT_SMALL // max(1, released.made.tally.due)):
                    self._ended.popleft()

    def probe(self, failed: Mapping[str, str]) -> None:
        """The control probes of a round ended."""
        with self._lock:
            self._probes.note(failed)

    def fail(self, problem: HubctlError) -> None:
        """There was no round at all; those that had begun come to nothing."""
        self._begun.clear()
        self._held.clear()
        with self._lock:
            self._problem = problem

    def take(self) -> Taken:
        """All of it."""
        with self._lock:
            ended, controls = tuple(self._ended), self._probes.lasting()
            problems = (self._problem,) if self._problem else ended[-1].problems if ended else ()
            self._ended.clear()
        seen = tuple(one for each in ended for one in each.observations)
        return Taken(seen, tuple(each.made for each in ended), problems, controls)


class Rounds:
    """Makes rounds from ``start`` until ``close``; all but what begins with ``_`` is for the passes' loop.

    Attributes:
        interval: seconds between the beginnings of two rounds.
        patience: seconds after which at the earliest a predictor that was not observed may be called stale.
        news: set whenever a round ended, until it is taken.
    """

    def __init__(
        self,
        open_engine: OpenEngine,
        observe: Observe,
        controls: Controls | None = None,
        *,
        bounded: bool = True,
        seed: int = 0,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        """Take what makes rounds, and how often; nothing is begun.

        Args:
            open_engine: opens the engine in the loop of the rounds.
            observe: how polling goes; its interval is that of the rounds.
            controls: what is probed with each round.
            bounded: whether what does not fit into one process is left out.
            seed: of the places.
            clock: the hub's time, aware and in UTC.
        """
        self._open, self._seed, self._clock = open_engine, seed, clock
        self._observe, self.interval = observe, observe.interval
        self._controls, self._bounded = controls, bounded
        # Who is left alone for failing is asked again before it would be called stale, or findings came and went.
        between = max(observe.interval, breaker.longest(observe))
        self.patience = 2 * observe.interval + observe.deadline + between
        self.news, self._own, self._last = asyncio.Event(), Streaks(), Tally()
        self._most = 2 + int(observe.deadline / observe.interval)
        self._basket = _Basket()
        self._aim: tuple[tuple[InferenceService, ...], Snapshot | None] | None = None
        self._aimed = asyncio.Event()
        self._ended = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._passes = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, "rounds")
        self._work: Future[None] | None = None

    def start(self) -> None:
        """Begin; nobody is asked before ``aim`` said who."""
        self._work = self._thread.submit(self._run)

    async def close(self) -> None:
        """End at once, whatever is under way."""
        self._ended.set()
        self._tell(self._cancel)
        if self._work is not None:
            ending = asyncio.wrap_future(self._work)
            await asyncio.wait([ending], timeout=_ENDING)
            if ending.done():
                ending.exception()  # a pass was told, if one asked
        self._thread.shutdown(wait=False)

    def aim(self, services: tuple[InferenceService, ...], snapshot: Snapshot | None) -> None:
        """Who is asked from the next round on, and the hub's own objects as they are now."""
        self._aim = services, snapshot
        self._tell(self._aimed.set)

    @property
    def aimed(self) -> bool:
        """Whether anybody has said who is asked."""
        return self._aim is not None

    def take(self, blind: Mapping[str, str] | None = None) -> Taken:
        """What was seen since the last time, and what is wrong with it.

        Args:
            blind: what the pass itself could not reach of what the hub needs, and why.
        """
        if self._work is not None and self._work.done():
            self._work.result()  # a mistake of ours is to be seen
        self.news.clear()
        self._own.note(blind or {})
        taken = self._basket.take()
        found = [capacity.complaint(made.tally, self._observe) for made in taken.rounds if made.over]
        slow = [Overrun(text, hint=capacity.HINT) for text in found[-1:] if text]
        controls = *taken.controls, *self._own.lasting(), *self._starved(taken.rounds)
        return replace(taken, problems=(*taken.problems, *slow), controls=controls)

    def _starved(self, rounds: Sequence[Made]) -> tuple[str, ...]:
        """Whether hubctl left out most of the last round itself, which is a control of its own."""
        last = rounds[-1].tally if rounds else self._last
        self._last = last
        return (
            ("most polls of the last round were left out for lack of time",)
            if capacity.blind(last, self._observe)
            else ()
        )

    def _tell(self, what: Callable[[], object]) -> None:
        """Let something happen in the loop of the rounds."""
        with contextlib.suppress(RuntimeError):  # it ended
            if self._loop is not None:
                self._loop.call_soon_threadsafe(what)

    def _cancel(self) -> None:
        if self._main is not None:
            self._main.cancel()

    def _run(self) -> None:
        """The thread of the rounds."""
        with asyncio.Runner(loop_factory=looping.factory()) as runner, contextlib.suppress(asyncio.CancelledError):
            runner.run(self._live())

    async def _live(self) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        if self._aim is not None:
            self._aimed.set()
        while not self._ended.is_set():
            try:
                async with self._open(None) as engine, asyncio.TaskGroup() as group:
                    await self._aimed.wait()
                    await self._go_on(engine, group)
            except HubctlError as error:
                log.warning("no rounds", error=str(error), hint=error.hint)
                self._basket.fail(error)
                await asyncio.sleep(self.interval)

    async def _go_on(self, engine: Engine, group: asyncio.TaskGroup) -> None:
        """Rounds for ever."""
        last, begins = 0, self._clock()
        first = len(self._turn(begins, 0.0).services) / _GENTLE
        if first < self.interval - begins.timestamp() % self.interval:
            self._begin(engine, group, self._turn(begins, first))
        while True:
            now = self._clock().timestamp()
            number = int(now // self.interval) + 1
            number += number == last
            await asyncio.sleep(number * self.interval - now)
            last = number
            self._begin(engine, group, self._turn(self._begun(number), self.interval))

    def _begin(self, engine: Engine, group: asyncio.TaskGroup, turn: Turn) -> None:
        full = self._basket.under_way >= self._most
        self._basket.begin(turn)
        if full:
            self._miss(turn)
        else:
            group.create_task(self._one(engine, turn))

    def _begun(self, number: int) -> datetime:
        """When the round of this number began; now, if the clock was put elsewhere meanwhile."""
        now, begins = self._clock(), datetime.fromtimestamp(number * self.interval, UTC)
        return begins if abs(now - begins) < timedelta(seconds=self.interval) else now

    def _turn(self, begins: datetime, seconds: float) -> Turn:
        services, snapshot = self._aim or ((), None)
        return Turn(services, begins, seconds, snapshot, self._seed)

    async def _one(self, engine: Engine, turn: Turn) -> None:
        """A round, and the control probes beside it."""
        probing = asyncio.create_task(self._probe(turn))
        try:
            fitting, left_out, overrun = self._fit(turn)
            began = self._now()
            try:
                gathered = await engine.round(fitting)
            except HubctlError as error:
                self._miss(turn, Reason.ENGINE, error)
            else:
                tally = merged((gathered.tally, *([_missed(left_out, Reason.CAPACITY)] if left_out else ())))
                none = tuple(skipped(service, turn.begins, Reason.CAPACITY) for service in left_out)
                made = Made(turn.begins, self._now() - began, turn.seconds, tally)
                self._end(turn, _Ended(made, (*gathered.observations, *none), (*overrun, *gathered.problems)))
            await probing
        finally:
            probing.cancel()

    def _end(self, turn: Turn, ended: _Ended) -> None:
        self._basket.end(turn, ended)
        with contextlib.suppress(RuntimeError):  # the passes' loop ended
            self._passes.call_soon_threadsafe(self.news.set)

    def _fit(self, turn: Turn) -> tuple[Turn, tuple[InferenceService, ...], tuple[HubctlError, ...]]:
        """The part of a turn that can be polled, who is left out, and why."""
        most = capacity.most(self._observe)
        if not self._bounded or len(turn.services) <= most:
            return turn, (), ()
        problem = Overrun(capacity.refusal(len(turn.services), self._observe), hint=capacity.HINT)
        return replace(turn, services=turn.services[:most]), turn.services[most:], (problem,)

    async def _probe(self, turn: Turn) -> None:
        if self._controls is not None:
            self._basket.probe(await self._controls.failing(turn.services, turn.snapshot))

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    def _miss(self, turn: Turn, reason: Reason = Reason.LATE, *problems: HubctlError) -> None:
        """A round that was not made, or lost."""
        none = tuple(skipped(service, turn.begins, reason) for service in turn.services)
        made = Made(turn.begins, 0.0, turn.seconds, _missed(turn.services, reason))
        self._end(turn, _Ended(made, none, problems))


def _missed(services: Sequence[InferenceService], reason: Reason) -> Tally:
    return Tally(len(services), {str(reason): len(services)})
