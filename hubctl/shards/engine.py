"""Sharded: the Engine whose rounds are polled by the workers of a Dask cluster.

The leader reads the rows, once for all spokes, and gives each worker its shards as one job. Whoever does not answer in
time costs this round: its predictors are skipped, which says nothing about them, and the next round goes to the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from uuid import uuid4

import structlog

from hubctl.errors import HubctlError, RemoteFailed
from hubctl.model.packed import unpack
from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.snapshot import Snapshot
from hubctl.model.turn import Gathered, Heard, Tally, Turn, merged
from hubctl.model.values import Observe
from hubctl.observe import strict
from hubctl.observe.poll import skipped
from hubctl.observe.reason import Reason
from hubctl.observe.rows import Reader
from hubctl.shards import address, assign, parcel
from hubctl.shards.cluster import Cluster, Lost

log = structlog.get_logger("hubctl")

_READING = 32
"""Rows read at once, where each predictor has a file or command of its own."""


@dataclass(frozen=True, slots=True)
class _Part:
    """One worker's share of a turn.

    Attributes:
        at: its address.
        places: of its predictors in the turn, in the job's order.
    """

    worker: str
    at: str
    places: tuple[int, ...]
    job: parcel.Job
    blobs: Mapping[str, bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Brought:
    """What came of a part; ``why`` it brought nothing, empty when it did."""

    observations: tuple[Observation, ...] = ()
    tally: Tally = field(default_factory=Tally)
    why: str = ""


class Sharded:
    """Polls on workers; keep it over rounds."""

    def __init__(
        self,
        where: address.Address,
        cluster: Cluster,
        observe: Observe,
        rows: Reader,
        *,
        shards: int,
        begin: Callable[[Snapshot | None], None] = lambda _: None,
    ) -> None:
        """Take the settings; nothing is opened yet.

        Args:
            where: the scheduler.
            cluster: the way there.
            observe: ``hubctl.observe`` of the values; the workers go by it.
            rows: reads rows here.
            shards: into how many parts the spokes are hashed.
            begin: called with the hub's own objects before rows are read, which may take tokens from there.

        Raises:
            InputError: the predictors want a token, and anybody can speak to the scheduler.
        """
        address.refuse_tokens(where, observe)
        self._where, self._cluster, self._observe, self._rows, self._shards = where, cluster, observe, rows, shards
        self._leader, self._begin = uuid4().hex, begin
        self._setup = parcel.setup_blob(observe)
        self._held: dict[str, frozenset[str]] = {}
        self._shipped: dict[int, tuple[tuple[InferenceService, ...], bytes]] = {}
        self._told: tuple[str, ...] = ()

    async def close(self) -> None:
        """Close the connection to the scheduler, and those that rows came over."""
        await self._cluster.close()
        await self._rows.close()

    async def round(self, turn: Turn) -> Gathered:
        """Ask every predictor of the turn once, wherever its shard is polled.

        What cannot be done is no exception: its predictors are skipped, and ``problems`` says why.
        """
        try:
            address.refuse_tokens(self._where, self._observe, turn.services)
            crew = await self._cluster.crew()
        except HubctlError as error:
            return _nothing(turn, error)
        self._tell(crew.refused)
        problems = [RemoteFailed(text, hint="give them the image of this release") for text in crew.refused]
        if not crew.ready:
            nobody = RemoteFailed(
                f"no worker of hubctl is connected to {self._where.shown}", hint="start some with `hubctl worker`"
            )
            return _nothing(turn, nobody, *problems)
        self._held = {at: held for at, held in self._held.items() if at in crew.ready.values()}
        parts = await self._parts(turn, crew.ready)
        brought = await asyncio.gather(*(self._asked(part, turn) for part in parts))
        lost = [_loss(part, one.why) for part, one in zip(parts, brought, strict=True) if one.why]
        return _merged(turn, zip(parts, brought, strict=True), (*problems, *lost))

    async def _parts(self, turn: Turn, ready: Mapping[str, str]) -> tuple[_Part, ...]:
        """The turn in parts, one a worker that has something to poll."""
        rows = await self._read(turn)
        shares: dict[str, list[tuple[int, Sequence[int]]]] = {}
        where = assign.places(self._shards, ready)
        for shard, places in sorted(assign.divided(turn.services, self._shards).items()):
            shares.setdefault(where[shard], []).append((shard, places))
        return tuple(self._part(turn, worker, ready[worker], share, rows) for worker, share in sorted(shares.items()))

    async def _read(self, turn: Turn) -> Sequence[bytes]:
        """The rows of every predictor, in the turn's order."""
        self._begin(turn.snapshot)
        await self._rows.begin(turn.services, turn.begins)
        found = [b""] * len(turn.services)
        left = iter(enumerate(turn.services))

        async def read() -> None:
            for place, service in left:
                found[place] = parcel.rows_blob(await self._rows.of(service))

        # Not a task for each predictor: most sources have the rows at hand.
        async with asyncio.TaskGroup() as group:
            for _ in range(_READING):
                group.create_task(read())
        return found

    def _part(
        self, turn: Turn, worker: str, at: str, share: Sequence[tuple[int, Sequence[int]]], rows: Sequence[bytes]
    ) -> _Part:
        blobs: dict[str, bytes] = {}

        def named(blob: bytes) -> str:
            name = parcel.name_of(blob)
            blobs[name] = blob
            return name

        order = tuple(chain.from_iterable(places for _, places in share))
        setup = named(self._setup)
        services = tuple(named(self._services(turn, shard, places)) for shard, places in share)
        windows: dict[str, int] = {}
        rows_of = tuple(windows.setdefault(named(rows[place]), len(windows)) for place in order)
        objects = None
        if turn.snapshot is not None:
            objects = named(parcel.objects_blob(turn.snapshot, [turn.services[place] for place in order]))
        job = parcel.Job(
            leader=self._leader,
            setup=setup,
            now=datetime.now(UTC),
            begins=turn.begins,
            seconds=turn.seconds,
            seed=turn.seed,
            limit=self._limit(turn),
            services=services,
            windows=tuple(windows),
            rows=rows_of,
            objects=objects,
        )
        return _Part(worker, at, order, job, blobs)

    def _services(self, turn: Turn, shard: int, places: Sequence[int]) -> bytes:
        """The predictors of a shard, spelt anew only when they have changed."""
        found = tuple(turn.services[place] for place in places)
        known = self._shipped.get(shard)
        if known is None or known[0] != found:
            known = self._shipped[shard] = found, parcel.services_blob(found)
        return known[1]

    async def _asked(self, part: _Part, turn: Turn) -> _Brought:
        """What a worker brings, given the time that a round may take."""
        limit = self._limit(turn)
        try:
            async with asyncio.timeout(limit):
                report = await self._sent(part, self._held.get(part.at, frozenset()))
                if report.missing:
                    report = await self._sent(part, frozenset())
            observations = unpack(report.observations)
        except TimeoutError:
            return _Brought(why=f"no answer within {limit:.3g} s")
        except (Lost, parcel.Damaged, ValueError) as error:
            self._held.pop(part.at, None)
            return _Brought(why=str(error))
        expected = [(turn.services[place].cluster, turn.services[place].name) for place in part.places]
        if [(one.cluster, one.model) for one in observations] != expected:
            return _Brought(why=f"it answered for {len(observations)} others")
        return _Brought(observations, report.tally)

    def _limit(self, turn: Turn) -> float:
        """Seconds that a round may take."""
        return max(turn.seconds, self._observe.interval) + self._observe.deadline

    async def _sent(self, part: _Part, held: frozenset[str]) -> parcel.Report:
        blobs = {name: blob for name, blob in part.blobs.items() if name not in held}
        job = replace(part.job, now=datetime.now(UTC))
        self._held[part.at] = frozenset(part.blobs)
        report = parcel.report_of(await self._cluster.ask(part.at, parcel.job_bytes(job, blobs)))
        if report.failed:
            raise Lost(report.failed)
        return report

    def _tell(self, refused: tuple[str, ...]) -> None:
        """Log who is refused, once."""
        for text in set(refused).difference(self._told):
            log.error("a worker is refused", why=text)
        self._told = refused


