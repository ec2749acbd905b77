"""A round that is spread: real sockets that hang or refuse, and everybody else keeps the place and is asked once."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.turn import Gathered, Turn
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from tests.observe.conftest import NOW
from tests.observe.faultserver import Exchange, FaultServer, fixed, normal

Make = Callable[..., InferenceService]
MakePoller = Callable[..., Poller]
REFUSING = "http://127.0.0.1:1"


async def silent(_: Exchange) -> None:
    await asyncio.sleep(60)


async def spread(poller: Poller, services: list[InferenceService], seconds: float = 0.5) -> Gathered:
    return await poller.round(Turn(tuple(services), NOW, seconds, seed=5))


def skipped(gathered: Gathered) -> Counter[str]:
    return Counter(one.reason for one in gathered.observations if one.outcome is Outcome.SKIPPED)


async def test_hanging_and_refusing_tenths_take_nothing_from_the_others(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as good, FaultServer(silent) as hung, poller(deadline=1.5, concurrency=30) as polled:
        urls = {0: hung.url, 1: REFUSING}
        fleet = [service(urls.get(number % 10, good.url), cluster=f"edge-{number}") for number in range(100)]
        gathered = await spread(polled, fleet)
    found = [one.outcome for one in gathered.observations]
    assert [one for number, one in enumerate(found) if number % 10 > 1] == [Outcome.OK] * 80
    assert [one for number, one in enumerate(found) if number % 10 == 0] == [Outcome.TIMEOUT] * 10
    assert [one for number, one in enumerate(found) if number % 10 == 1] == [Outcome.UNREACHABLE] * 10
    assert (gathered.tally.due, gathered.tally.skipped, len(gathered.tally.lags)) == (100, {}, 100)
    assert len(good.seen) == 80


async def test_what_no_slot_comes_free_for_is_skipped_and_counted(service: Make, poller: MakePoller) -> None:
    async with FaultServer(silent) as hung, poller(deadline=2.5, concurrency=3, late_after=0.5) as polled:
        gathered = await spread(polled, [service(hung.url, cluster=f"edge-{number}") for number in range(20)], 0.2)
    tally = gathered.tally
    assert skipped(gathered) == tally.skipped
    assert Reason.NO_SLOT in tally.skipped
    assert sum(tally.skipped.values()) == 17
    assert tally.due == len(tally.lags) + sum(tally.skipped.values()) == 20
    assert tally.under_way == hung.most_under_way == 3


async def test_round_that_began_long_ago_is_late_and_asks_nobody(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server, poller() as polled:
        before = datetime.fromtimestamp(NOW.timestamp() - 30, UTC)
        gathered = await polled.round(Turn((service(server.url),), before, 1.0))
    assert (skipped(gathered), server.seen) == ({Reason.LATE: 1}, [])


async def test_rounds_may_overlap_within_the_same_bounds(service: Make, poller: MakePoller) -> None:
    async def slow(exchange: Exchange) -> None:
        await asyncio.sleep(0.2)
        await normal(exchange)

    async with FaultServer(slow) as server, poller(concurrency=4) as polled:
        fleet = [service(server.url, cluster=f"edge-{number}") for number in range(8)]
        rounds = await asyncio.gather(spread(polled, fleet), spread(polled, fleet))
    assert {one.outcome for made in rounds for one in made.observations} == {Outcome.OK}
    assert (server.most_under_way, len(server.seen)) == (4, 16)


async def test_predictor_that_fails_again_and_again_is_left_alone_in_rounds_and_not_for_a_person(
    service: Make, poller: MakePoller
) -> None:
    async with FaultServer(fixed(500, b"no", kind="text/plain")) as server, poller() as polled:
        fleet = [service(server.url)]
        for _ in range(3):
            await spread(polled, fleet, 0.05)
        left_alone = await spread(polled, fleet, 0.05)
        (asked,) = await polled.poll(fleet)
    assert skipped(left_alone) == {Reason.BREAKER_OPEN: 1}
    assert left_alone.tally.breakers == 1
    assert (asked.reason, len(server.seen)) == (Reason.SERVER_ERROR, 4)


@pytest.mark.parametrize("said", ["3600", "Sun, 01 Mar 2026 13:00:00 GMT"])
async def test_predictor_that_asks_for_time_gets_it(service: Make, poller: MakePoller, said: str) -> None:
    async with FaultServer(fixed(429, b"later", extra=f"Retry-After: {said}\r\n")) as server, poller() as polled:
        (first,) = (await spread(polled, [service(server.url)], 0.05)).observations
        second = await spread(polled, [service(server.url)], 0.05)
    assert (first.outcome, skipped(second), len(server.seen)) == (Outcome.OVERLOADED, {Reason.RETRY_AFTER: 1}, 1)


async def test_broken_connection_is_tried_once_more_while_the_budget_lasts(service: Make, poller: MakePoller) -> None:
    async def first_breaks(exchange: Exchange) -> None:
        if len(server.seen) == 1:
            exchange.writer.transport.abort()
        else:
            await normal(exchange)

    async with FaultServer(first_breaks) as server, poller() as polled:
        fleet = [service(server.url, cluster=f"edge-{number}") for number in range(20)]
        gathered = await spread(polled, fleet)
    assert gathered.tally.retried == 1
    assert {one.outcome for one in gathered.observations} == {Outcome.OK}


async def test_retries_of_a_fleet_never_exceed_its_budget(service: Make, poller: MakePoller) -> None:
    async with poller() as polled:
        gathered = await spread(polled, [service(REFUSING, cluster=f"edge-{number}") for number in range(40)])
    assert gathered.tally.retried == 4
    assert {one.reason for one in gathered.observations} == {Reason.REFUSED}


async def test_cancelled_round_frees_every_slot(service: Make, poller: MakePoller) -> None:
    async with FaultServer(silent) as server, poller(deadline=30.0, concurrency=2) as polled:
        fleet = [service(server.url, cluster=f"edge-{number}") for number in range(6)]
        task = asyncio.create_task(spread(polled, fleet, 0.1))
        await asyncio.sleep(0.3)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.behave = normal
        found: tuple[Observation, ...] = await polled.poll(fleet)
    assert {one.outcome for one in found} == {Outcome.OK}


def test_poller_keeps_hundreds_under_way_by_itself() -> None:
    assert Observe().concurrency == 512
