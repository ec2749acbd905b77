"""Who is told, and how often."""

from dataclasses import replace

from hubctl.model.incident import Decision, Reason, Verdict
from hubctl.model.incident import State as IncidentState
from hubctl.model.remediation import Action, Remediation, State
from hubctl.model.values import Policy
from tests.aggregate.polls import minute
from tests.remediate.cases import NOW, WIDE, act, history, incident, planned, refusal

TELLS = WIDE.model_copy(update={"policies": (Policy(name="tell", on="model-anomaly", action="notify"),)})
OPEN = incident()


def told(number: int = 0) -> Remediation:
    """The notification of the opening, after so many failures."""
    failed: list[Remediation] = []
    for _ in range(number):
        failed.append(
            replace(planned(act(OPEN, "notify"), history(*failed), TELLS).remediations[0], state=State.FAILED)
        )
    return planned(act(OPEN, "notify"), history(*failed), TELLS).remediations[0]


def resolved(inhibited_by: str = "") -> Decision:
    """The decision that resolves the incident."""
    over = incident(inhibited_by=inhibited_by).moved(IncidentState.RESOLVED, by="hubctl", note="", now=NOW)
    return Decision(NOW, Verdict.RESOLVE, over, (Reason.KNOWN_GOOD,))


def test_opening_is_told_once_without_anybodys_leave() -> None:
    first = told()
    assert (first.action, first.state, first.targets) == (Action.NOTIFY, State.APPROVED, ())
    for state in (State.APPROVED, State.APPLIED, State.SUCCEEDED):
        again = refusal(act(OPEN, "notify"), history(replace(first, state=state)), TELLS)
        assert again == {Reason.NOTHING_TO_CHANGE}


def test_telling_that_failed_is_tried_again_up_to_max_attempts() -> None:
    first, second = told(0), told(1)
    assert first.id != second.id
    failed = history(replace(first, state=State.FAILED), replace(second, state=State.FAILED))
    assert refusal(act(OPEN, "notify"), failed, TELLS) == {Reason.ATTEMPTS_EXHAUSTED}


def test_end_is_told_once_under_another_id() -> None:
    before = history(replace(told(), state=State.SUCCEEDED))
    [end] = planned(resolved(), before, TELLS).remediations
    assert (end.policy, end.action) == ("tell", Action.NOTIFY)
    assert end.id != told().id
    assert planned(resolved(), before.with_planned(end), TELLS).remediations == ()


def test_end_is_not_told_without_a_policy() -> None:
    assert planned(resolved(), history(), WIDE).remediations == ()


def test_end_of_an_incident_that_nobody_heard_of_is_not_told() -> None:
    assert planned(resolved(inhibited_by="hub-unreachable"), history(), TELLS).remediations == ()
    heard = history(replace(told(), state=State.SUCCEEDED))
    assert len(planned(resolved(inhibited_by="hub-unreachable"), heard, TELLS).remediations) == 1


def test_telling_takes_no_budget_and_needs_none() -> None:
    none = TELLS.model_copy(update={"max_actions_per_hour": 0})
    [made] = planned(act(OPEN, "notify"), history(), none).remediations
    assert made.created_at == minute(600)
