"""Rounds beside the passes: what is taken, what a lost engine leaves, and an end that waits for nobody."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hubctl.errors import RemoteFailed
from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.route import UrlRoute
from hubctl.model.turn import Gathered, Heard, OpenEngine, Taken, Tally, Turn
from hubctl.model.values import ModelProfile
from hubctl.observe.controls import Controls
from hubctl.observe.poll import Poller
from hubctl.rounds import Rounds
from tests.observe.faultserver import Exchange, FaultServer

FAST = Observe(interval=0.2, deadline=0.2)


def fleet(count: int, url: str = "http://127.0.0.1:1") -> tuple[InferenceService, ...]:
    return tuple(
        InferenceService(f"edge-{number}", "m", "v1", "models", "m-predictor", ModelProfile(), UrlRoute(url=url))
        for number in range(count)
    )


def answered(turn: Turn) -> Gathered:
    found = tuple(
        Observation(one.cluster, one.name, one.version, turn.begins, Outcome.OK, instances=1) for one in turn.services
    )
    return Gathered(found, Tally(len(found)))


class Elsewhere:
    """An engine that tells nothing before its round's end."""

    def __init__(self, make: Callable[[Turn], Awaitable[Gathered]]) -> None:
        self.make = make
        self.turns: list[Turn] = []
        self.closed = 0

    async def round(self, turn: Turn) -> Gathered:
        self.turns.append(turn)
        return await self.make(turn)

    async def close(self) -> None:
        self.closed += 1

    @asynccontextmanager
    async def opened(self, _heard: Heard | None) -> AsyncIterator["Elsewhere"]:
        try:
            yield self
        finally:
            await self.close()


async def well(turn: Turn) -> Gathered:
    return answered(turn)


@asynccontextmanager
async def going(
    open_engine: OpenEngine, observe: Observe = FAST, folder: Path | None = None, *, bounded: bool = True
) -> AsyncIterator[Rounds]:
    controls = Controls(observe, folder, {}, None) if folder else None
    rounds = Rounds(open_engine, observe, controls, bounded=bounded)
    rounds.start()
    try:
        yield rounds
    finally:
        await rounds.close()


async def taken(rounds: Rounds, enough: Callable[[Taken], object]) -> Taken:
    """What is taken, added up until it is enough."""
    found = Taken()
    async with asyncio.timeout(20):
        while not enough(found):
            await asyncio.sleep(0.02)
            more = rounds.take()
            found = Taken(
                found.observations + more.observations,
                found.rounds + more.rounds,
                more.problems or found.problems,
                more.controls,
            )
    return found


async def test_each_observation_is_taken_once() -> None:
    engine = Elsewhere(well)
    async with going(engine.opened) as rounds:
        rounds.aim(fleet(3), None)
        found = await taken(rounds, lambda so_far: len(so_far.rounds) >= 3)
    assert len(found.observations) == 3 * len(found.rounds)
    assert len({(one.cluster, one.at) for one in found.observations}) == len(found.observations)


async def test_rounds_begin_at_multiples_of_the_interval_after_the_first() -> None:
    engine = Elsewhere(well)
    async with going(engine.opened) as rounds:
        rounds.aim(fleet(2), None)
        await taken(rounds, lambda so_far: len(so_far.rounds) >= 3)
    for turn in engine.turns[1:]:
        assert turn.begins.timestamp() / 0.2 == pytest.approx(round(turn.begins.timestamp() / 0.2))
        assert turn.seconds == 0.2


async def test_small_fleet_is_asked_at_once_and_that_is_news() -> None:
    engine = Elsewhere(well)
    async with going(engine.opened, Observe(interval=3600.0)) as rounds:
        rounds.aim(fleet(3), None)
        async with asyncio.timeout(20):
            await rounds.news.wait()
        assert len(rounds.take().observations) == 3
        assert not rounds.news.is_set()
    assert engine.turns[0].seconds == 3 / 50


async def test_newest_targets_are_asked_and_nobody_without_any() -> None:
    engine = Elsewhere(well)
    async with going(engine.opened) as rounds:
        rounds.aim(fleet(3), None)
        await taken(rounds, lambda so_far: so_far.rounds)
        rounds.aim(fleet(1), None)
        await taken(rounds, lambda so_far: len(so_far.rounds) >= 2)
        rounds.aim((), None)
        await taken(rounds, lambda so_far: len(so_far.rounds) >= 2)
    assert (len(engine.turns[0].services), engine.turns[-1].services) == (3, ())


async def test_lost_engine_is_a_problem_and_its_polls_are_skipped() -> None:
    async def lost(_: Turn) -> Gathered:
        raise RemoteFailed("the scheduler is away")

    async with going(Elsewhere(lost).opened) as rounds:
        rounds.aim(fleet(2), None)
        found = await taken(rounds, lambda so_far: so_far.rounds)
    assert [str(one) for one in found.problems] == ["the scheduler is away"]
    assert {(one.outcome, one.reason) for one in found.observations} == {(Outcome.SKIPPED, "engine")}
    assert found.rounds[0].tally.skipped == {"engine": 2}


