"""What is planned, and which guards refuse."""

from dataclasses import replace

import pytest

from hubctl.model.incident import Reason
from hubctl.model.remediation import Action, State, Target
from hubctl.model.values import Remediation as Policy
from hubctl.remediate.plan import plan
from tests.aggregate.polls import minute
from tests.remediate.cases import NOW, WIDE, act, history, incident, past, planned, refusal

BAD_VERSION, BAD_SPOKE = incident(), incident("spoke-anomaly", "d")


def test_rollback_pins_the_last_good_version_on_each_spoke_that_has_the_bad_one() -> None:
    before = history(deployed={("a", "m"): "v2", ("b", "m"): "v2", ("c", "m"): "v1"})
    [made] = planned(act(incident(clusters="abc")), before).remediations
    assert made.targets == (Target("a", "v2", "v1"), Target("b", "v2", "v1"))
    assert (made.state, made.by, made.model, made.action) == (State.APPROVED, "policy", "m", Action.ROLLBACK_MODEL)


def test_rollback_only_touches_spokes_with_evidence_now() -> None:
    [made] = planned(act(BAD_VERSION, clusters="b"), history()).remediations
    assert made.clusters == ("b",)


def test_mode_approve_waits_for_a_person() -> None:
    [made] = planned(act(BAD_VERSION, mode="approve"), history()).remediations
    assert (made.state, made.by) == (State.PENDING, "")


def test_same_intent_has_the_same_id_and_another_attempt_another() -> None:
    [first] = planned(act(BAD_VERSION), history()).remediations
    [again] = planned(act(BAD_VERSION), history()).remediations
    expired = past(State.EXPIRED, "ab", of=BAD_VERSION.id)
    [retry] = planned(act(BAD_VERSION), history(expired)).remediations
    assert first.id == again.id != retry.id
    assert len(first.id) == len("rem-") + 12


def test_version_healthy_on_most_other_spokes_is_used_when_none_was_good_here() -> None:
    healthy = frozenset({("c", "m", "v0"), ("d", "m", "v1"), ("e", "m", "v1"), ("b", "k", "v9"), ("e", "m", "v2")})
    [made] = planned(act(BAD_VERSION), history(good="v2", healthy=healthy)).remediations
    assert {target.to_version for target in made.targets} == {"v1"}


def test_version_that_an_open_incident_blames_is_not_rolled_back_to() -> None:
    other = incident("model-fault", id="inc-other", key="x", version="v1")
    made = plan([act(other, action="notify"), act(BAD_VERSION)], WIDE, history(), now=NOW)
    assert Reason.NO_KNOWN_GOOD_VERSION in made.decisions[0].reasons


def test_version_that_was_taken_back_before_is_not_gone_back_to() -> None:
    before = history(past(State.SUCCEEDED, "a", at=0), deployed={("a", "m"): "v1"}, good="v0")
    before = replace(before, good={("a", "m"): ("v1", "v2", "v0")})
    [made] = planned(act(incident(clusters="a", version="v1")), before).remediations
    assert made.targets == (Target("a", "v1", "v0", instead_of="v2"),)


def test_quarantine_leaves_out_spokes_that_are_quarantined() -> None:
    about = incident("spoke-unreachable", "cd")
    [made] = planned(act(about, "quarantine"), history(quarantined=frozenset("c"))).remediations
    assert (made.targets, made.model) == ((Target("d"),), "")


def test_budget_takes_as_many_spokes_as_fit_in_order() -> None:
    policy = WIDE.model_copy(update={"max_spokes_at_once": 3})
    before = history(past(State.APPLIED, "x", at=0))
    [made] = planned(act(incident(clusters="dcba")), before, policy).remediations
    assert made.clusters == ("a", "b")
    assert made.detail == "c: too-many-spokes; d: too-many-spokes"


def test_spoke_that_a_guard_refuses_is_left_out() -> None:
    before = history(past(State.FAILED, "a"))
    [made] = planned(act(BAD_VERSION), before).remediations
    assert (made.clusters, made.detail) == (("b",), "a: cooldown")


@pytest.mark.parametrize("state", [State.PENDING, State.APPROVED, State.EXECUTING, State.APPLIED])
def test_same_action_for_the_same_incident_is_under_way(state: State) -> None:
    assert Reason.ALREADY_UNDER_WAY in refusal(act(BAD_VERSION), history(past(state, "a", of=BAD_VERSION.id)))


@pytest.mark.parametrize("state", [State.APPROVED, State.EXECUTING, State.APPLIED])
def test_spoke_with_any_action_in_flight_gets_no_other(state: State) -> None:
    quarantine = past(state, "ab", action=Action.QUARANTINE)
    assert refusal(act(BAD_VERSION), history(quarantine)) == {Reason.ALREADY_UNDER_WAY}


def test_proposal_for_another_incident_takes_no_budget() -> None:
    policy = WIDE.model_copy(update={"max_spokes_at_once": 1})
    assert planned(act(BAD_SPOKE, "quarantine"), history(past(State.PENDING, "a")), policy).remediations


@pytest.mark.parametrize(
    ("state", "useless", "minutes", "cooling"),
    [
        (State.SUCCEEDED, 0, 29, True),
        (State.SUCCEEDED, 0, 31, False),
        (State.INEFFECTIVE, 1, 59, True),
        (State.INEFFECTIVE, 1, 61, False),
        (State.FAILED, 2, 119, True),
        (State.FAILED, 2, 121, False),
        (State.FAILED, 40, 1439, True),
        (State.FAILED, 40, 1441, False),
        (State.EXPIRED, 1, 1, False),
    ],
)
def test_cooldown_doubles_with_each_useless_action_up_to_a_day(
    state: State,
    useless: int,
    minutes: int,
    cooling: bool,  # noqa: FBT001 - a table
) -> None:
    earlier = [past(state, "a", at=600 - minutes, name=f"rem-{n}") for n in range(max(useless, 1))]
    made = planned(act(incident(clusters="a")), history(*earlier))
    assert [set(one.reasons) for one in made.decisions] == ([{Reason.COOLDOWN}] if cooling else [])


