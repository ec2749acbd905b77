"""What is saved of predictors is what is loaded, whatever the passes were like and whoever made them."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.aggregate import aggregate
from hubctl.errors import StoreUnavailable
from hubctl.model.health import PredictorHealth
from hubctl.model.keeping import Keep
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate
from hubctl.store import memory, tables
from hubctl.store.database import Database
from hubctl.store.journal import Journal
from tests.store.storednouns import HEALTHS, NOW, observation

KEEP = Keep(rounds=8)
POLICY = Aggregate(settle=0, window=400, stale_after=300)
NAMES = ("edge-a", "edge-b", "edge-c")


@dataclass(frozen=True)
class Made:
    """A pass: who makes it, when, what it sees, and what becomes of it.

    Attributes:
        who: one of two processes; the third is a new one.
        died: its transaction was undone.
        instead: health that nothing explains.
    """

    who: int
    seconds: int
    seen: tuple[Observation, ...]
    fleet: tuple[str, ...]
    died: bool
    instead: tuple[PredictorHealth, ...] | None


SEEN = st.builds(
    observation,
    cluster=st.sampled_from(NAMES),
    version=st.sampled_from(["v1", "v1", "v1", "v2"]),
    outcome=st.sampled_from([Outcome.OK, Outcome.OK, Outcome.OK, Outcome.TIMEOUT, Outcome.SKIPPED]),
    window=st.binary(min_size=1, max_size=1).map(lambda byte: byte.hex() * 16),
    instances=st.just(4),
    anomalies=st.integers(0, 4),
    votes=st.just(value=True),
)
PASSES = st.builds(
    Made,
    who=st.integers(0, 2),
    seconds=st.sampled_from([30, 30, 30, 60, 400, -100]),
    seen=st.lists(SEEN, max_size=6).map(tuple),
    fleet=st.sampled_from([NAMES, NAMES, NAMES, NAMES[:2], NAMES[1:], ()]),
    died=st.sampled_from([False, False, False, True]),
    instead=st.none()
    | st.none()
    | st.lists(HEALTHS, max_size=3, unique_by=lambda one: (one.cluster, one.model)).map(tuple),
)


class Undone(Exception):  # noqa: N818 - not an error: ends a transaction
    """Rolls it back."""


@pytest.fixture
def shared() -> Iterator[Database]:
    database = empty()
    yield database
    database.close()


def empty() -> Database:
    made = Database(sa.URL.create("sqlite", database=":memory:"))
    with made.writing() as connection:
        tables.METADATA.create_all(connection)
    return made


@settings(max_examples=40)
@given(st.lists(PASSES, min_size=1, max_size=20))
def test_health_that_is_loaded_is_the_health_that_was_saved(passes: list[Made]) -> None:
    shared, now = empty(), NOW
    saved: tuple[PredictorHealth, ...] = ()
    processes = [Journal(shared), Journal(shared)]
    for made in passes:
        now += timedelta(seconds=made.seconds)
        process = Journal(shared) if made.who == 2 else processes[made.who]
        assert process.load_health() == saved
        seen = [replace(one, at=now - timedelta(seconds=row)) for row, one in enumerate(made.seen)]
        expected = frozenset((name, "anomaly-detector") for name in made.fleet)
        health = aggregate(seen, saved, POLICY, now=now, expected=expected).health
        health = (
            health if made.instead is None else tuple(sorted(made.instead, key=lambda one: (one.cluster, one.model)))
        )
        try:
            with shared.transaction():
                process.record(health, seen, now=now, keep=KEEP)
                if made.died:
                    raise Undone  # noqa: TRY301 - it is to go through the transaction
            saved = health
        except Undone:
            pass
        assert Journal(shared).load_health() == process.load_health() == saved
    shared.close()


def steady(process: Journal, rounds: int, predictors: int = 40) -> tuple[PredictorHealth, ...]:
    """Rounds in which every predictor is seen, every fifth time with a new window."""
    policy, health = Aggregate(settle=0), process.load_health()
    for number in range(rounds):
        now = NOW + timedelta(seconds=30 * number)
        seen = [
            observation(cluster=f"edge-{n:02}", at=now, window=f"{(number + n) // 5:032x}", instances=1, votes=True)
            for n in range(predictors)
        ]
        health = aggregate(seen, health, policy, now=now).health
        process.record(health, seen, now=now, keep=KEEP)
    return health


def test_old_rounds_go_although_votes_are_older(shared: Database) -> None:
    health = steady(Journal(shared), 60)
    assert max(len(one.votes) for one in health) > 10
    with shared.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(tables.rounds)).scalar_one() <= KEEP.rounds + 1
    assert Journal(shared).load_health() == health


def test_votes_of_a_steady_fleet_are_marks_and_a_rotation(shared: Database) -> None:
    process = Journal(shared)
    steady(process, 20)
    with shared.reading() as connection:
        carried = list(connection.execute(sa.select(tables.rounds.c.carried)).scalars())
    assert all(data is None or len(data) < 2_000 for data in carried)


def test_every_field_of_health_is_in_a_sheet() -> None:
    known = {*memory.KINDS[memory.SETTLED], *memory.KINDS[memory.MOVING], "votes"} - {memory.VOTES}
    assert known == {field.name for field in fields(PredictorHealth)}


def test_votes_that_are_missing_are_refused(shared: Database) -> None:
    steady(Journal(shared), 3)
    with shared.writing() as connection:
        connection.execute(sa.delete(tables.rounds).where(tables.rounds.c.number == 1))
    with pytest.raises(StoreUnavailable, match="predictors are missing"):
        Journal(shared).load_health()