@asynccontextmanager
async def opened(
    where: address.Address,
    observe: Observe,
    folder: Path,
    rows: Callable[[], Reader],
    shards: int,
    begin: Callable[[Snapshot | None], None],
    _heard: Heard | None = None,  # what workers find is known at the round's end
) -> AsyncIterator[Sharded]:
    """An engine with its connections, closed at the end.

    Raises:
        InputError: as ``Sharded``.
    """
    engine = Sharded(where, Cluster(where, folder), observe, rows(), shards=shards, begin=begin)
    try:
        yield engine
    finally:
        await engine.close()


def _nothing(turn: Turn, *problems: HubctlError) -> Gathered:
    """A turn of which nothing was polled."""
    lost, count = _skipped(turn.services, strict.excerpt(problems[0].message)), len(turn.services)
    tally = Tally(due=count, skipped={str(Reason.WORKER_LOST): count} if count else {})
    return Gathered(lost, tally, problems)


def _loss(part: _Part, why: str) -> RemoteFailed:
    return RemoteFailed(
        f"worker {part.worker} did not finish its round, {len(part.places)} predictors were not polled: {why}",
        hint="the next round goes to those that are there",
    )


def _merged(turn: Turn, parts: Iterable[tuple[_Part, _Brought]], problems: tuple[HubctlError, ...]) -> Gathered:
    """What the workers brought, in the turn's order; what one did not bring is skipped."""
    found: list[Observation | None] = [None] * len(turn.services)
    tallies = []
    for part, brought in parts:
        seen: Iterable[Observation] = brought.observations
        tally = brought.tally
        if brought.why:
            why = strict.excerpt(f"worker {part.worker}: {brought.why}")
            seen = _skipped([turn.services[place] for place in part.places], why)
            tally = Tally(due=len(part.places), skipped={str(Reason.WORKER_LOST): len(part.places)})
        for place, one in zip(part.places, seen, strict=True):
            found[place] = one
        tallies.append(tally)
    return Gathered(tuple(one for one in found if one is not None), merged(tallies), problems)


def _skipped(services: Iterable[InferenceService], why: str) -> tuple[Observation, ...]:
    now = datetime.now(UTC)
    return tuple(skipped(service, now, Reason.WORKER_LOST, why) for service in services)