def test_clock_that_steps_back_ends_no_cooldown() -> None:
    assert refusal(act(incident(clusters="a")), history(past(State.SUCCEEDED, "a", at=700))) >= {Reason.COOLDOWN}


def test_rate_limit_counts_actions_of_the_last_hour() -> None:
    policy = WIDE.model_copy(update={"max_actions_per_hour": 2})
    recent = [past(State.SUCCEEDED, "x", at=541 + n, name=f"rem-{n}") for n in range(2)]
    assert refusal(act(BAD_VERSION), history(*recent), policy) == {Reason.RATE_LIMIT}
    assert planned(act(BAD_VERSION), history(recent[0], past(State.SUCCEEDED, "x", at=539)), policy).remediations
    tells = [past(State.SUCCEEDED, "", action=Action.NOTIFY, name=f"rem-{n}") for n in range(9)]
    assert planned(act(BAD_VERSION), history(*tells), policy).remediations


def test_no_more_attempts_than_allowed() -> None:
    earlier = [past(state, "a", of=BAD_VERSION.id, at=0, name=state) for state in (State.INEFFECTIVE, State.FAILED)]
    assert refusal(act(BAD_VERSION), history(*earlier)) == {Reason.ATTEMPTS_EXHAUSTED}


def test_success_on_some_spokes_is_no_attempt_on_the_next() -> None:
    earlier = [past(State.SUCCEEDED, name, of=BAD_VERSION.id, at=0, name=name) for name in "cd"]
    assert planned(act(BAD_VERSION), history(*earlier)).remediations


def test_what_a_person_reverted_is_never_done_again() -> None:
    before = history(past(State.REVERTED, "ab", at=0))
    assert refusal(act(BAD_VERSION), before) == {Reason.REVERTED_BY_A_PERSON}
    told = history(reverted=frozenset({("rollback-model", "m", "v2", "a"), ("rollback-model", "m", "v2", "b")}))
    assert refusal(act(BAD_VERSION), told) == {Reason.REVERTED_BY_A_PERSON}
    newer = history(past(State.REVERTED, "ab", at=0), deployed={("a", "m"): "v3", ("b", "m"): "v3"})
    assert planned(act(incident(version="v3")), newer).remediations


def test_reverted_quarantine_is_not_repeated_for_the_same_incident() -> None:
    undone = past(State.REVERTED, "d", action=Action.QUARANTINE, at=0, of=BAD_SPOKE.id)
    assert refusal(act(BAD_SPOKE, "quarantine"), history(undone)) == {Reason.REVERTED_BY_A_PERSON}
    later = replace(BAD_SPOKE, id="inc-later")
    assert planned(act(later, "quarantine"), history(undone)).remediations


@pytest.mark.parametrize(("at", "refused"), [(571, True), (569, False)])
def test_rejection_holds_for_a_cooldown(at: int, refused: bool) -> None:  # noqa: FBT001 - a table
    made = planned(act(BAD_VERSION), history(past(State.REJECTED, "ab", at=at)))
    assert [set(one.reasons) for one in made.decisions] == ([{Reason.REJECTED_BY_A_PERSON}] if refused else [])


def test_nothing_to_change_and_no_good_version() -> None:
    assert refusal(act(BAD_VERSION), history(deployed={})) == {Reason.NOTHING_TO_CHANGE}
    assert refusal(act(BAD_VERSION), history(good="v2")) == {Reason.NO_KNOWN_GOOD_VERSION}
    assert refusal(act(BAD_SPOKE, "quarantine"), history(quarantined=frozenset("d"))) == {Reason.NOTHING_TO_CHANGE}


def test_every_guard_that_refuses_is_named() -> None:
    policy = Policy(max_actions_per_hour=1, max_spokes_at_once=1, max_attempts=1)
    about = incident(clusters="a")
    earlier = [
        past(State.APPLIED, "a", of=about.id, name="rem-1"),
        past(State.FAILED, "a", of=about.id, name="rem-2"),
        past(State.REJECTED, "a", name="rem-3"),
        past(State.REVERTED, "a", name="rem-4"),
    ]
    made = planned(act(about), replace(history(*earlier, good="v2")), policy).decisions[0]
    assert made.reasons == (
        Reason.ALREADY_UNDER_WAY,
        Reason.COOLDOWN,
        Reason.RATE_LIMIT,
        Reason.TOO_MANY_SPOKES,
        Reason.NO_KNOWN_GOOD_VERSION,
        Reason.REVERTED_BY_A_PERSON,
        Reason.REJECTED_BY_A_PERSON,
        Reason.ATTEMPTS_EXHAUSTED,
    )
    assert "a: already-under-way" in made.detail


def test_actions_of_one_pass_see_each_other() -> None:
    policy = WIDE.model_copy(update={"max_spokes_at_once": 2})
    made = plan([act(BAD_VERSION), act(BAD_SPOKE, "quarantine")], policy, history(), now=NOW)
    assert [one.clusters for one in made.remediations] == [("a", "b")]
    assert [one.reasons for one in made.decisions] == [(Reason.TOO_MANY_SPOKES,)]
    assert made.remediations[0].created_at == minute(600)
