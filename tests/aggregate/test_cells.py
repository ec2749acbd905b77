"""What one predictor's health becomes, poll by poll."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.aggregate.cells import age, fold
from hubctl.model.health import Condition
from hubctl.model.predictor import Outcome
from hubctl.model.values import Aggregate
from tests.aggregate.polls import BAD, GOOD, POLICY, folded, minute, seen

KINDS = [GOOD, BAD, "timeout", "unreachable", "not_ready", "not_found", "empty"]
UNKNOWNS = ["timeout", "unreachable", "not_ready", "tls", "malformed", "empty"]


@pytest.mark.parametrize(
    ("kinds", "condition", "reason"),
    [
        ([GOOD], Condition.UNKNOWN, "new-version"),
        ([GOOD] * 2, Condition.UNKNOWN, "too-few-votes"),
        ([GOOD] * 3, Condition.HEALTHY, "votes-good"),
        ([BAD] * 2, Condition.UNKNOWN, "too-few-votes"),
        ([BAD] * 3, Condition.ANOMALOUS, "votes-bad"),
        ([BAD, GOOD, BAD, BAD], Condition.ANOMALOUS, "votes-bad"),
        ([BAD, GOOD, GOOD, BAD, BAD], Condition.HEALTHY, "votes-good"),
        ([BAD, BAD, BAD, GOOD, GOOD], Condition.ANOMALOUS, "clearing"),
        ([BAD, BAD, BAD, GOOD, GOOD, BAD, GOOD, GOOD], Condition.ANOMALOUS, "clearing"),
        ([BAD, BAD, BAD, GOOD, GOOD, GOOD], Condition.HEALTHY, "votes-good"),
        ([GOOD, GOOD, GOOD, "timeout"], Condition.UNKNOWN, "timeout"),
        ([GOOD, GOOD, GOOD, "timeout", "empty"], Condition.UNKNOWN, "no-features"),
        (["forecast"], Condition.HEALTHY, "answers"),
        (["malformed"], Condition.UNKNOWN, "malformed"),
    ],
)
def test_votes_raise_and_clear(kinds: list[str], condition: Condition, reason: str) -> None:
    health = folded(kinds)
    assert (health.condition, health.reason) == (condition, reason)


@pytest.mark.parametrize("unknown", UNKNOWNS)
def test_flapping_between_bad_and_unknown_still_raises(unknown: str) -> None:
    assert folded([BAD, unknown, BAD, unknown, unknown, BAD]).condition is Condition.ANOMALOUS


@pytest.mark.parametrize("unknown", UNKNOWNS)
def test_unknown_polls_do_not_clear(unknown: str) -> None:
    health = folded([BAD, BAD, BAD, unknown, unknown, unknown, GOOD])
    assert (health.condition, health.reason) == (Condition.ANOMALOUS, "clearing")


def test_good_votes_with_unknown_between_them_clear() -> None:
    assert folded([BAD, BAD, BAD, GOOD, "timeout", GOOD, "timeout", GOOD]).condition is Condition.HEALTHY


def test_half_of_the_rows_make_a_bad_vote_by_default() -> None:
    one, two = (fold(None, replace(seen(BAD), anomalies=count), POLICY).votes[0] for count in (1, 2))
    assert (one.bad, two.bad) == (False, True)


@given(st.integers(2, 200))
def test_same_window_repeated_never_escalates(times: int) -> None:
    health = None
    for number in range(times):
        health = fold(health, seen(BAD, number, window="same"), POLICY)
    assert health is not None
    assert len(health.votes) == 1
    assert not health.raised


def test_window_that_comes_back_later_is_no_second_vote() -> None:
    health = None
    for number, window in enumerate(["x", "y", "x", "y", "x"]):
        health = fold(health, seen(BAD, number, window=window), POLICY)
    assert health is not None
    assert [vote.window for vote in health.votes] == ["x", "y"]


@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=120))
def test_remembered_votes_are_bounded(kinds: list[str]) -> None:
    assert len(folded(kinds, Aggregate(window=1e6, settle=0)).votes) <= POLICY.raise_after + 1 + POLICY.clear_after + 16


@given(st.lists(st.sampled_from(KINDS), min_size=1, max_size=40))
def test_anomalous_and_healthy_both_need_enough_votes(kinds: list[str]) -> None:
    health = folded(kinds)
    votes = [kind for kind in kinds if kind in (GOOD, BAD)]
    if health.condition is not Condition.UNKNOWN:
        assert len(votes) >= POLICY.min_votes
        assert kinds[-1] in (GOOD, BAD)


@given(st.lists(st.sampled_from(KINDS), max_size=30), st.sampled_from(UNKNOWNS), st.integers(1, 3))
def test_unknown_polls_change_no_vote_and_no_streak_of_votes(kinds: list[str], unknown: str, times: int) -> None:
    before = folded([GOOD, *kinds])
    after = before
    for number in range(times):
        after = fold(after, seen(unknown, len(kinds) + 1 + number), POLICY)
    assert (after.raised, after.good_streak, after.votes) == (before.raised, before.good_streak, before.votes)


def test_votes_older_than_the_window_do_not_count() -> None:
    health = folded([BAD, BAD])
    health = fold(health, seen(BAD, 70), POLICY)
    assert (health.condition, len(health.votes)) == (Condition.UNKNOWN, 1)


def test_without_a_vote_for_stale_after_the_predictor_is_unknown() -> None:
    health = folded([GOOD] * 3)
    assert age(health, minute(7), POLICY).condition is Condition.HEALTHY
    stale = age(health, minute(7.1), POLICY)
    assert (stale.condition, stale.reason, stale.since) == (Condition.UNKNOWN, "stale", minute(7.1))


def test_answers_on_a_window_that_never_changes_go_stale() -> None:
    health = folded([GOOD] * 3)
    for number in range(3, 10):
        health = fold(health, seen(GOOD, number, window="w2"), POLICY)
    assert (health.condition, health.reason) == (Condition.UNKNOWN, "stale")


@given(st.integers(9, 200))
def test_anomaly_that_went_stale_needs_good_votes_to_clear(minutes: int) -> None:
    health = age(folded([BAD] * 4), minute(minutes), POLICY)
    assert health.condition is Condition.UNKNOWN
    conditions = []
    for number in range(3):
        health = fold(health, seen(GOOD, minutes + number), POLICY)
        conditions.append(health.condition)
    assert Condition.HEALTHY not in conditions[:2]
    assert conditions[2] is Condition.HEALTHY


def test_forecast_goes_stale_without_answers() -> None:
    assert age(folded(["forecast"]), minute(4), POLICY).condition is Condition.HEALTHY
    assert age(folded(["forecast"]), minute(6), POLICY).reason == "stale"


def test_new_version_starts_anew() -> None:
    health = fold(folded([BAD] * 4), seen(BAD, 4, version="v2"), POLICY)
    assert (health.condition, health.reason, health.version) == (Condition.UNKNOWN, "new-version", "v2")
    assert (len(health.votes), health.raised, health.version_since) == (1, False, minute(4))


def test_votes_count_only_once_the_version_has_settled() -> None:
    policy = Aggregate(settle=120.0)
    health = folded([BAD, BAD], policy)
    assert (health.reason, health.votes) == ("settling", ())
    health = fold(health, seen(BAD, 2, window="w0"), policy)
    assert [vote.window for vote in health.votes] == ["w0"]


@pytest.mark.parametrize("kind", ["not_found", "malformed", "unauthorized", "forbidden", "tls"])
def test_faults_are_counted_while_they_stay_the_same(kind: str) -> None:
    health = folded([kind, kind, "not_ready", kind])
    assert (health.fault, health.fault_streak) == (Outcome(kind), 3)
    other = "malformed" if kind != "malformed" else "forbidden"
    assert folded([kind, kind, other]).fault_streak == 1
    assert folded([kind, kind, GOOD]).fault is None


def test_polls_without_a_usable_answer_are_counted() -> None:
    assert folded(["timeout", "unreachable", "not_ready", "tls"]).unreachable_streak == 4
    assert folded(["timeout", "unreachable", "not_found"]).unreachable_streak == 0


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.integers(-30, 30)), min_size=1, max_size=30))
def test_clock_that_steps_leaves_no_time_in_the_future(polls: list[tuple[str, int]]) -> None:
    health = None
    for number, (kind, at) in enumerate(polls):
        health = fold(health, seen(kind, at, window=f"w{number}"), POLICY)
        now = minute(at)
        times = [health.since, health.version_since, health.last_at, *(vote.at for vote in health.votes)]
        assert all(now - time >= timedelta(0) for time in times)


def test_clock_that_steps_back_keeps_the_verdict() -> None:
    health = age(folded([BAD] * 3), minute(-10), POLICY)
    assert (health.condition, health.last_at) == (Condition.ANOMALOUS, minute(-10))


def test_window_that_never_changes_votes_once_however_long_it_stays() -> None:
    health = fold(None, seen(GOOD, 0, window="same"), POLICY)
    for number in range(30, 600, 30):
        health = fold(age(health, minute(number), POLICY), seen(GOOD, number, window="same"), POLICY)
    assert (health.good_streak, health.votes[0].at) == (1, minute(0))
