"""What the store holds, how fast that grows and what it comes to, on both databases."""

from datetime import timedelta

from hubctl.model.health import Condition
from hubctl.model.incident import Verdict
from hubctl.model.keeping import Keep
from hubctl.store import tables
from hubctl.store.records import Part
from hubctl.store.schema import Store
from tests.store.storednouns import NOW, case, decision, minute, observation, predictor_health


def parts(store: Store, minutes: int, keep: Keep | None = None) -> dict[str, Part]:
    return {part.table: part for part in store.growth.parts(keep or Keep(), minute(minutes))}


def test_every_table_is_counted(store: Store) -> None:
    store.cases.save_incidents([case()])
    found = parts(store, 1)
    assert set(found) == set(tables.METADATA.tables)
    assert (found["incident"].rows, found["pause"].rows) == (1, 0)
    assert found["incident"].bytes >= 4096
    assert sum(part.bytes for part in found.values()) <= store.size().bytes


def test_rounds_grow_until_as_many_go_as_come(store: Store) -> None:
    keep = Keep(rounds=8)
    seen = [observation(cluster=f"edge-{n}", detail="x" * 50 + str(n)) for n in range(600)]
    store.journal.record([], seen, now=NOW, keep=keep)
    store.journal.record([], seen, now=minute(1), keep=keep)
    young = parts(store, 2, keep)["round"]
    assert young.at_end is not None
    assert young.grows == young.written > young.bytes * 500
    assert young.bytes * 3 < young.at_end < young.bytes * 5
    for number in range(2, 20):
        store.journal.record([], seen, now=minute(number), keep=keep)
    full = parts(store, 20, keep)["round"]
    assert (full.rows, full.grows) == (8, 0)
    assert full.written > 0
    assert (full.oldest, full.newest) == (minute(12), minute(19))


def test_growth_is_that_of_the_last_day(store: Store) -> None:
    store.cases.append_decisions([decision(Verdict.HOLD, at=NOW), decision(Verdict.OPEN, at=NOW)])
    assert parts(store, 60)["decision"].written > 0
    later = parts(store, 60 * 24 * 10)["decision"]
    assert (later.written, later.grows, later.at_end) == (0, 0, None)


def test_transitions_come_to_what_their_retention_holds(store: Store) -> None:
    for number in range(60):
        condition = Condition.ANOMALOUS if number % 2 else Condition.HEALTHY
        health = [predictor_health(cluster=f"edge-{n}", condition=condition, since=minute(number)) for n in range(20)]
        store.journal.record(health, now=minute(number))
    part = parts(store, 60, Keep(transitions=timedelta(days=10).total_seconds()))["transition"]
    assert part.rows == 59 * 20
    assert part.at_end is not None
    assert part.at_end == part.written * 10 or abs(part.at_end - part.written * 10) < 10


def test_empty_store_grows_by_nothing(store: Store) -> None:
    assert all(part.written == part.grows == 0 for part in parts(store, 0).values())
