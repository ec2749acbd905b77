"""What later passes make of remediations."""

from dataclasses import replace

import pytest

from hubctl.model.health import Condition, PredictorHealth
from hubctl.model.incident import Incident
from hubctl.model.incident import State as IncidentState
from hubctl.model.predictor import Outcome
from hubctl.model.remediation import Action, Remediation, State
from hubctl.model.values import Policy
from hubctl.remediate.plan import ready, revalidate, reverted, verify
from tests.aggregate.polls import minute
from tests.remediate.cases import NOW, WIDE, incident, past

OPEN = incident(id="inc-other")
RESOLVED = OPEN.moved(IncidentState.RESOLVED, by="hubctl", note="", now=minute(595))
DEPLOYED = {("a", "m"): "v2", ("b", "m"): "v2"}


def verified(one: Remediation, about: Incident, *health: PredictorHealth) -> State:
    """The state after verification."""
    [after] = verify([one], {about.id: about}, WIDE, now=NOW, health=health)
    return after.state


@pytest.mark.parametrize("state", [State.PENDING, State.APPROVED])
def test_what_did_not_start_expires_when_its_reason_is_gone(state: State) -> None:
    one = past(state, "ab")
    assert revalidate([one], {OPEN.id: OPEN}, DEPLOYED, now=NOW) == (one,)
    for unresolved, deployed in [
        ({}, DEPLOYED),
        ({OPEN.id: RESOLVED}, DEPLOYED),
        ({OPEN.id: OPEN}, {("a", "m"): "v2"}),
    ]:
        [after] = revalidate([one], unresolved, deployed, now=NOW)
        assert (after.state, after.updated_at) == (State.EXPIRED, NOW)
        assert after.detail


@pytest.mark.parametrize("state", sorted(set(State) - {State.PENDING, State.APPROVED}))
def test_what_started_is_not_expired(state: State) -> None:
    one = past(state)
    assert revalidate([one], {}, {}, now=NOW) == (one,)


def test_notification_of_an_end_is_not_expired_by_the_end() -> None:
    one = past(State.APPROVED, "", action=Action.NOTIFY)
    assert revalidate([one], {}, {}, now=NOW) == (one,)


@pytest.mark.parametrize(
    ("at", "about", "state"),
    [
        (590, OPEN, State.APPLIED),
        (590, RESOLVED, State.SUCCEEDED),
        (571, OPEN, State.APPLIED),
        (569, OPEN, State.INEFFECTIVE),
        (569, RESOLVED, State.SUCCEEDED),
        (598, RESOLVED, State.APPLIED),
    ],
)
def test_applied_action_helped_if_its_incident_was_resolved_after_it(at: int, about: Incident, state: State) -> None:
    assert verified(past(State.APPLIED, at=at), about) is state


def test_applied_action_of_a_lost_incident_does_not_hold_its_spokes_for_ever() -> None:
    [after] = verify([past(State.APPLIED, at=500)], {}, WIDE, now=NOW)
    assert after.state is State.INEFFECTIVE


@pytest.mark.parametrize("state", sorted(set(State) - {State.APPLIED}))
def test_only_applied_ones_are_verified(state: State) -> None:
    assert verified(past(state, at=0), RESOLVED) is state


def test_delivered_notification_has_succeeded() -> None:
    assert verified(past(State.APPLIED, "", action=Action.NOTIFY), OPEN) is State.SUCCEEDED


@pytest.mark.parametrize(
    ("condition", "version", "since", "state"),
    [
        (Condition.HEALTHY, "v1", 595, State.SUCCEEDED),
        (Condition.UNKNOWN, "v1", 595, State.APPLIED),
        (Condition.HEALTHY, "v2", 595, State.APPLIED),
        (Condition.HEALTHY, "v1", 580, State.APPLIED),
    ],
)
def test_rollback_has_succeeded_once_its_own_predictors_are_known_healthy(
    condition: Condition, version: str, since: int, state: State
) -> None:
    health = PredictorHealth(
        cluster="a",
        model="m",
        version=version,
        condition=condition,
        reason="",
        since=minute(since),
        version_since=minute(since),
        last_at=NOW,
        last_outcome=Outcome.OK,
    )
    assert verified(past(State.APPLIED), OPEN, health) is state
    assert verified(past(State.APPLIED, "ab"), OPEN, health) is State.APPLIED


@pytest.mark.parametrize("state", [State.APPLIED, State.SUCCEEDED, State.INEFFECTIVE])
def test_override_that_is_gone_was_reverted(state: State) -> None:
    one = past(state)
    assert reverted([one], frozenset({one.id}), now=NOW) == (one,)
    assert reverted([one], frozenset(), now=NOW)[0].state is State.REVERTED


@pytest.mark.parametrize("state", [State.PENDING, State.APPROVED, State.EXECUTING, State.FAILED, State.EXPIRED])
def test_what_left_no_override_cannot_be_reverted(state: State) -> None:
    one = past(state)
    assert reverted([one], frozenset(), now=NOW) == (one,)


def test_override_that_a_later_action_replaced_was_not_reverted() -> None:
    first = past(State.SUCCEEDED, "a", at=0, name="rem-1")
    second = past(State.APPLIED, "a", at=5, name="rem-2")
    assert reverted([first, second], frozenset({"rem-2"}), now=NOW) == (first, second)
    elsewhere = replace(first, targets=(*first.targets, *past(State.APPLIED, "b").targets))
    assert reverted([elsewhere, second], frozenset({"rem-2"}), now=NOW)[0].state is State.REVERTED


def test_approved_actions_start_in_turn_within_the_budget() -> None:
    policy = WIDE.model_copy(update={"max_spokes_at_once": 2})
    waiting = [past(State.APPROVED, c, at=n, name=f"rem-{n}") for n, c in enumerate(["a", "bc", "d"])]
    assert [one.id for one in ready(waiting[::-1], [], policy)] == ["rem-0", "rem-2"]
    busy = past(State.APPLIED, "a", name="rem-busy")
    assert [one.id for one in ready([busy, *waiting], [], policy)] == ["rem-2"]


def test_nothing_but_notifications_starts_while_the_hub_sees_nothing() -> None:
    blind = incident("hub-unreachable")
    tell = past(State.APPROVED, "", action=Action.NOTIFY, name="rem-tell")
    assert ready([past(State.APPROVED), tell], [blind], WIDE) == (tell,)


def test_approved_action_waits_while_its_policy_only_observes() -> None:
    approved = past(State.APPROVED)
    held = WIDE.model_copy(update={"mode": "observe"})
    rule = Policy(name=approved.policy, on="model-anomaly", action="rollback-model", mode="auto")
    assert ready([approved], [], held) == ()
    assert ready([approved], [], held.model_copy(update={"policies": (rule,)})) == (approved,)
