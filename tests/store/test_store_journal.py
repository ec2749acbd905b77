from datetime import timedelta, timezone

import pytest

from hubctl.errors import StoreUnavailable
from hubctl.store.journal import GOOD_KEPT, PASSES_KEPT, RECENT_KEPT
from hubctl.store.schema import Store
from tests.store.storednouns import NOW, minute, observation, predictor_health


def test_health_that_is_not_saved_again_is_forgotten(store: Store) -> None:
    store.journal.save_health([predictor_health(), predictor_health(cluster="edge-b")])
    store.journal.save_health([predictor_health(cluster="edge-b", good_streak=4)])
    assert store.journal.load_health() == (predictor_health(cluster="edge-b", good_streak=4),)


def test_no_health_at_all_can_be_saved(store: Store) -> None:
    store.journal.save_health([predictor_health()])
    store.journal.save_health([])
    assert store.journal.load_health() == ()


def test_failed_save_keeps_the_health_before(store: Store) -> None:
    store.journal.save_health([predictor_health()])
    with pytest.raises(StoreUnavailable, match="UNIQUE"):
        store.journal.save_health([predictor_health(good_streak=1), predictor_health(good_streak=2)])
    assert store.journal.load_health() == (predictor_health(),)


def test_good_versions_come_newest_first(store: Store) -> None:
    for number, version in enumerate(("v1", "v2", "v1")):
        store.journal.record_all_good([("edge-a", "m", version)], minute(number))
    store.journal.record_all_good([("edge-b", "m", "v3")], NOW)
    assert store.journal.good_versions() == {("edge-a", "m"): ("v1", "v2"), ("edge-b", "m"): ("v3",)}


def test_oldest_good_versions_are_forgotten(store: Store) -> None:
    for number in range(GOOD_KEPT + 3):
        store.journal.record_all_good([("edge-a", "m", f"v{number}")], minute(number))
    kept = store.journal.good_versions()["edge-a", "m"]
    assert kept == tuple(f"v{number}" for number in range(GOOD_KEPT + 2, 2, -1))


def test_good_versions_of_many_predictors_are_recorded_at_once(store: Store) -> None:
    store.journal.record_all_good([], NOW)
    store.journal.record_all_good([("edge-a", "m", "v1"), ("edge-b", "m", "v1"), ("edge-a", "m", "v1")], NOW)
    assert store.journal.good_versions() == {("edge-a", "m"): ("v1",), ("edge-b", "m"): ("v1",)}


def test_last_observations_of_each_predictor_stay(store: Store) -> None:
    other = observation(cluster="edge-b")
    store.journal.record_observations([other])
    for number in range(RECENT_KEPT + 5):
        store.journal.record_observations([observation(at=minute(number))])
    kept = store.journal.recent("edge-a", "anomaly-detector")
    assert [one.at for one in kept] == [minute(number) for number in range(RECENT_KEPT + 4, 4, -1)]
    assert store.journal.recent("edge-b", "anomaly-detector") == (other,)
    assert store.size().rows["observation"] == RECENT_KEPT + 1


def test_several_observations_of_one_predictor_in_one_call_all_stay(store: Store) -> None:
    store.journal.record_observations([observation(at=minute(number)) for number in range(RECENT_KEPT + 5)])
    assert len(store.journal.recent("edge-a", "anomaly-detector")) == RECENT_KEPT


def test_predictor_never_polled_has_no_recent_observation(store: Store) -> None:
    store.journal.record_observations([])
    assert store.journal.recent("edge-a", "anomaly-detector") == ()


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
