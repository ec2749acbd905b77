"""Passes that take parts of rounds, none or skipped polls conclude what passes over whole rounds do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.aggregate import Aggregation, Said, aggregate
from hubctl.model.health import FindingKind
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate
from tests.aggregate.polls import minute, seen
from tests.aggregate.test_backoff import FLEETS, polled

POLICY = Aggregate(settle=0)


def skipped(one: Observation) -> Observation:
    return replace(one, outcome=Outcome.SKIPPED, reason="late", votes=False, instances=0)


@given(FLEETS, st.lists(st.integers(0, 16), min_size=1, max_size=8))
def test_round_that_two_passes_take_in_parts_is_concluded_as_if_one_took_it(
    fleet: dict[str, tuple[str, str]], cuts: list[int]
) -> None:
    whole = parts = Aggregation((), ())
    for at, cut in enumerate(cuts):
        now, polls = minute(at), polled(fleet, at)
        whole = aggregate(polls, whole.health, POLICY, now=now)
        for part in (polls[:cut], polls[cut:]):
            parts = aggregate(part, parts.health, POLICY, now=now)
        assert parts == whole


@given(FLEETS, st.integers(1, 6))
def test_pass_that_saw_nothing_yet_finds_what_the_last_one_did(fleet: dict[str, tuple[str, str]], count: int) -> None:
    before = Aggregation((), ())
    for at in range(count):
        before = aggregate(polled(fleet, at), before.health, POLICY, now=minute(at))
    for polls in ([], [skipped(one) for one in polled(fleet, count)]):
        after = aggregate(polls, before.health, POLICY, now=minute(count))
        assert [one.key for one in after.findings] == [one.key for one in before.findings]


def test_few_spokes_that_a_pass_saw_first_do_not_make_the_hub_blind() -> None:
    fleet = dict.fromkeys("abcdefgh", ("good", "good"))
    health = aggregate(polled(fleet, 0), (), POLICY, now=minute(0)).health
    lost = [seen("timeout", 1, cluster=name) for name in "ab"]
    assert aggregate(lost, health, POLICY, now=minute(1)).findings == ()


@pytest.mark.parametrize("kind", ["good", "timeout"])
def test_control_probes_that_fail_blame_the_hub_by_name_and_inhibit_the_rest(kind: str) -> None:
    polls = [seen(kind, at, cluster=name) for at in range(3) for name in "abc"] + [seen("not_found", 2, cluster="d")]
    said = Said(controls=("https://proxy.example.com (dns)",))
    found = aggregate(polls, (), POLICY, now=minute(2), testimony=said).findings
    (hub,) = [one for one in found if one.kind is FindingKind.HUB_UNREACHABLE]
    assert "control probes fail: https://proxy.example.com (dns)" in hub.summary
    assert all(one.inhibited_by == hub.key for one in found if one is not hub)
    assert ("reaches no predictor" in hub.summary) is (kind == "timeout")
