from hypothesis import given
from hypothesis import strategies as st

from hubctl.shards import assign
from tests.shards.fleets import service

NAMES = st.sets(st.text("abcdef0123456789-.:/", min_size=1, max_size=12), min_size=1, max_size=8)
SHARDS = st.sampled_from([1, 2, 16, 64, 256])


@given(st.text(min_size=1, max_size=63), SHARDS)
def test_spoke_has_one_shard_for_ever(cluster: str, shards: int) -> None:
    assert assign.shard_of(cluster, shards) == assign.shard_of(cluster, shards)
    assert 0 <= assign.shard_of(cluster, shards) < shards


def test_shard_of_a_spoke_is_the_same_in_every_release() -> None:
    assert [assign.shard_of(f"edge-{n}", 256) for n in range(4)] == [201, 173, 16, 4]


@given(SHARDS, NAMES)
def test_every_shard_has_one_worker_whatever_order_they_came_in(shards: int, workers: set[str]) -> None:
    found = assign.places(shards, sorted(workers))
    assert found == assign.places(shards, sorted(workers, reverse=True))
    assert sorted(found) == list(range(shards))
    assert set(found.values()) <= workers


@given(SHARDS, NAMES, st.text("xyz", min_size=1, max_size=4))
def test_worker_that_joins_takes_shards_and_moves_none_between_others(
    shards: int, workers: set[str], joins: str
) -> None:
    before, after = assign.places(shards, workers), assign.places(shards, {*workers, joins})
    assert {after[shard] for shard in before if after[shard] != before[shard]} <= {joins}


@given(SHARDS, NAMES, st.text("xyz", min_size=1, max_size=4))
def test_worker_that_leaves_moves_its_own_shards_only(shards: int, workers: set[str], leaves: str) -> None:
    before, after = assign.places(shards, {*workers, leaves}), assign.places(shards, workers)
    assert all(before[shard] == leaves for shard in before if after[shard] != before[shard])


def test_shards_are_spread_over_the_workers() -> None:
    found = list(assign.places(256, [f"worker-{number}" for number in range(4)]).values())
    assert all(44 <= found.count(f"worker-{number}") <= 84 for number in range(4))


def test_no_workers_have_no_shards() -> None:
    assert assign.places(16, ()) == {}


@given(st.lists(st.integers(0, 30), max_size=60), SHARDS)
def test_every_predictor_is_in_the_shard_of_its_spoke_once(spokes: list[int], shards: int) -> None:
    services = [service(f"edge-{number}") for number in spokes]
    found = assign.divided(services, shards)
    assert sorted(place for places in found.values() for place in places) == list(range(len(services)))
    for shard, places in found.items():
        assert list(places) == sorted(places)
        assert {assign.shard_of(services[place].cluster, shards) for place in places} == {shard}
