"""What a silent klusterlet keeps hubctl from: anything on a spoke that is down, and whatever no person approved."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.incident import Reason
from hubctl.model.incident import State as IncidentState
from hubctl.model.remediation import Action, State
from hubctl.remediate.plan import ready
from tests.remediate.cases import NOW, WIDE, act, history, incident, past, planned, refusal


def test_automatic_action_spares_a_spoke_whose_klusterlet_is_silent() -> None:
    made = planned(act(incident()), history(unheard=frozenset("a")))
    assert [one.clusters for one in made.remediations] == [("b",)]
    assert made.remediations[0].detail == "a: lease-not-fresh"


def test_automatic_action_on_silent_spokes_only_is_refused_with_the_reason() -> None:
    assert refusal(act(incident()), history(unheard=frozenset("ab"))) == {Reason.LEASE_NOT_FRESH}


def test_person_may_decide_about_a_spoke_whose_klusterlet_is_silent() -> None:
    made = planned(act(incident(), mode="approve"), history(unheard=frozenset("ab")))
    assert [one.clusters for one in made.remediations] == [("a", "b")]


@pytest.mark.parametrize("mode", ["auto", "approve"])
@pytest.mark.parametrize(("action", "kind"), [("rollback-model", "model-anomaly"), ("quarantine", "spoke-anomaly")])
def test_nothing_is_done_on_a_spoke_that_is_down(mode: str, action: str, kind: str) -> None:
    down = frozenset("ab")
    assert refusal(act(incident(kind), action, mode), history(unheard=down, down=down)) == {Reason.LEASE_NOT_FRESH}


@given(st.frozensets(st.sampled_from("abcd")), st.frozensets(st.sampled_from("abcd")))
def test_no_automatic_target_is_ever_unheard_or_down(unheard: frozenset[str], down: frozenset[str]) -> None:
    made = planned(act(incident(clusters="abcd")), history(unheard=unheard, down=down))
    assert not (unheard | down).intersection(*[one.clusters for one in made.remediations] or [()])


@pytest.mark.parametrize(
    ("kind", "by", "starts"),
    [
        ("spoke-down", "policy", False),
        ("spoke-down", "anna", False),
        ("agent-silent", "policy", False),
        ("agent-silent", "anna", True),
        ("spoke-api", "policy", False),
        ("spoke-route", "policy", True),
    ],
)
def test_what_is_approved_waits_while_an_incident_says_that_the_spoke_is_silent(
    kind: str, by: str, *, starts: bool
) -> None:
    approved = replace(past(State.APPROVED, at=600), by=by)
    assert bool(ready([approved], [incident(kind, "a")], WIDE)) is starts
    assert ready([approved], [incident(kind, "b")], WIDE) == (approved,)
    over = incident(kind, "a", state=IncidentState.RESOLVED, resolved_at=NOW)
    assert ready([approved], [over], WIDE) == (approved,)


def test_notification_about_a_spoke_that_is_down_goes_out() -> None:
    told = replace(past(State.APPROVED, at=600, action=Action.NOTIFY), by="policy")
    assert ready([told], [incident("spoke-down", "a")], WIDE) == (told,)
