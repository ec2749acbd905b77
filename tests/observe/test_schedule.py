"""When polls are due and who may begin: places that stay, load that is even, bounds that hold, nothing lost."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.predictor import InferenceService
from hubctl.model.values import ModelProfile
from hubctl.observe import schedule
from hubctl.observe.schedule import Bounds, Due

NAMES = st.text("abcdefgh-0123", min_size=1, max_size=8)


def service(cluster: str = "edge-a", name: str = "m", namespace: str = "models") -> InferenceService:
    return InferenceService(cluster, name, "v1", namespace, f"{name}-predictor", ModelProfile())


@given(NAMES, NAMES, st.floats(0.1, 3600), st.integers(0, 2**64))
def test_place_lies_in_the_round_and_is_the_same_for_every_version(
    cluster: str, name: str, seconds: float, seed: int
) -> None:
    one = service(cluster, name)
    other = InferenceService(cluster, name, "v2", "models", "elsewhere", ModelProfile())
    assert 0 <= schedule.place(one, seconds, seed) < seconds
    assert schedule.place(one, seconds, seed) == schedule.place(other, seconds, seed)


def test_place_stays_over_releases() -> None:
    assert schedule.place(service("edge-factory", "anomaly-detector"), 60.0) == pytest.approx(57.148152)


def test_places_are_spread_evenly_over_the_interval() -> None:
    fleet = [service(f"spoke-{number}", name) for number in range(3_000) for name in ("a", "b")]
    tenths = Counter(int(schedule.place(one, 60.0) / 6) for one in fleet)
    assert len(tenths) == 10
    assert max(tenths.values()) < 1.25 * min(tenths.values())


def test_two_hubs_ask_at_other_times() -> None:
    fleet = [service(f"spoke-{number}") for number in range(500)]
    one, other = schedule.seed_of("https://git.example.com/a main"), schedule.seed_of("https://git.example.com/b main")
    same = sum(abs(schedule.place(each, 60.0, one) - schedule.place(each, 60.0, other)) < 1 for each in fleet)
    assert same < 50


@given(st.lists(st.tuples(NAMES, NAMES), unique=True, max_size=40), st.sampled_from([0.0, 0.3, 60.0]))
def test_each_service_is_due_once_and_slots_rise(cells: list[tuple[str, str]], seconds: float) -> None:
    services = [service(*cell) for cell in cells]
    found = schedule.slots(services, seconds, 7)
    assert sorted(position for _, positions in found for position in positions) == list(range(len(services)))
    assert [at for at, _ in found] == sorted({at for at, _ in found})


@pytest.mark.parametrize(
    ("interval", "said", "seconds"), [(60.0, None, 6.0), (0.3, None, 1.0), (60.0, 2.0, 2.0), (60.0, 0.001, 0.05)]
)
def test_poll_may_be_late_by_a_tenth_of_the_interval_unless_told(
    interval: float, said: float | None, seconds: float
) -> None:
    assert schedule.patience(interval, said) == seconds


CLUSTERS = st.sampled_from(["a", "b", "c", "d"])
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("offer"), CLUSTERS), st.tuples(st.just("end"), CLUSTERS), st.tuples(st.just("wait"), CLUSTERS)
    ),
    max_size=80,
)


@given(STEPS, st.integers(1, 5), st.integers(1, 3))
def test_bounds_hold_and_every_poll_is_made_or_given_up(
    steps: list[tuple[str, str]], most: int, per_spoke: int
) -> None:
    bounds, now = Bounds(most, per_spoke), 0.0
    offered, begun, late = 0, 0, 0
    busy: Counter[str] = Counter()
    for what, cluster in [*steps, *(("end", name) for name in "abcd" * len(steps)), ("wait", "a"), ("wait", "a")]:
        if what == "offer":
            bounds.offer(Due(service(cluster), offered, now, now + 3))
            offered += 1
        elif what == "end" and busy[cluster]:
            bounds.done(cluster)
            busy[cluster] -= 1
        elif what == "wait":
            now += 2
            late += len(bounds.late(now))
        for due in bounds.ready():
            busy[due.service.cluster] += 1
            begun += 1
        assert busy.total() == bounds.under_way <= most
        assert max(busy.values(), default=0) <= per_spoke
    assert offered == begun + late


@given(st.lists(CLUSTERS, max_size=60), st.integers(1, 5), st.integers(1, 3))
def test_polls_that_are_never_late_are_all_made(clusters: list[str], most: int, per_spoke: int) -> None:
    bounds, begun = Bounds(most, per_spoke), []
    for number, cluster in enumerate(clusters):
        bounds.offer(Due(service(cluster), number, 0.0, float("inf")))
    under_way: list[Due] = []
    while started := list(bounds.ready()) or under_way:
        if started is not under_way:
            begun += started
            under_way += started
        bounds.done(under_way.pop(0).service.cluster)
    assert sorted(due.position for due in begun) == list(range(len(clusters)))


def test_slow_spoke_holds_no_slot_of_the_others() -> None:
    bounds = Bounds(4, 1)
    for number, cluster in enumerate(["slow"] * 5 + ["a", "b", "c"]):
        bounds.offer(Due(service(cluster), number, 0.0, 9.0))
    assert [due.service.cluster for due in bounds.ready()] == ["slow", "a", "b", "c"]
