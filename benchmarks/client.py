"""One client of ``poll.py`` in a process of its own, so that its CPU and memory are its own.

Prints CPU seconds of each round and the most memory as JSON, or with ``--profile`` where the time went. The folder
holds ``ports.json`` (a port for each spoke, by how it behaves), ``ca.pem``, and what :func:`write_rows` makes.
"""

import argparse
import asyncio
import cProfile
import json
import os
import pstats
import ssl
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import httpx
import orjson
import uvloop
import yarl

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hubctl.aggregate import Aggregation, aggregate
from hubctl.model.golden import Golden, digest_of
from hubctl.model.observing import Observe
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.route import UrlRoute
from hubctl.model.turn import Turn
from hubctl.model.values import Aggregate, ModelProfile
from hubctl.observe.poll import Poller
from hubctl.store.schema import open_store

ROWS, GOLDEN_ROWS, FEATURES = 5, 5, 45
SENT = ROWS + GOLDEN_ROWS
"""Live rows, and golden ones in the same request; the bare clients send and get the same."""

CONCURRENCY = 64
"""Polls under way at once, one a spoke; the same for every client."""

SHARED = "rows/{model}.json"
OWN = "rows/{cluster}/{model}.json"

POLICY = Aggregate()

Round = Callable[[], Awaitable[None]]
Numbers = dict[str, list[float] | float]


def observe(**settings: object) -> Observe:
    """The defaults of hubctl, and the CA of the stub."""
    return Observe.model_validate({"ca_file": "ca.pem"} | settings)


def services(ports: Mapping[str, list[int]], models: int, rows: str = SHARED) -> tuple[InferenceService, ...]:
    """Every model on every spoke; a spoke is called after how it behaves."""
    profile = ModelProfile.model_validate({"features": {"file": rows}})
    beside = tuple(tuple(row) for row in golden_rows())
    golden = Golden(beside, "v1", {"v1": (1,) * GOLDEN_ROWS, "v0": (-1,) * GOLDEN_ROWS}, 1e-6, digest_of(beside))
    return tuple(
        InferenceService(
            cluster=f"{way}-{number:05}",
            name=f"model-{model}",
            version="v1",
            namespace="models",
            service=f"model-{model}-predictor",
            profile=profile,
            route=UrlRoute(url=f"https://127.0.0.1:{port}"),
            golden=golden,
        )
        for way in sorted(ports)
        for number, port in enumerate(ports[way])
        for model in range(models)
    )


def rows_of(number: int) -> list[list[float]]:
    """Five rows of 45 numbers, like no others."""
    return [[round((number + row) * 0.37 + column / 7, 4) for column in range(FEATURES)] for row in range(ROWS)]


def golden_rows() -> list[list[float]]:
    """The same for every model."""
    return rows_of(1_000_000)[:GOLDEN_ROWS]


def write_rows(folder: Path, models: int) -> None:
    """A file of rows a model, and ``body.json``, which the bare clients send."""
    (folder / "rows").mkdir()
    for number in range(models):
        write_file(folder / "rows" / f"model-{number}.json", number)
    time.sleep(2.1)  # hubctl reads a file again while it is so young that another write could have the same time
    everything = {"instances": rows_of(0) + golden_rows()}
    (folder / "body.json").write_text(json.dumps(everything, separators=(",", ":")))


def write_file(path: Path, number: int) -> None:
    """Rows of one predictor or model."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"window": "2026-01-01T00:00:00Z", "instances": rows_of(number)}))


def megabytes(what: str = "VmHWM") -> float:
    """The most that this process ever had in memory, or has now; ``ru_maxrss`` would count its parent's, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(f"{what}:")[2].split()[0]) / 1024


class Hubctl:
    """hubctl's whole round: schedule, ask, check, record into an SQLite store."""

    def __init__(self, folder: Path, asked: tuple[InferenceService, ...], *, fresh: bool) -> None:
        """Take the predictors; ``fresh`` rewrites their files, out of the clock, before each round."""
        self.folder, self.asked, self.fresh = folder, asked, fresh
        self.number = 0
        self.made = Aggregation((), ())
        self.recorded: list[float] = []
        self.concluded: list[float] = []

    async def open(self, stack: AsyncExitStack) -> Round:
        """Open the poller and the store."""
        self.store = stack.enter_context(open_store(f"sqlite:///{self.folder}/{os.getpid()}.db"))
        settings = observe(concurrency=CONCURRENCY, per_spoke=1)
        self.poller = await stack.enter_async_context(Poller(settings, self.folder, os.environ))
        return self.once

    async def once(self) -> None:
        """One round, everything in it."""
        now = datetime.now(UTC)
        observations = (await self.poller.round(Turn(self.asked, now))).observations
        check(observations)
        times = [time.process_time()]
        self.made = aggregate(observations, self.made.health, POLICY, now=now)
        times.append(time.process_time())
        self.store.journal.record(self.made.health, observations, now=now)
        times.append(time.process_time())
        self.concluded.append(times[1] - times[0])
        self.recorded.append(times[2] - times[1])

    def renew(self) -> None:
        """New rows for everybody, as when metrics go on."""
        self.number += 1
        for number, service in enumerate(self.asked if self.fresh else ()):
            path = self.folder / "rows" / service.cluster / f"{service.name}.json"
            write_file(path, number + self.number)


