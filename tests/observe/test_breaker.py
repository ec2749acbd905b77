"""Breakers and the budget of retries: what holds whatever happens in whatever order."""

from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.observing import Breaker, Observe
from hubctl.observe import breaker
from hubctl.observe.breaker import CLOSED, Breakers, State
from hubctl.observe.budget import Budget

RULES = Breaker(failures=3, most=100.0, retry_after_most=60.0)


def after(times: int, state: State = CLOSED, now: float = 0.0, jitter: float = 0.0) -> State:
    for _ in range(times):
        state = breaker.failed(state, now, RULES, 10.0, jitter)
    return state


def test_breaker_opens_with_the_last_of_its_failures_and_not_before() -> None:
    assert breaker.may(after(2), 0.0)
    assert not breaker.may(after(3), 0.0)
    assert not breaker.may(after(3), 9.9)


def test_one_trial_is_let_through_once_its_time_is_over() -> None:
    state = after(3)
    assert breaker.may(state, 10.0)
    trial = breaker.tried(state, 10.0)
    assert not breaker.may(trial, 10.0)
    assert breaker.may(trial, 71.0), "a trial whose end nobody told"


def test_failed_trial_doubles_the_time_up_to_the_ceiling() -> None:
    state, now, times = after(3), 10.0, []
    for _ in range(6):
        state = breaker.failed(breaker.tried(state, now), now, RULES, 10.0, 0.0)
        times.append(state.until - now)
        now = state.until
    assert times == [20.0, 40.0, 80.0, 100.0, 100.0, 100.0]


def test_answer_that_was_under_way_when_it_opened_lengthens_nothing() -> None:
    assert after(6).until == after(3).until


def test_jitter_only_shortens_by_up_to_a_fifth() -> None:
    assert after(3, jitter=1.0).until == 8.0


def test_breaker_of_nothing_never_opens() -> None:
    rules, state = RULES.model_copy(update={"most": 0.0}), CLOSED
    for _ in range(9):
        state = breaker.failed(state, 0.0, rules, 10.0, 0.0)
    assert breaker.may(state, 0.0)


KEYS = st.sampled_from(["a", "b"])
EVENTS = st.lists(
    st.tuples(st.sampled_from(["failed", "answered", "left alone", "asked"]), KEYS, st.floats(0, 50, allow_nan=False)),
    max_size=60,
)


@given(EVENTS)
def test_no_breaker_is_open_longer_than_allowed_nor_after_an_answer(events: list[tuple[str, str, float]]) -> None:
    held, now = Breakers(RULES, 10.0, lambda _: 0.5), 0.0
    for what, key, seconds in events:
        now += seconds
        if what == "failed":
            held.failed(key, now)
        elif what == "left alone":
            held.left_alone(key, now, seconds * 100)
        elif what == "asked" and held.may(key, now):
            held.tried(key, now)
        elif what == "answered":
            held.answered(key)
            assert held.may(key, now)
        assert held.may(key, now + 100.0)
        assert held.open(now) <= 2


@given(EVENTS)
def test_breakers_of_others_are_others(events: list[tuple[str, str, float]]) -> None:
    held = Breakers(RULES, 10.0)
    for what, key, seconds in events:
        if key == "a" and what == "failed":
            held.failed(key, seconds)
    assert held.state("b") == CLOSED
    held.keep(["b"])
    assert held.state("a") == CLOSED


def test_retry_after_is_honoured_up_to_its_ceiling_and_told() -> None:
    held = Breakers(RULES, 10.0)
    held.left_alone("a", 0.0, 3600.0)
    assert (held.may("a", 59.0), held.may("a", 60.0), held.state("a").asked) == (False, True, True)


def test_breaker_leaves_out_one_poll_the_first_time_at_any_interval() -> None:
    held = Breakers.of(Observe(interval=60.0))
    for now in (0.0, 60.0, 120.0):
        held.failed("a", now)
    assert (held.may("a", 180.0), held.may("a", 240.0)) == (False, True)


def test_breaker_is_open_for_ten_intervals_at_most() -> None:
    short = Observe(interval=1.0, deadline=1.0)
    assert breaker.longest(short) == 10.0
    assert breaker.longest(Observe()) == 150.0


@given(st.lists(st.integers(0, 200), min_size=1, max_size=20), st.floats(0, 1))
def test_no_more_than_its_share_of_a_fleets_polls_is_made_twice(rounds: list[int], share: float) -> None:
    budget, retried = Budget(share), 0
    for polls in rounds:
        budget.due(polls)
        this = sum(budget.take() for _ in range(polls))
        assert this <= max(1.0, share * polls)
        retried += this
    assert retried <= share * sum(rounds) + 1e-6


def test_what_one_small_fleet_saves_up_is_one_retry() -> None:
    budget = Budget(0.1)
    for _ in range(100):
        budget.due(6)
    assert [budget.take() for _ in range(3)] == [True, False, False]
