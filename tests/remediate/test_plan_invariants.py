"""What holds over whole histories of a fleet, whatever its predictors answer."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.model.health import Condition, FindingKind
from hubctl.model.incident import Verdict
from hubctl.model.remediation import IN_FLIGHT, UNDER_WAY, Action, Remediation, State
from hubctl.model.values import Policy
from hubctl.model.values import Remediation as RemediationPolicy
from tests.remediate.fleetsim import Cell, Fleet

KINDS = ("good", "good", "bad", "bad", "timeout", "not_found", "not_ready", "malformed", "empty")
GIT = (Action.ROLLBACK_MODEL, Action.QUARANTINE)
RULES = [
    ("model-anomaly", "rollback-model"),
    ("model-anomaly", "notify"),
    ("model-fault", "rollback-model"),
    ("spoke-anomaly", "quarantine"),
    ("spoke-unreachable", "quarantine"),
    ("predictor-fault", "rollback-model"),
    ("predictor-anomaly", "rollback-model"),
    ("hub-unreachable", "notify"),
]


def fleet(seed: int, *, mode: str = "auto", spokes: str = "abcd", at_once: int = 2) -> Fleet:
    """Cells that keep an answer for some rounds, chosen by chance from the seed."""

    def script(cell: Cell, version: str, number: int) -> str:
        mood = random.Random(f"{seed}{cell}{version}{number // 4}")  # noqa: S311 - chance for a test
        return mood.choice(KINDS[mood.randrange(3) :])

    policy = RemediationPolicy.model_validate(
        {
            "mode": mode,
            "maxSpokesAtOnce": at_once,
            "maxActionsPerHour": 50,
            "cooldown": 300,
            "verifyWithin": 300,
            "policies": [{"name": f"{on}-{action}", "on": on, "action": action} for on, action in RULES],
        }
    )
    deployed = {(spoke, model): "v2" if spoke in "ab" else "v1" for spoke in spokes for model in ("m", "k")}
    return Fleet(deployed, policy, script, good=dict.fromkeys(deployed, ("v1", "v0")))


def held(remediations: list[Remediation]) -> set[str]:
    """Spokes that actions hold."""
    return {c for one in remediations if one.state in IN_FLIGHT and one.action in GIT for c in one.clusters}


def check(after: Fleet) -> None:
    """The invariants of one pass."""
    kinds = {finding.kind for finding in after.aggregated.findings}
    health = {(one.cluster, one.model): one for one in after.aggregated.health}
    changes = [one for one in after.planned.remediations if one.action in GIT]
    assert len(held(list(after.remediations.values()))) <= after.policy.max_spokes_at_once
    assert not (changes and FindingKind.HUB_UNREACHABLE in kinds)
    waiting = [(one.incident_id, one.action) for one in after.remediations.values() if one.state in UNDER_WAY]
    assert len(waiting) == len(set(waiting))
    assert all(entry.reasons and entry.verdict is Verdict.REFRAIN for entry in after.planned.decisions)
    by_id = {incident.id: incident for incident in after.unresolved.values()}
    for one in changes:
        for cluster in one.clusters if one.model else ():
            cell = health[cluster, one.model]
            statistical = not by_id[one.incident_id].deterministic
            assert cell.condition is Condition.ANOMALOUS if statistical else cell.last_outcome is cell.fault


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 10**9), st.sampled_from(["abcd", "abcdef"]), st.integers(1, 3))
def test_no_history_breaks_the_budget_or_acts_on_the_unknown(seed: int, spokes: str, at_once: int) -> None:
    one = fleet(seed, spokes=spokes, at_once=at_once)
    for number in range(24):
        one.turn(number)
        check(one)
        one.carry_out(number)


def test_these_histories_do_act() -> None:
    states: set[tuple[Action, State]] = set()
    for seed in range(12):
        one = fleet(seed, spokes="abcdef")
        for number in range(24):
            one.turn(number)
            one.carry_out(number)
        states |= {(done.action, done.state) for done in one.remediations.values()}
    assert {(action, State.APPLIED) for action in GIT} <= states
    assert (Action.ROLLBACK_MODEL, State.SUCCEEDED) in states


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**9))
def test_same_inputs_in_any_order_give_the_same_pass(seed: int) -> None:
    one = fleet(seed, spokes="abcdef")
    for number in range(14):
        other = one.copy()
        one.turn(number)
        other.turn(number, random.Random(seed))  # noqa: S311 - chance for a test
        assert (other.aggregated, other.decisions, other.planned) == (one.aggregated, one.decisions, one.planned)
        one.carry_out(number)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**9))
def test_approvals_all_at_once_are_carried_out_within_the_budget(seed: int) -> None:
    one = fleet(seed, mode="approve", spokes="abcdef", at_once=1)
    for number in range(16):
        one.turn(number)
        one.approve_all(number)
        one.carry_out(number)
        applied = [done for done in one.remediations.values() if done.state is State.APPLIED]
        assert len(held(applied)) <= 1


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 10**9))
def test_nothing_is_done_twice_at_a_time_to_one_spoke(seed: int) -> None:
    one = fleet(seed, spokes="abcdef", at_once=6)
    for number in range(20):
        one.turn(number)
        flying = [c for r in one.remediations.values() if r.state in IN_FLIGHT and r.action in GIT for c in r.clusters]
        assert len(flying) == len(set(flying))
        one.carry_out(number)


def demo(cell: Cell, version: str, number: int) -> str:
    """The demonstration: m v2 is bad where it runs, and spoke d is bad in everything."""
    return "bad" if number >= 3 and (version == "v2" or cell[0] == "d") else "good"


def test_bad_version_is_rolled_back_spoke_by_spoke_until_its_incident_is_resolved() -> None:
    one = fleet(0, at_once=1)
    rules = (Policy(name="back", on="model-anomaly", action="rollback-model", mode="auto"),)
    one.policy = one.policy.model_copy(update={"policies": rules})
    one.deployed |= {("a", "k"): "v1", ("b", "k"): "v1"}
    one.script = demo
    for number in range(22):
        one.turn(number)
        check(one)
        one.carry_out(number)
    done = sorted(one.remediations.values(), key=lambda made: made.created_at)
    assert [(made.clusters, made.state) for made in done] == [(("a",), State.SUCCEEDED), (("b",), State.SUCCEEDED)]
    assert set(one.deployed.values()) == {"v1"}
    assert [key for key, about in one.unresolved.items() if not about.inhibited_by] == ["spoke-anomaly:d"]
