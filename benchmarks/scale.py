"""What polling on Dask workers costs beside polling in one process, and whether both find the same.

Every predictor has rows of its own, and new ones in each round, so that all of them travel. ``stub/`` is all the
predictors, over TLS with connections that stay open. CPU is counted of every process that hubctl needs: the leader, the
scheduler and the workers.
"""

import argparse
import asyncio
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

import orjson
import structlog
import trustme
import uvloop
from measuring import tell

from hubctl.aggregate import Aggregation, aggregate
from hubctl.model.predictor import InferenceService, Observation, Window
from hubctl.model.route import UrlRoute
from hubctl.model.turn import Engine, Gathered, Turn
from hubctl.model.values import Aggregate, Features, ModelProfile, Observe
from hubctl.observe.poll import Poller
from hubctl.shards import address
from hubctl.shards.cluster import Cluster
from hubctl.shards.engine import Sharded

MODELS, ROWS, FEATURES, SHARDS = 3, 5, 45, 256
TICK = os.sysconf("SC_CLK_TCK")
OBSERVE = Observe(ca_file="ca.pem", interval=600, deadline=30, per_spoke=1, concurrency=512)
REFUSES = 50
"""One spoke in so many does not listen."""
HERE = Path(__file__).parent


@dataclass
class Made:
    """Rows without a source: as many as real ones, other ones for each predictor and round."""

    round: int = 0
    known: dict[tuple[str, str], int] = field(default_factory=dict)

    async def begin(self, services: Sequence[InferenceService], now: datetime) -> None:  # noqa: ARG002 - a Reader's
        """Number them."""
        self.known = {(one.cluster, one.name): place for place, one in enumerate(services)}

    async def of(self, service: InferenceService) -> Window:
        """Its rows of this round."""
        place = self.known[service.cluster, service.name]
        first = float(self.round * 1_000_003 + place)
        rows = tuple(tuple(first / 7 + row + column / 7 for column in range(FEATURES)) for row in range(ROWS))
        return Window(rows, f"{self.round:08x}{place:024x}")

    async def close(self) -> None:
        """Nothing."""


def fleet(ports: Sequence[int], refusing: Sequence[int], spokes: int) -> tuple[InferenceService, ...]:
    """Spokes over fewer ports; one in fifty refuses."""
    profile = ModelProfile(features=Features(file="rows.json"))
    found = []
    for number in range(spokes):
        port = refusing[number % len(refusing)] if number % REFUSES == 0 else ports[number % len(ports)]
        route = UrlRoute(url=f"https://127.0.0.1:{port}")
        for model in range(MODELS):
            name = f"model-{model}"
            found.append(InferenceService(f"edge-{number:05}", name, "v1", "models", name, profile, route))
    return tuple(found)


@contextmanager
def predictors(folder: Path, ports: int) -> Iterator[tuple[list[int], list[int]]]:
    """The stub; its good ports and those that refuse."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
    build = ["go", "build", "-o", str(folder / "stub"), str(HERE / "stub" / "main.go")]
    subprocess.run(build, check=True, env={**os.environ, "CGO_ENABLED": "0"})
    command = [str(folder / "stub"), "-good", str(ports), "-refuse", "4", "-pem", str(folder / "server.pem")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        assert stub.stdout is not None
        said = json.loads(stub.stdout.readline())
        try:
            yield said["good"], said["refuse"]
        finally:
            stub.kill()


def cpu(pid: int) -> float:
    """Seconds that a process used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


@dataclass
class Way:
    """One engine, and the processes that it needs beside this one."""

    name: str
    engine: Engine
    rows: Made
    scheduler: tuple[int, ...] = ()
    workers: tuple[int, ...] = ()
    spent: list[dict[str, float]] = field(default_factory=list)

    def used(self) -> dict[str, float]:
        """Seconds so far."""
        return {
            "leader": time.process_time(),
            "scheduler": sum(map(cpu, self.scheduler)),
            "workers": sum(map(cpu, self.workers)),
            "wall": time.monotonic(),
        }

    async def round(self, services: tuple[InferenceService, ...]) -> Gathered:
        """One round, all at once, and what it used."""
        self.rows.round += 1
        before = self.used()
        found = await self.engine.round(Turn(services, datetime.now(UTC)))
        after = self.used()
        assert not found.problems, found.problems
        self.spent.append({part: after[part] - before[part] for part in before})
        return found


@contextmanager
def processes(folder: Path, workers: int) -> Iterator[tuple[address.Address, tuple[int, ...]]]:
    """A scheduler and workers; where the one is, and the number of each, the scheduler's first."""
    said = folder / f"scheduler-{workers}.json"
    with (folder / f"dask-{workers}.log").open("w") as logs:
        command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0"]
        command += ["--no-dashboard", "--dashboard-address", ":0", "--scheduler-file", str(said)]
        started = [subprocess.Popen(command, stdout=logs, stderr=logs)]
        try:
            while not said.exists() or not said.read_text():
                time.sleep(0.1)
            where = address.address_of(json.loads(said.read_text())["address"], None, "")
            for number in range(workers):
                command = [sys.executable, "-m", "hubctl", "-C", str(folder), "worker", "--scheduler", where.shown]
                command += ["--name", f"w{number}", "--listen", "127.0.0.1"]
                started.append(subprocess.Popen(command, stdout=logs, stderr=logs))
            yield where, tuple(one.pid for one in started)
        finally:
            for one in started:
                one.terminate()
            for one in started:
                one.wait(30)


