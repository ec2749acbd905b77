import asyncio
import resource
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.values import Features, ModelProfile, Observe
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from tests.observe.faultserver import Behave, Exchange, FaultServer, fixed, normal

Make = Callable[..., InferenceService]
MakePoller = Callable[..., Poller]


async def slow(exchange: Exchange) -> None:
    await asyncio.sleep(0.05)
    await normal(exchange)


def together(count: int) -> Behave:
    """Answers when so many have asked."""
    asked = asyncio.Barrier(count)

    async def behave(exchange: Exchange) -> None:
        async with asked:
            await normal(exchange)

    return behave


async def silent(_: Exchange) -> None:
    await asyncio.sleep(60)


def fleet(make: Make, url: str, count: int) -> list[InferenceService]:
    return [make(url, cluster=f"edge-{number}") for number in range(count)]


async def test_observations_come_in_the_order_of_the_services(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server, poller() as polled:
        services = fleet(service, server.url, 20)
        found = await polled.poll(services)
    assert [each.cluster for each in found] == [each.cluster for each in services]


async def test_no_services_are_no_observations(poller: MakePoller) -> None:
    async with poller() as polled:
        assert await polled.poll([]) == ()


async def test_fleet_never_sees_more_requests_than_the_bound(service: Make, poller: MakePoller) -> None:
    async with FaultServer(slow) as server, poller(concurrency=3) as polled:
        await polled.poll(fleet(service, server.url, 12))
    assert server.most_under_way == 3


async def test_spoke_never_sees_more_requests_than_its_bound(service: Make, poller: MakePoller) -> None:
    async with FaultServer(slow) as server, poller(per_spoke=2) as polled:
        await polled.poll([service(server.url, name=f"m-{number}") for number in range(8)])
    assert server.most_under_way == 2


async def test_silent_spoke_takes_no_time_from_the_others(service: Make, poller: MakePoller) -> None:
    seen: list[str] = []
    async with FaultServer(silent) as dead, FaultServer() as server, poller(deadline=1.5, concurrency=3) as polled:
        polled._seen = lambda each: seen.append(each.cluster)
        bad = [service(dead.url, cluster="bad", name=f"m-{number}") for number in range(4)]
        found = await polled.poll(bad + fleet(service, server.url, 20))
    assert [each.outcome for each in found] == [Outcome.TIMEOUT] * 4 + [Outcome.OK] * 20
    assert "bad" not in seen[:20]


async def test_waiting_for_a_slot_costs_nothing_of_the_deadline(service: Make, poller: MakePoller) -> None:
    async with FaultServer(slow) as server, poller(deadline=0.5, per_spoke=1) as polled:
        found = await polled.poll([service(server.url, name=f"m-{number}") for number in range(16)])
    assert {each.outcome for each in found} == {Outcome.OK}
    assert max(each.latency_ms for each in found) < 500


async def test_each_spoke_keeps_its_connection_over_rounds(service: Make, poller: MakePoller) -> None:
    async with FaultServer(together(4)) as server, poller() as polled:
        for _ in range(5):
            await polled.poll(fleet(service, server.url, 4))
    assert (len(server.seen), server.connections) == (20, 4)


@pytest.fixture
def few_files() -> Iterator[None]:
    """Lowers the limit on open files to little more than what is open now."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 50, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("few_files")
async def test_more_spokes_than_the_usual_limit_on_files_are_polled(service: Make, poller: MakePoller) -> None:
    async with FaultServer(together(100)) as server, poller(deadline=30.0, concurrency=100) as polled:
        found = await polled.poll(fleet(service, server.url, 100))
    assert {each.outcome for each in found} == {Outcome.OK}
    assert server.connections == 100


async def test_kept_connection_that_the_server_drops_is_opened_again(service: Make, poller: MakePoller) -> None:
    async def once(exchange: Exchange) -> None:
        if len(server.seen) == 2:
            exchange.writer.transport.abort()
        else:
            await normal(exchange)

    async with FaultServer(once) as server, poller() as polled:
        found = [*await polled.poll([service(server.url)]), *await polled.poll([service(server.url)])]
    assert [each.outcome for each in found] == [Outcome.OK, Outcome.OK]
    assert (len(server.seen), server.connections) == (3, 2)


async def test_timeouts_free_their_slots_and_connections(service: Make, poller: MakePoller) -> None:
    async with FaultServer(silent) as server, poller(deadline=0.3, per_spoke=1) as polled:
        for _ in range(4):
            await polled.poll([service(server.url)])
        await asyncio.sleep(0.1)
        server.behave = normal
        (found,) = await polled.poll([service(server.url)])
    assert found.outcome is Outcome.OK


async def test_cancelled_round_ends_at_once(service: Make, poller: MakePoller) -> None:
    async with FaultServer(silent) as server, poller(deadline=30.0) as polled:
        task = asyncio.create_task(polled.poll(fleet(service, server.url, 5)))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def test_each_observation_is_told_as_it_is_made(service: Make, rows: Path) -> None:
    seen: list[Observation] = []
    async with FaultServer() as server, Poller(Observe(), rows, {}, seen=seen.append) as polled:
        found = await polled.poll(fleet(service, server.url, 5))
    assert sorted(seen, key=lambda each: each.cluster) == list(found)
    assert all(each.at.utcoffset() is not None for each in seen)


async def test_no_cookie_of_a_spoke_is_kept(service: Make, poller: MakePoller) -> None:
    async with FaultServer(fixed(200, b"[1, 1]", extra="Set-Cookie: a=b\r\n")) as server, poller() as polled:
        for _ in range(2):
            await polled.poll([service(server.url)])
    assert all("cookie" not in request.headers for request in server.seen)


class Guard:
    """Answers only to one token, which may change."""

    def __init__(self, token: str) -> None:
        self.token = token

    async def __call__(self, exchange: Exchange) -> None:
        sent = exchange.headers.get("authorization", "")
        if sent == f"Bearer {self.token}":
            await normal(exchange)
        else:
            await exchange.send(401, f'{{"error":"no right for {sent}"}}'.encode())


async def test_token_is_read_from_a_file_per_spoke(service: Make, poller: MakePoller, rows: Path) -> None:
    (rows / "edge-a.token").write_text("s3cret\n")
    async with FaultServer(Guard("s3cret")) as server, poller(token_file="{cluster}.token") as polled:
        (found,) = await polled.poll([service(server.url)])
    assert found.outcome is Outcome.OK


async def test_token_is_read_from_a_variable(service: Make, poller: MakePoller) -> None:
    async with FaultServer(Guard("s3cret")) as server, poller({"TOKEN": "s3cret"}, token_env="TOKEN") as polled:
        (found,) = await polled.poll([service(server.url)])
    assert found.outcome is Outcome.OK


async def test_feature_command_never_sees_the_token(service: Make, poller: MakePoller) -> None:
    program = "import json, os; print(json.dumps([[float('TOKEN' in os.environ), float('OTHER' in os.environ)]]))"
    profile = ModelProfile(features=Features(command=(sys.executable, "-c", program)))
    async with FaultServer() as server, poller({"TOKEN": "s3cret", "OTHER": "x"}, token_env="TOKEN") as polled:
        (found,) = await polled.poll([service(server.url, profile=profile)])
    assert found.outcome is Outcome.OK
    assert b"[[0.0,1.0]]" in server.seen[0].body.replace(b" ", b"")


async def test_token_that_rotates_between_rounds_is_read_anew(service: Make, poller: MakePoller, rows: Path) -> None:
    guard = Guard("one")
    async with FaultServer(guard) as server, poller(token_file="token") as polled:
        for guard.token in ("one", "two"):
            (rows / "token").write_text(guard.token)
            (found,) = await polled.poll([service(server.url)])
            assert found.outcome is Outcome.OK
    assert len(server.seen) == 2


async def test_token_that_rotates_within_a_round_is_read_once_more(
    service: Make, poller: MakePoller, rows: Path
) -> None:
    (rows / "token").write_text("old")
    guard = Guard("new")

    async def rotate(exchange: Exchange) -> None:
        (rows / "token").write_text("new")
        await guard(exchange)

    async with FaultServer(rotate) as server, poller(token_file="token") as polled:
        (found,) = await polled.poll([service(server.url)])
    assert (found.outcome, len(server.seen)) == (Outcome.OK, 2)


async def test_token_that_is_refused_is_not_sent_again_nor_shown(service: Make, poller: MakePoller, rows: Path) -> None:
    (rows / "token").write_text("s3cret")
    async with FaultServer(Guard("other")) as server, poller(token_file="token") as polled:
        (found,) = await polled.poll([service(server.url)])
    assert (found.outcome, found.reason, len(server.seen)) == (Outcome.UNAUTHORIZED, Reason.TOKEN_REFUSED, 1)
    assert "no right for Bearer [token]" in found.detail
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, Reason.TOKEN_MISSING), ("", Reason.TOKEN_INVALID), ("a\r\nX: b", Reason.TOKEN_INVALID)],
)
async def test_without_its_token_nothing_is_asked(
    service: Make, poller: MakePoller, rows: Path, content: str | None, reason: Reason
) -> None:
    if content is not None:
        (rows / "token").write_text(content)
    async with FaultServer() as server, poller(token_file="token") as polled:
        (found,) = await polled.poll([service(server.url)])
    assert (found.outcome, found.reason, server.seen) == (Outcome.UNAUTHORIZED, reason, [])


async def test_unset_token_variable_asks_nothing(service: Make, poller: MakePoller) -> None:
    async with FaultServer() as server, poller(token_env="TOKEN") as polled:
        (found,) = await polled.poll([service(server.url)])
    assert (found.outcome, found.reason, server.seen) == (Outcome.UNAUTHORIZED, Reason.TOKEN_MISSING, [])
