from datetime import timedelta, timezone

import pytest
import sqlalchemy as sa

from hubctl.errors import StoreUnavailable
from hubctl.model.health import Condition, PredictorHealth, Vote
from hubctl.model.keeping import Keep
from hubctl.store import tables
from hubctl.store.journal import GOOD_KEPT, PASSES_KEPT
from hubctl.store.schema import Store
from tests.store.storednouns import NOW, minute, observation, predictor_health


def test_health_that_is_not_saved_again_is_forgotten(store: Store) -> None:
    store.journal.record([predictor_health(), predictor_health(cluster="edge-b")], now=NOW)
    store.journal.record([predictor_health(cluster="edge-b", good_streak=4)], now=NOW)
    assert store.journal.load_health() == (predictor_health(cluster="edge-b", good_streak=4),)


def test_no_health_at_all_can_be_saved(store: Store) -> None:
    store.journal.record([predictor_health()], now=NOW)
    store.journal.record([], now=NOW)
    assert store.journal.load_health() == ()


def test_failed_save_keeps_the_health_before(store: Store) -> None:
    store.journal.record([predictor_health()], now=NOW)
    with pytest.raises(StoreUnavailable, match="expected one health of anomaly-detector on edge-a, found two"):
        store.journal.record([predictor_health(good_streak=1), predictor_health(good_streak=2)], now=NOW)
    assert store.journal.load_health() == (predictor_health(),)


def good(version: str, cluster: str = "edge-a", number: int = 0) -> PredictorHealth:
    vote = Vote("window", minute(number), version, 1, 0, bad=False)
    return predictor_health(cluster=cluster, version=version, last_at=minute(number), votes=(vote,))


def test_good_versions_come_newest_first(store: Store, second: Store) -> None:
    for number, version in enumerate(("v1", "v2", "v1")):
        store.journal.record([good(version), good("v3", "edge-b")], now=minute(number))
    kept = {("edge-a", "anomaly-detector"): ("v1", "v2"), ("edge-b", "anomaly-detector"): ("v3",)}
    assert store.journal.good_versions() == second.journal.good_versions() == kept


def test_version_is_not_good_without_votes_or_health(store: Store) -> None:
    unknown = predictor_health(cluster="edge-b", condition=Condition.UNKNOWN)
    store.journal.record([predictor_health(), unknown], now=NOW)
    assert store.journal.good_versions() == {}


def test_version_that_is_good_again_comes_first_although_the_clock_stepped_back(store: Store, second: Store) -> None:
    for number, version in ((5, "v1"), (6, "v2"), (-60, "v1")):
        store.journal.record([good(version)], now=minute(number))
    assert second.journal.good_versions() == {("edge-a", "anomaly-detector"): ("v1", "v2")}


def test_oldest_good_versions_are_forgotten(store: Store, second: Store) -> None:
    for number in range(GOOD_KEPT + 3):
        store.journal.record([good(f"v{number}")], now=minute(number))
    kept = tuple(f"v{number}" for number in range(GOOD_KEPT + 2, 2, -1))
    for process in (store, second):
        assert process.journal.good_versions()["edge-a", "anomaly-detector"] == kept


def test_version_that_stays_good_is_not_written_again(store: Store) -> None:
    store.journal.record([good("v1")], now=NOW)
    store.journal.record([good("v1", number=1)], now=minute(1))
    with store.database.reading() as connection:
        (at,) = connection.execute(sa.select(tables.good_version.c.at)).scalars()
    assert at == NOW


def test_observations_of_the_latest_rounds_stay(store: Store, second: Store) -> None:
    keep, ours = Keep(rounds=8), ("edge-a", "anomaly-detector")
    for number in range(20):
        seen = [observation(cluster="edge-b", at=minute(number)), observation(at=minute(number))]
        store.journal.record([], seen, now=minute(number), keep=keep)
    for process in (store, second):
        kept = process.journal.recent({ours}, 100)
        assert [one.at for one in kept] == [minute(number) for number in range(19, 11, -1)]
        assert kept[:3] == process.journal.recent({ours}, 3)
        assert len(process.journal.recent({ours, ("edge-b", "anomaly-detector")}, 2)) == 4
    assert store.size().rows["round"] == 8


def test_shorter_retention_deletes_a_few_rounds_in_each_pass(store: Store) -> None:
    counts = []
    for number in range(20):
        store.journal.record([], now=minute(number), keep=Keep(rounds=64 if number < 15 else 8))
        counts.append(store.size().rows["round"])
    assert counts == [*range(1, 16), 12, 9, 8, 8, 8]


def test_several_observations_of_one_predictor_in_one_round_all_stay(store: Store) -> None:
    store.journal.record([], [observation(at=minute(number)) for number in range(3)], now=NOW)
    kept = store.journal.recent({("edge-a", "anomaly-detector")}, 1)
    assert [one.at for one in kept] == [minute(2), minute(1), minute(0)]


def test_predictor_never_polled_has_no_recent_observation(store: Store) -> None:
    store.journal.record([], now=NOW)
    assert store.journal.recent({("edge-a", "anomaly-detector")}, 5) == ()


def test_process_that_wrote_last_reads_nothing_again(store: Store, second: Store) -> None:
    store.journal.record([predictor_health()], now=NOW)
    assert store.journal.load_health() is store.journal.load_health()
    second.journal.record([], now=NOW)
    assert store.journal.load_health() == ()


def test_pass_that_died_stays_without_an_end(store: Store) -> None:
    assert store.journal.last_pass() is None
    number = store.journal.begin_pass(NOW)
    last = store.journal.last_pass()
    assert last is not None
    assert (last.id, last.began_at, last.ended_at) == (number, NOW, None)


def test_pass_ends_once(store: Store) -> None:
    number = store.journal.begin_pass(NOW)
    store.journal.end_pass(number, minute(1), "abc123", "2 spokes changed")
    last = store.journal.last_pass()
    assert last is not None
    assert (last.ended_at, last.commit, last.summary) == (minute(1), "abc123", "2 spokes changed")
    with pytest.raises(StoreUnavailable, match=f"pass {number} is not under way"):
        store.journal.end_pass(number, minute(2), "", "")


def test_oldest_passes_are_forgotten(store: Store) -> None:
    with store.transaction():
        numbers = [store.journal.begin_pass(minute(number)) for number in range(PASSES_KEPT + 5)]
    last = store.journal.last_pass()
    assert last is not None
    assert last.id == numbers[-1]
    assert store.size().rows["pass"] == PASSES_KEPT


def test_instant_of_another_zone_comes_back_in_utc(store: Store) -> None:
    store.journal.begin_pass(NOW.astimezone(timezone(timedelta(hours=5, minutes=30))))
    last = store.journal.last_pass()
    assert last is not None
    assert (last.began_at, last.began_at.utcoffset()) == (NOW, timedelta(0))
