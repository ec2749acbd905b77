"""What it costs to record a pass over a fleet's predictors, and to load what is remembered, beside a floor.

Health is made outside the clock, as aggregation would: votes join and drop out, conditions turn. The floor is the bare
insert of as many bytes by the database's own driver, in a transaction of its own. SQLite syncs each commit; PostgreSQL
does with --sync, a server of the tests' own does not by default. Set TMPDIR to choose the file system.
"""

import argparse
import gc
import os
import platform
import random
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa

from hubctl.model.health import Condition, PredictorHealth, Vote
from hubctl.model.predictor import Observation, Outcome
from hubctl.store import tables
from hubctl.store.schema import Store, open_store
from tests.store import postgresserver

RUNS = 7
INTERVAL = timedelta(seconds=30)
MODELS = 5
LOST = 0.01
"""Share of polls without an answer."""

VOTES = 12
"""An hour's windows of five minutes."""

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Fleet:
    """Predictors and what becomes of them.

    Attributes:
        windows: rounds for which a window stays the same.
        turning: share of the predictors whose condition turns in each round.
    """

    predictors: int
    windows: int
    turning: float = 0.0
    health: tuple[PredictorHealth, ...] = ()
    number: int = 0
    digests: list[str] = field(default_factory=list)
    chance: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311 - no secret

    def next(self) -> tuple[Sequence[Observation], tuple[PredictorHealth, ...], datetime]:
        """One more round."""
        begins = NOW + self.number * INTERVAL
        self.digests = self.digests or [f"{self.chance.getrandbits(128):032x}" for _ in range(self.predictors)]
        for place in range(self.number % self.windows, self.predictors, self.windows):
            self.digests[place] = f"{self.chance.getrandbits(128):032x}"
        seen = [self._polled(place, begins) for place in range(self.predictors)]
        turned = set(self.chance.sample(range(self.predictors), int(self.turning * self.predictors)))
        before = self.health or (None,) * self.predictors
        self.health = tuple(
            self._folded(last, one, turns=place in turned)
            for place, (last, one) in enumerate(zip(before, seen, strict=True))
        )
        self.number += 1
        return seen, self.health, begins + INTERVAL

    def _polled(self, place: int, begins: datetime) -> Observation:
        lost = self.chance.random() < LOST
        return Observation(
            cluster=f"spoke-{place // MODELS:05}",
            model=f"model-{place % MODELS}",
            version="v3",
            at=begins + timedelta(microseconds=self.chance.randrange(30_000_000)),
            outcome=Outcome.TIMEOUT if lost else Outcome.OK,
            reason="no_answer" if lost else "",
            window="" if lost else self.digests[place],
            instances=0 if lost else 24,
            latency_ms=self.chance.uniform(2, 60),
            votes=not lost,
            route="clusterProxy",
        )

    @staticmethod
    def _folded(last: PredictorHealth | None, seen: Observation, *, turns: bool) -> PredictorHealth:
        if last is None:
            last = PredictorHealth(
                seen.cluster, seen.model, seen.version, Condition.UNKNOWN, "new-version", seen.at, seen.at, seen.at,
                seen.outcome,
            )  # fmt: skip
        votes = last.votes
        if seen.votes and (not votes or votes[-1].window != seen.window):
            votes = (*votes, Vote(seen.window, seen.at, seen.version, 24, 0, bad=False))[-VOTES:]
        condition = Condition.HEALTHY if (last.condition is Condition.HEALTHY) is not turns else Condition.ANOMALOUS
        return PredictorHealth(
            last.cluster, last.model, last.version, condition, "votes-good" if condition is Condition.HEALTHY else
            "votes-bad", seen.at if turns else last.since, last.version_since, seen.at, seen.outcome, votes,
            last.good_streak + (votes is not last.votes), None, 0, 0 if seen.votes else last.unreachable_streak + 1,
        )  # fmt: skip


@dataclass(frozen=True)
class Cost:
    """Milliseconds."""

    wall: float
    cpu: float


def timed(work: Callable[[], object]) -> Cost:
    """One run; of PostgreSQL the CPU is the client's alone."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost((time.perf_counter() - wall) * 1e3, (time.process_time() - cpu) * 1e3)


def middle(costs: Sequence[Cost]) -> Cost:
    return Cost(statistics.median(cost.wall for cost in costs), statistics.median(cost.cpu for cost in costs))


@contextmanager
def databases(*, sync: bool) -> Iterator[dict[str, str]]:
    """The URL of an empty store on each database."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="hubctl-bench-"))
        found = {"sqlite": f"sqlite:///{folder}/hubctl.db"}
        server = stack.enter_context(postgresserver.running())
        if sync:
            server.run("ALTER SYSTEM SET fsync = on")
            server.run("SELECT pg_reload_conf()")
        found["postgresql"] = stack.enter_context(server.database())
        yield found