@asynccontextmanager
async def dask(folder: Path, workers: int) -> AsyncIterator[Way]:
    """A Dask cluster with so many workers."""
    rows = Made()
    with processes(folder, workers) as (where, pids):
        cluster = Cluster(where, folder)
        engine = Sharded(where, cluster, OBSERVE, rows, shards=SHARDS)
        while len((await cluster.crew()).ready) < workers:  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.2)
        yield Way(f"Dask, {workers} worker{'s' * (workers > 1)}", engine, rows, pids[:1], pids[1:])
        await engine.close()


@asynccontextmanager
async def here(folder: Path) -> AsyncIterator[Way]:
    """This process."""
    rows = Made()
    async with Poller(OBSERVE, folder, {}, rows=rows) as poller:
        yield Way("one process", poller, rows)


def shown(way: Way, floor: Way, polls: int) -> str:
    """A row of the table: medians of the rounds after the first, which opens the connections."""
    kept = {key: statistics.median(one[key] for one in way.spent[1:]) for key in way.spent[0]}
    base = statistics.median(one["leader"] for one in floor.spent[1:])
    parts = [kept[part] / polls * 1e6 for part in ("leader", "scheduler", "workers")]
    total = sum(parts)
    return (
        f"{way.name:16}{parts[0]:8.0f}{parts[1]:11.0f}{parts[2]:9.0f}{total:8.0f}"
        f"{total / (base / polls * 1e6):10.2f}{polls / kept['wall']:11.0f}"
    )


async def measure(spokes: int, ports: int, rounds: int) -> None:
    """The table of costs: interleaved rounds of every way."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            services = fleet(*stack.enter_context(predictors(folder, ports)), spokes)
            ways = [await stack.enter_async_context(one) for one in (here(folder), dask(folder, 1), dask(folder, 2))]
            for number in range(rounds + 1):
                for way in ways:
                    await way.round(services)
                    tell(f"{spokes} spokes, round {number}: {way.name} {way.spent[-1]}")
        print(f"\n{spokes} spokes x {MODELS} models; CPU microseconds per prediction\n")
        print("way               leader  scheduler  workers   total  / process  predictions/s")
        for way in ways:
            print(shown(way, ways[0], len(services)))


async def compare(spokes: int, ports: int, rounds: int, workers: int) -> None:
    """The findings of a large fleet, both ways."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with AsyncExitStack() as stack:
            services = fleet(*stack.enter_context(predictors(folder, ports)), spokes)
            ways = [await stack.enter_async_context(one) for one in (here(folder), dask(folder, workers))]
            last = [Aggregation((), ()) for _ in ways]
            for number in range(rounds):
                for place, way in enumerate(ways):
                    gathered = await way.round(services)
                    last[place] = concluded(last[place], number, gathered.observations)
                    tell(f"{spokes} spokes, round {number}: {way.name} {way.spent[-1]}")
        told = [orjson.dumps([one.findings, one.health]) for one in last]
        assert last[0].findings
        same = "the same, to the byte" if told[0] == told[1] else "NOT THE SAME"
        print(f"\n{spokes} spokes x {MODELS} models, {rounds} rounds, {workers} workers:")
        found, states = len(last[0].findings), len(last[0].health)
        print(f"{found} findings and {states} states of predictors, {len(told[0])} bytes: {same}")
        for way in ways:
            total = [sum(one[part] for part in ("leader", "scheduler", "workers")) for one in way.spent]
            took = ", ".join(f"{one['wall']:.1f}" for one in way.spent)
            print(f"{way.name:16} CPU s a round {', '.join(f'{one:.1f}' for one in total)}; seconds {took}")
        print(f"peak memory of the leader {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


def concluded(last: Aggregation, number: int, observations: Sequence[Observation]) -> Aggregation:
    """What a pass makes of a round, without the times, which no two rounds have in common."""
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)
    timeless = [replace(one, at=now, latency_ms=0.0) for one in observations]
    return aggregate(timeless, last.health, Aggregate(settle=0, raise_after=2), now=now)


def main() -> None:
    """Measure, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, default=1000)
    parser.add_argument("--ports", type=int, default=500, help="that the spokes share")
    parser.add_argument("--rounds", type=int, default=3, help="after the first, which opens the connections")
    parser.add_argument("--large", type=int, default=10_000, help="spokes whose findings are compared; 0: none")
    parser.add_argument("--workers", type=int, default=3, help="for that comparison")
    options = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=sys.stderr))
    libraries = ", ".join(f"{library} {version(library)}" for library in ("distributed", "uvloop", "httptools"))
    print(f"Python {platform.python_version()}, {libraries}, {os.cpu_count()} cores")
    print(f"{ROWS} rows of {FEATURES} numbers a prediction, over TLS; median of {options.rounds} interleaved rounds")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(measure(options.spokes, options.ports, options.rounds))
        if options.large:
            runner.run(compare(options.large, options.ports, 3, options.workers))


if __name__ == "__main__":
    main()