def check(observations: tuple[Observation, ...]) -> None:
    """Every predictor answered every live row, and the golden ones as its version does."""
    expected = Outcome.OK, ROWS, "v1"
    wrong = [one for one in observations if (one.outcome, one.instances, one.served_version) != expected]
    assert not wrong, wrong[0]


def by_workers(asked: tuple[InferenceService, ...], post: Callable[[str, str], Awaitable[None]]) -> Round:
    """A spoke's models one after the other, as many spokes at once as hubctl asks: no queue could be cheaper."""
    urls: dict[str, list[str]] = {}
    for service in asked:
        assert isinstance(service.route, UrlRoute)
        urls.setdefault(service.cluster, []).append(f"{service.route.url}/v1/models/{service.name}:predict")

    async def work(todo: list[tuple[str, list[str]]]) -> None:
        while todo:
            cluster, mine = todo.pop()
            for url in mine:
                await post(cluster, url)

    async def once() -> None:
        todo = list(urls.items())
        async with asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(work(todo))

    return once


async def by_httpx(folder: Path, asked: tuple[InferenceService, ...], stack: AsyncExitStack) -> Round:
    """A client for each spoke, one trust for all."""
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=300)
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    body = (folder / "body.json").read_bytes()
    clients = {one.cluster: httpx.AsyncClient(verify=trust, limits=limits, headers=headers) for one in asked}
    for client in clients.values():
        await stack.enter_async_context(client)

    async def post(cluster: str, url: str) -> None:
        answer = await clients[cluster].post(url, content=body)
        assert answer.status_code == httpx.codes.OK
        assert answer.json()["predictions"] == [1] * SENT

    return by_workers(asked, post)


async def by_aiohttp(folder: Path, asked: tuple[InferenceService, ...], stack: AsyncExitStack) -> Round:
    """One session for all spokes; URLs and the body are made once."""
    trust = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    connector = aiohttp.TCPConnector(limit=0, ssl=trust, keepalive_timeout=300)
    headers = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    session = await stack.enter_async_context(aiohttp.ClientSession(connector=connector, headers=headers))
    body = (folder / "body.json").read_bytes()
    urls: dict[str, yarl.URL] = {}
    expected = [1] * SENT

    async def post(_: str, url: str) -> None:
        known = urls.get(url) or urls.setdefault(url, yarl.URL(url))
        async with session.post(known, data=body) as answer:
            assert answer.status == 200  # noqa: PLR2004 - OK
            assert orjson.loads(await answer.read())["predictions"] == expected

    return by_workers(asked, post)


async def rounds(options: argparse.Namespace, watch: cProfile.Profile | None) -> Numbers:
    """CPU seconds of each round in this process; the first opens the connections, and is not profiled."""
    folder = Path(options.folder)
    fresh = options.way == "hubctl, new rows"
    asked = services(json.loads((folder / "ports.json").read_text()), options.models, OWN if fresh else SHARED)
    hubctl = Hubctl(folder, asked, fresh=fresh)
    cpu = []
    async with AsyncExitStack() as stack:
        if options.way.startswith("hubctl"):
            once = await hubctl.open(stack)
        else:
            once = await {"httpx": by_httpx, "aiohttp": by_aiohttp}[options.way](folder, asked, stack)
        for number in range(options.rounds + 1):
            hubctl.renew()
            start = time.process_time()
            if watch is not None and number:
                watch.enable()
            await once()
            if watch is not None:
                watch.disable()
            cpu.append(time.process_time() - start)
    return {"cpu": cpu, "mb": megabytes(), "recorded": hubctl.recorded, "concluded": hubctl.concluded}


def main() -> None:
    """Arguments are ``poll.py``'s."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", help="hubctl; hubctl, new rows; httpx; aiohttp")
    parser.add_argument("folder")
    parser.add_argument("--models", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    watch = cProfile.Profile(time.process_time) if options.profile else None
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        found = runner.run(rounds(options, watch))
    if watch is None:
        print(json.dumps(found))
    else:
        pstats.Stats(watch).strip_dirs().sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
