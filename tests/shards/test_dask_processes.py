"""Rounds on a real scheduler with real worker processes, against what one process finds."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import orjson
import pytest

from hubctl.aggregate import Aggregation, aggregate
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.turn import Turn
from hubctl.model.values import Aggregate, Observe
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from hubctl.observe.rows import Rows
from hubctl.shards import assign
from hubctl.shards.engine import Sharded, opened
from tests.shards.daskcluster import Predictors, Processes
from tests.shards.fleets import NOW, fleet, folder_of

SHARDS, SPOKES = 64, 24
OBSERVE = Observe(interval=60, deadline=30, per_spoke=1)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that rounds run on, here and on workers: another one words some errors otherwise."""
    return "asyncio", {"use_uvloop": True}


@dataclass
class Fleet:
    """What the tests of this module share."""

    predictors: Predictors
    dask: Processes
    services: tuple[InferenceService, ...]

    def spokes_of(self, worker: str) -> set[str]:
        """The spokes that a worker polls now."""
        places = assign.places(SHARDS, self.dask.running.keys() - {"scheduler"})
        return {one.cluster for one in self.services if places[assign.shard_of(one.cluster, SHARDS)] == worker}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = folder_of(tmp_path_factory.mktemp("dask"))
    with Predictors(SPOKES) as predictors, Processes(folder) as dask:
        dask.work("one", "two", "three")
        yield Fleet(predictors, dask, fleet(predictors.urls))


@pytest.fixture
async def sharded(shared: Fleet) -> AsyncIterator[Sharded]:
    rows = partial(Rows, shared.dask.folder, {})
    async with opened(shared.dask.where, OBSERVE, shared.dask.folder, rows, SHARDS, lambda _: None) as engine:
        await shared.dask.gathered(engine._cluster)
        yield engine


def turn(shared: Fleet) -> Turn:
    return Turn(shared.services, datetime.now(UTC))


def at_minute(number: int, observations: tuple[Observation, ...]) -> tuple[Observation, ...]:
    """The same without what no two rounds have in common."""
    return tuple(replace(one, at=NOW + timedelta(minutes=number), latency_ms=0.0) for one in observations)


def concluded(last: Aggregation, number: int, observations: tuple[Observation, ...]) -> Aggregation:
    now = NOW + timedelta(minutes=number)
    return aggregate(at_minute(number, observations), last.health, Aggregate(settle=0, raise_after=2), now=now)


def told(made: Aggregation) -> bytes:
    return orjson.dumps([made.findings, made.health], option=orjson.OPT_INDENT_2)


async def test_workers_find_to_the_byte_what_one_process_finds(shared: Fleet, sharded: Sharded) -> None:
    here = there = Aggregation((), ())
    async with Poller(OBSERVE, shared.dask.folder, {}) as poller:
        for number in range(3):
            (shared.dask.folder / "rows.json").write_text(f"[[{number}.5, 0.1], [0.3, 1e-{number}]]")
            mine, theirs = await poller.round(turn(shared)), await sharded.round(turn(shared))
            assert at_minute(0, theirs.observations) == at_minute(0, mine.observations)
            assert (theirs.tally.due, theirs.problems) == (len(shared.services), ())
            here, there = concluded(here, number, mine.observations), concluded(there, number, theirs.observations)
    assert told(there) == told(here)
    kinds = {str(one.kind) for one in there.findings}
    assert {"spoke-unreachable", "spoke-anomaly", "predictor-fault"} <= kinds


async def test_killed_worker_costs_a_round_of_its_shards_and_one_that_joins_takes_its_share_over(
    shared: Fleet, sharded: Sharded
) -> None:
    whole = await sharded.round(turn(shared))
    before = concluded(Aggregation((), ()), 0, whole.observations)
    victim = shared.spokes_of("two")
    kept = known(shared)

    shared.predictors.free.clear()
    under_way = asyncio.create_task(sharded.round(turn(shared)))
    try:
        await shared.predictors.held(victim)
        shared.dask.kill("two")
    finally:
        shared.predictors.free.set()
    lost = await under_way

    skipped = [one for one in lost.observations if one.outcome is Outcome.SKIPPED]
    assert {one.cluster for one in skipped} == victim
    assert {one.reason for one in skipped} == {Reason.WORKER_LOST}
    assert lost.tally.skipped == {Reason.WORKER_LOST: 2 * len(victim)}
    assert ["worker two did not finish" in str(problem) for problem in lost.problems] == [True]
    after = concluded(before, 1, lost.observations)
    assert not {cluster for found in after.findings for cluster in found.clusters} & victim

    again = await sharded.round(turn(shared))
    assert at_minute(0, again.observations) == at_minute(0, whole.observations)
    assert again.problems == ()
    assert all(known(shared)[spoke] == kept[spoke] for spoke in kept if spoke not in victim)

    shared.dask.work("four")
    await shared.dask.gathered(sharded._cluster)
    kept, taken = known(shared), shared.spokes_of("four")
    joined = await sharded.round(turn(shared))
    assert at_minute(0, joined.observations) == at_minute(0, whole.observations)
    moved = {spoke for spoke, connections in known(shared).items() if connections != kept[spoke]}
    assert moved == taken & kept.keys()
    assert 0 < len(taken) < SPOKES


def known(shared: Fleet) -> dict[str, frozenset[object]]:
    """The connections of spokes whose predictors keep them open: those that answer well."""
    good = {one.cluster for one in shared.services} - {"edge-01", "edge-06", "edge-07"}
    return {spoke: frozenset(found) for spoke, found in shared.predictors.connections.items() if spoke in good}