async def test_engine_that_cannot_be_opened_is_tried_again() -> None:
    tries: list[None] = []

    @asynccontextmanager
    async def opened(_heard: Heard | None) -> AsyncIterator[Elsewhere]:
        tries.append(None)
        if len(tries) == 1:
            raise RemoteFailed("nobody there")
        yield Elsewhere(well)

    async with going(opened) as rounds:
        rounds.aim(fleet(1), None)
        found = await taken(rounds, lambda so_far: so_far.observations)
    assert [str(one) for one in found.problems] == ["nobody there"]


async def test_mistake_in_an_engine_ends_the_next_pass_and_is_not_swallowed() -> None:
    async def broken(_: Turn) -> Gathered:
        raise ZeroDivisionError

    async with going(Elsewhere(broken).opened) as rounds:
        rounds.aim(fleet(1), None)
        with pytest.raises(ExceptionGroup) as caught:
            await taken(rounds, lambda _: False)
    assert caught.group_contains(ZeroDivisionError)


async def test_fleet_that_outgrew_one_process_is_polled_whole_on_workers() -> None:
    engine = Elsewhere(well)
    observe = FAST.model_copy(update={"concurrency": 1, "deadline": 1.0})
    async with going(engine.opened, observe, bounded=False) as rounds:
        rounds.aim(fleet(3), None)
        await taken(rounds, lambda so_far: so_far.rounds)
    assert len(engine.turns[0].services) == 3


async def test_fleet_that_outgrew_the_bounds_is_polled_as_far_as_they_go() -> None:
    engine = Elsewhere(well)
    async with going(engine.opened, FAST.model_copy(update={"concurrency": 1, "deadline": 1.0})) as rounds:
        rounds.aim(fleet(3), None)
        found = await taken(rounds, lambda so_far: so_far.rounds)
    assert len(engine.turns[0].services) == 0
    assert found.rounds[0].tally.skipped == {"capacity": 3}
    assert "hubctl.observe.concurrency allows 1" in str(found.problems[0])


async def test_what_nobody_takes_does_not_pile_up() -> None:
    many = fleet(1) * 2_500
    async with going(Elsewhere(well).opened, FAST.model_copy(update={"interval": 0.1})) as rounds:
        rounds.aim(many, None)
        await asyncio.sleep(1.0)
        found = rounds.take()
    assert 1 <= len(found.rounds) <= 4


async def test_end_waits_for_no_poll_under_way(tmp_path: Path) -> None:
    observe, arrived = Observe(interval=60.0, deadline=60.0), asyncio.Event()

    async def silent(_: Exchange) -> None:
        arrived.set()
        await asyncio.sleep(60)

    async with FaultServer(silent) as server:
        async with asyncio.timeout(20):
            async with going(lambda heard: Poller(observe, tmp_path, {}, seen=heard), observe) as rounds:
                rounds.aim(fleet(2, server.url), None)
                await arrived.wait()
        assert server.most_under_way >= 1


async def test_rounds_are_taken_whole_and_in_their_order() -> None:
    held, begun = asyncio.Event(), []

    async def first_is_slow(turn: Turn) -> Gathered:
        begun.append(turn)
        if len(begun) == 1:
            while not held.is_set():  # noqa: ASYNC110 - set in another loop
                await asyncio.sleep(0.01)
        return answered(turn)

    async with going(Elsewhere(first_is_slow).opened, FAST.model_copy(update={"deadline": 2.0})) as rounds:
        rounds.aim(fleet(2), None)
        async with asyncio.timeout(20):
            while len(begun) < 4:  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.02)
        assert rounds.take() == Taken()
        held.set()
        found = await taken(rounds, lambda so_far: len(so_far.rounds) >= 4)
    times = [one.at for one in found.observations]
    assert times == sorted(times)
    assert len(times) == 2 * len(found.rounds)


async def test_rounds_that_pile_up_behind_a_slow_one_are_late_and_counted() -> None:
    async def never(_: Turn) -> Gathered:
        await asyncio.sleep(60)
        raise AssertionError

    engine = Elsewhere(never)
    async with going(engine.opened, FAST.model_copy(update={"interval": 0.05, "deadline": 0.05})) as rounds:
        rounds.aim(fleet(1), None)
        await asyncio.sleep(0.6)
        assert rounds.take() == Taken()
    assert len(engine.turns) == 3


async def test_host_that_all_polls_go_through_is_named_after_two_rounds(tmp_path: Path) -> None:
    async with going(Elsewhere(well).opened, folder=tmp_path) as rounds:
        rounds.aim(fleet(3), None)
        found = await taken(rounds, lambda so_far: so_far.controls)
        assert found.controls == ("http://127.0.0.1:1 (refused)",)
        assert len(found.rounds) >= 1
        rounds.aim((), None)
        await taken(rounds, lambda so_far: so_far.rounds and not so_far.controls)


async def test_pass_that_misses_a_remote_twice_in_a_row_says_so() -> None:
    async with going(Elsewhere(well).opened) as rounds:
        said = [rounds.take(blind).controls for blind in ({"Git": "away"}, {"Git": "away"}, {}, {"Git": "away"})]
    assert said == [(), ("Git (away)",), (), ()]
