"""A store of the release before packed rounds is carried over whole, and packed by the first pass."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from hubctl.errors import StoreUnavailable
from hubctl.model.health import Vote
from hubctl.model.keeping import Keep
from hubctl.store import codec, rounds, tables
from hubctl.store.schema import Store, open_store
from tests.store import older
from tests.store.storednouns import NOW, minute, observation, predictor_health

VOTES = tuple(Vote(f"{n:032x}", minute(n), "v1", 3, n % 2, bad=False) for n in range(5))
HEALTH = (
    predictor_health(votes=VOTES, last_at=minute(5)),
    predictor_health(cluster="edge-b", served=True),
)
SEEN = [observation(at=minute(n), detail=f"{n}") for n in range(5)]
OTHER = observation(cluster="edge-b", at=minute(4), latency_ms=float("inf"))


def row(noun: Any, **more: object) -> dict[str, object]:
    return {"cluster": noun.cluster, "model": noun.model, "document": codec.loads(codec.dumps(noun)), **more}


@pytest.fixture
def carried(empty: str) -> str:
    older.make(
        empty,
        "0005",
        *(("health", row(one)) for one in HEALTH),
        *(("observation", row(one, n=n)) for n, one in enumerate(SEEN, 1)),
        ("observation", row(OTHER, n=7)),
    )
    return empty


def test_health_and_observations_are_there_after_the_upgrade(carried: str) -> None:
    with open_store(carried) as store:
        assert store.journal.load_health() == HEALTH
        cells = {(one.cluster, one.model) for one in HEALTH}
        recent = store.journal.recent(cells, 100)
        assert [one for one in recent if one.cluster == "edge-a"] == list(reversed(SEEN))
        assert [one for one in recent if one.cluster == "edge-b"] == [OTHER]
        assert [one.cluster for one in store.journal.recent(cells, 1)] == ["edge-b", "edge-a"]


def test_first_pass_packs_what_was_carried_over(carried: str) -> None:
    with open_store(carried) as store:
        store.journal.record(HEALTH, (), now=minute(9))
        with store.database.reading() as connection:
            parts = set(connection.execute(sa.select(tables.memory.c.part)).scalars())
        assert parts == {"settled", "moving"}
    with open_store(carried) as store:
        assert store.journal.load_health() == HEALTH


def test_rounds_that_were_carried_over_are_pruned_as_others(carried: str) -> None:
    with open_store(carried) as store:
        for number in range(12):
            store.journal.record(HEALTH, (), now=NOW + timedelta(hours=number), keep=Keep(rounds=8))
        assert store.size().rows["round"] == 8


def test_store_without_predictors_gets_an_empty_memory(empty: str) -> None:
    older.make(empty, "0005")
    with open_store(empty) as store:
        assert store.journal.load_health() == ()
        assert store.size().rows["round"] == 0


@pytest.mark.parametrize("part", ["settled", "moving"])
def test_memory_that_is_damaged_is_refused(store: Store, second: Store, part: str) -> None:
    store.journal.record(HEALTH, (), now=NOW)
    table = tables.memory
    with store.database.writing() as connection:
        data = connection.execute(sa.select(table.c.data).where(table.c.part == part)).scalar_one()
        spoilt = data[:-1] + bytes([data[-1] ^ 1])
        connection.execute(sa.update(table).where(table.c.part == part).values(data=spoilt))
    with pytest.raises(StoreUnavailable, match="damaged") as caught:
        second.journal.load_health()
    assert "restore" in caught.value.hint


def test_migrations_make_the_tables_that_the_code_describes_on_either_database(store: Store) -> None:
    options = {"version_table": tables.VERSION_TABLE, "compare_type": True}
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.METADATA) == []


def test_part_of_the_old_release_is_named_as_the_migration_names_it() -> None:
    assert rounds.DOCUMENTS == "documents"
