"""The leader's side against schedulers and workers of this process: TLS, tokens, losses, releases, leaders."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import trustme
from distributed import Scheduler

import hubctl
from hubctl.errors import InputError, RemoteFailed
from hubctl.model.predictor import InferenceService, Outcome
from hubctl.model.scaling import EngineTls
from hubctl.model.turn import Turn
from hubctl.model.values import Observe
from hubctl.observe.reason import Reason
from hubctl.observe.rows import Rows
from hubctl.settings import Settings
from hubctl.shards import address, serving
from hubctl.shards.cluster import Cluster, crew_of
from hubctl.shards.engine import Sharded
from tests.observe.faultserver import Exchange, FaultServer, fixed
from tests.shards.fleets import fleet, folder_of, service

OBSERVE = Observe(deadline=5, interval=60)
FILES = EngineTls(ca_file="ca.crt", cert_file="tls.crt", key_file="tls.key")


def certified(folder: Path) -> Path:
    """A folder with files of a CA of its own."""
    folder.mkdir(exist_ok=True)
    ca = trustme.CA()
    made = ca.issue_cert("127.0.0.1")
    ca.cert_pem.write_to_path(folder / FILES.ca_file)
    made.cert_chain_pems[0].write_to_path(folder / FILES.cert_file)
    made.private_key_pem.write_to_path(folder / FILES.key_file)
    return folder


@asynccontextmanager
async def scheduler(tls: Path | None = None, port: int = 0) -> AsyncIterator[address.Address]:
    """A scheduler that listens on 127.0.0.1."""
    files = FILES if tls else None
    made = Scheduler(
        host="127.0.0.1",
        port=port,
        protocol="tls" if tls else "tcp",
        security=address.security(files, tls or Path()),
        dashboard=False,
        dashboard_address="127.0.0.1:0",
    )
    async with made:
        yield address.address_of(made.address, files, "")


@asynccontextmanager
async def worker(where: address.Address, folder: Path, environ: Mapping[str, str] | None = None) -> AsyncIterator[None]:
    """A worker whose folder is not the leader's."""
    made = serving._made(Settings(folder, folder), environ or {}, where, serving.Place("one", "127.0.0.1"))
    async with made:
        yield


@asynccontextmanager
async def leader(where: address.Address, folder: Path, observe: Observe = OBSERVE) -> AsyncIterator[Sharded]:
    """An engine that does not wait long for a scheduler that is away."""
    engine = Sharded(where, Cluster(where, folder, patience=2.0), observe, Rows(folder, {}), shards=16)
    try:
        yield engine
    finally:
        await engine.close()


def turn(services: tuple[InferenceService, ...]) -> Turn:
    return Turn(services, datetime.now(UTC))


async def test_worker_reads_the_token_itself_and_speaks_tls(tmp_path: Path) -> None:
    files, there = certified(tmp_path / "leader"), certified(tmp_path / "other")
    for name in (FILES.ca_file, FILES.cert_file, FILES.key_file):
        (there / name).write_bytes((files / name).read_bytes())
    folder_of(files)
    (there / "edge-00.token").write_text("only-on-the-worker")
    observe = OBSERVE.model_copy(update={"token_file": "{cluster}.token"})
    async with (
        FaultServer() as server,
        scheduler(files) as where,
        worker(where, there),
        leader(where, files, observe) as engine,
    ):
        found = await engine.round(turn((service(url=server.url),)))
    assert where.url.startswith("tls://")
    assert [one.outcome for one in found.observations] == [Outcome.OK]
    assert server.seen[0].headers["authorization"] == "Bearer only-on-the-worker"


async def test_nobody_with_a_certificate_of_another_ca_gets_in(tmp_path: Path) -> None:
    files, strange = certified(tmp_path / "ours"), certified(tmp_path / "theirs")
    folder_of(strange)
    async with scheduler(files) as where, leader(where, strange) as engine:
        found = await engine.round(turn((service(),)))
    assert [one.reason for one in found.observations] == [Reason.WORKER_LOST]
    assert "does not answer" in str(found.problems[0])


async def test_missing_certificate_is_named(tmp_path: Path) -> None:
    where = address.Address("tls://127.0.0.1:1", FILES)
    async with leader(where, folder_of(tmp_path)) as engine:
        found = await engine.round(turn((service(),)))
    assert isinstance(found.problems[0], InputError)
    assert "ca.crt" in str(found.problems[0])