def floor(url: str, size: int) -> list[Cost]:
    """The bare insert of so many bytes."""
    data = os.urandom(size)
    if url.startswith("sqlite"):
        path = Path(sa.make_url(url).database or "").with_name("floor.db")
        bare = sqlite3.connect(path, isolation_level=None)
        for statement in ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "CREATE TABLE floor (data BLOB)"):
            bare.execute(statement)

        def insert() -> None:
            bare.execute("BEGIN IMMEDIATE")
            bare.execute("INSERT INTO floor VALUES (?)", (data,))
            bare.execute("COMMIT")

        costs = [timed(insert) for _ in range(RUNS)]
        bare.close()
        return costs
    engine = sa.create_engine(url)
    with engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("CREATE TABLE floor (data bytea)")
        raw.execute("ALTER TABLE floor ALTER COLUMN data SET STORAGE EXTERNAL")
        raw.commit()

        def put() -> None:
            raw.execute("INSERT INTO floor VALUES (%s)", (data,))
            raw.commit()

        costs = [timed(put) for _ in range(RUNS)]
    engine.dispose()
    return costs


def recorded(stores: dict[str, Store], fleet: Fleet, rounds: int) -> dict[str, list[Cost]]:
    """What each of so many rounds costs each store, in turn."""
    costs: dict[str, list[Cost]] = {name: [] for name in stores}
    for _ in range(rounds):
        seen, health, now = fleet.next()
        for name, store in stores.items():
            costs[name].append(timed(lambda: store.journal.record(health, seen, now=now)))  # noqa: B023 - called here
    return costs


def bytes_of(store: Store) -> int:
    """Of the newest round."""
    statement = sa.select(sa.func.length(tables.rounds.c.data)).order_by(tables.rounds.c.number.desc()).limit(1)
    with store.database.reading() as connection:
        return int(connection.execute(statement).scalar_one())


def loaded(urls: dict[str, str], wanted: tuple[PredictorHealth, ...]) -> dict[str, list[Cost]]:
    """What it costs a new process to load the health, which is checked."""
    costs: dict[str, list[Cost]] = {name: [] for name in urls}
    for name, url in urls.items():
        for _ in range(3):
            with open_store(url) as store:
                found: list[tuple[PredictorHealth, ...]] = []
                costs[name].append(timed(lambda: found.append(store.journal.load_health())))  # noqa: B023 - as above
                assert found == [wanted]
    return costs


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--predictors", type=int, default=50_000)
    options.add_argument("--sync", action="store_true", help="PostgreSQL syncs each commit too")
    given = options.parse_args()
    print(f"{given.predictors} predictors; medians of {RUNS}, milliseconds; load {os.getloadavg()[0]:.1f}")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} CPUs\n")
    print(f"{'':38} | {'sqlite: wall':>12} {'CPU':>7} | {'postgresql: wall':>16} {'CPU':>7}")
    with databases(sync=given.sync) as urls, ExitStack() as stack:
        stores = {name: stack.enter_context(open_store(url)) for name, url in urls.items()}
        fleet = Fleet(given.predictors, windows=10)
        rows = [("first pass", recorded(stores, fleet, 1))]
        recorded(stores, fleet, 2)
        rows.append(("pass, every tenth has a new window", recorded(stores, fleet, RUNS)))
        fleet.turning = 0.01
        rows.append(("the same, and 1 % transitions", recorded(stores, fleet, RUNS)))
        fleet.turning, fleet.windows = 0.0, 1
        recorded(stores, fleet, 2)
        rows.append(("pass, every one has a new window", recorded(stores, fleet, RUNS)))
        size = bytes_of(stores["sqlite"])
        rows.append(("load in a new process", loaded(urls, fleet.health)))
        rows.append((f"floor: {size / 1e6:.1f} MB, bare", {name: floor(url, size) for name, url in urls.items()}))
        for name, costs in rows:
            lite, post = middle(costs["sqlite"]), middle(costs["postgresql"])
            print(f"{name:38} | {lite.wall:12.0f} {lite.cpu:7.0f} | {post.wall:16.0f} {post.cpu:7.0f}")
        votes = sum(len(one.votes) for one in fleet.health) / len(fleet.health)
        print(f"\n{votes:.1f} votes a predictor; a round holds {size / given.predictors:.0f} bytes of each")
        with stores["sqlite"].database.reading() as connection:
            changes = connection.execute(sa.select(sa.func.count()).select_from(tables.transition)).scalar_one()
        print(f"{changes} transitions in {fleet.number} rounds")


if __name__ == "__main__":
    main()