async def test_account_of_a_spoke_is_never_polled_in_the_clear(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    async with FaultServer() as server, scheduler() as where, worker(where, folder), leader(where, folder) as engine:
        found = await engine.round(turn((service(url=server.url, account="poller"),)))
    assert server.seen == []
    assert "want a token" in str(found.problems[0])


async def test_round_without_workers_says_so_and_blames_nobody(tmp_path: Path) -> None:
    services = fleet(["http://127.0.0.1:1"] * 3)
    async with scheduler() as where, leader(where, folder_of(tmp_path)) as engine:
        found = await engine.round(turn(services))
    assert [(one.cluster, one.model) for one in found.observations] == [(one.cluster, one.name) for one in services]
    assert {one.outcome for one in found.observations} == {Outcome.SKIPPED}
    assert found.tally.skipped == {"worker_lost": 6}
    assert "start some with `hubctl worker`" in found.problems[0].hint


async def test_rounds_that_overlap_share_a_connection(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    async with FaultServer() as server, scheduler() as where, worker(where, folder), leader(where, folder) as engine:
        services = (service(url=server.url),)
        found = await asyncio.gather(*(engine.round(turn(services)) for _ in range(3)))
        assert engine._cluster._client is not None
        clients = await engine._cluster._client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.clients))
    assert [one.outcome for each in found for one in each.observations] == [Outcome.OK] * 3
    assert clients == 2  # one of them is the scheduler's own


async def test_scheduler_that_comes_back_is_used_again(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    async with FaultServer() as server, AsyncExitStack() as first:
        where = await first.enter_async_context(scheduler())
        await first.enter_async_context(worker(where, folder))
        services = (service(url=server.url),)
        async with leader(where, folder) as engine:
            before = await engine.round(turn(services))
            await first.aclose()
            gone = await engine.round(turn(services))
            at_once = await engine.round(turn(services))
            engine._cluster._not_before = 0.0
            async with scheduler(port=int(where.url.rpartition(":")[2])) as again, worker(again, folder):
                back = await engine.round(turn(services))
    outcomes = [[one.outcome for one in each.observations] for each in (before, gone, at_once, back)]
    assert outcomes == [[Outcome.OK], [Outcome.SKIPPED], [Outcome.SKIPPED], [Outcome.OK]]
    assert isinstance(gone.problems[0], RemoteFailed)
    assert "asked again in" in str(at_once.problems[0])
    assert back.problems == ()


async def test_worker_that_does_not_answer_in_time_is_given_up(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)

    async def silent(_: Exchange) -> None:
        await asyncio.sleep(30)

    hasty, patient = Observe(deadline=0.1, interval=0.2), Observe(deadline=20, interval=20)
    async with (
        FaultServer(silent) as server,
        scheduler() as where,
        worker(where, folder),
        leader(where, folder) as engine,
    ):
        engine._observe = hasty
        engine._setup = patient.model_dump_json(by_alias=True).encode()
        found = await engine.round(turn((service(url=server.url),)))
    assert [one.outcome for one in found.observations] == [Outcome.SKIPPED]
    assert found.tally.skipped == {"worker_lost": 1}


async def test_new_leader_takes_the_workers_over(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    held = asyncio.Event()

    async def first_is_held(exchange: Exchange) -> None:
        if not held.is_set():
            held.set()
            await asyncio.sleep(30)
        await fixed(200, b'{"predictions": [1, 1]}')(exchange)

    async with FaultServer(first_is_held) as server, scheduler() as where, worker(where, folder):
        services = (service(url=server.url),)
        async with leader(where, folder) as old, leader(where, folder) as new:
            before = asyncio.create_task(old.round(turn(services)))
            await held.wait()
            found = await new.round(turn(services))
            ended = await before
    assert [one.outcome for one in found.observations] == [Outcome.OK]
    assert [one.outcome for one in ended.observations] == [Outcome.SKIPPED]
    assert "another leader came" in str(ended.problems[0])


def test_workers_of_another_release_are_refused_with_both_versions() -> None:
    mine = {"name": "a", "status": "running", "hubctl": {"version": hubctl.__version__}}
    crew = crew_of(
        {
            "tcp://a": mine,
            "tcp://b": {**mine, "name": "b", "hubctl": {"version": "0.0.9"}},
            "tcp://c": {"name": "c", "status": "running"},
            "tcp://d": {**mine, "name": "d", "status": "closing_gracefully"},
        }
    )
    assert crew.ready == {"a": "tcp://a"}
    assert crew.refused == (
        f"worker b has hubctl 0.0.9, this is hubctl {hubctl.__version__}",
        f"worker c was not started by `hubctl worker`, this is hubctl {hubctl.__version__}",
    )
