"""What people stopped or paused is not planned and not started, and the decision says who holds it."""

import pytest

from hubctl.model.holds import Holds, Pause, Reach, Stop, stop_from, stop_text
from hubctl.model.incident import Decision, Reason
from hubctl.model.remediation import Action, State
from hubctl.remediate.plan import Plan, plan, ready
from tests.aggregate.polls import minute
from tests.remediate.cases import NOW, WIDE, act, history, incident, past

ACTIONS, EVERYTHING = Stop(Reach.ACTIONS, "STOP", "proxy", "ana"), Stop(Reach.EVERYTHING, "hubctl.stopped")
SETS = {"a": "edge", "b": "core"}


def pause(**named: str) -> Pause:
    return Pause("pau-1", "because", "ana", minute(700), minute(0), minute(0), **named)  # type: ignore[arg-type]


def held(decision: Decision, *pauses: Pause, stops: tuple[Stop, ...] = ()) -> Plan:
    return plan([decision], WIDE, history(), now=NOW, holds=Holds(stops, pauses, SETS))


@pytest.mark.parametrize("stop", [ACTIONS, EVERYTHING])
def test_stop_refuses_every_action_on_spokes_and_the_decision_says_who(stop: Stop) -> None:
    made = held(act(incident()), stops=(stop,))
    assert made.remediations == ()
    assert made.decisions[0].reasons == (Reason.STOPPED,)
    assert str(stop) in made.decisions[0].detail


def test_people_are_told_while_actions_are_stopped_and_not_while_everything_is() -> None:
    tell = act(incident(), action="notify")
    assert held(tell, stops=(ACTIONS,)).remediations
    assert held(tell, stops=(EVERYTHING,)).decisions[0].reasons == (Reason.STOPPED,)


@pytest.mark.parametrize(
    "named", [{}, {"model": "m"}, {"action": "rollback-model"}, {"model": "m", "action": "rollback-model"}]
)
def test_pause_of_fleet_model_or_action_refuses_it_all(named: dict[str, str]) -> None:
    made = held(act(incident()), pause(**named))
    assert made.remediations == ()
    assert made.decisions[0].reasons == (Reason.PAUSED,)
    assert "paused by ana until" in made.decisions[0].detail


@pytest.mark.parametrize("named", [{"cluster": "a"}, {"cluster_set": "edge"}, {"cluster": "a", "model": "m"}])
def test_pause_of_a_spoke_or_set_leaves_those_spokes_out(named: dict[str, str]) -> None:
    [made] = held(act(incident()), pause(**named)).remediations
    assert made.clusters == ("b",)
    assert "a: paused" in made.detail
    assert held(act(incident(clusters="a")), pause(**named)).decisions[0].reasons == (Reason.PAUSED,)


@pytest.mark.parametrize(
    "named",
    [
        {"cluster": "z"},
        {"cluster_set": "z"},
        {"model": "k"},
        {"action": "quarantine"},
        {"cluster": "a", "cluster_set": "core"},
    ],
)
def test_pause_of_something_else_holds_nothing(named: dict[str, str]) -> None:
    assert held(act(incident()), pause(**named)).remediations[0].clusters == ("a", "b")


def test_pause_of_a_set_holds_spokes_of_which_nobody_knows_the_set_now() -> None:
    blind = Holds(pauses=(pause(cluster_set="core"),), sets={"a": "edge"}, blind=True)
    [made] = plan([act(incident(clusters="ac"))], WIDE, history(), now=NOW, holds=blind).remediations
    assert made.clusters == ("a",)
    assert "c: paused" in made.detail


def test_notification_is_held_by_a_pause_of_notifications_only() -> None:
    tell = act(incident(), action="notify")
    assert held(tell, pause()).remediations
    assert held(tell, pause(action="notify")).decisions[0].reasons == (Reason.PAUSED,)
    assert held(act(incident()), pause(action="notify")).remediations


@pytest.mark.parametrize("holds", [Holds((ACTIONS,)), Holds(pauses=(pause(cluster="b"),)), Holds(pauses=(pause(),))])
def test_what_is_approved_waits_while_it_is_held(holds: Holds) -> None:
    approved = past(State.APPROVED, "ab")
    tell = past(State.APPROVED, "", action=Action.NOTIFY, name="rem-tell")
    assert ready([approved, tell], [], WIDE) == (approved, tell)
    assert ready([approved, tell], [], WIDE, holds) == (tell,)


def test_end_of_an_incident_is_told_once_notifications_go_on() -> None:
    holds = Holds(pauses=(pause(action="notify"),))
    waiting = past(State.APPROVED, "", action=Action.NOTIFY)
    assert ready([waiting], [], WIDE, holds) == ()
    assert ready([waiting], [], WIDE, Holds()) == (waiting,)


def test_pause_is_in_force_until_its_end_or_until_it_is_lifted() -> None:
    made = pause()
    assert made.in_force(minute(699))
    assert not made.in_force(minute(700))
    assert not made.lifted(by="ben", note="", now=minute(1)).in_force(minute(2))


@pytest.mark.parametrize(
    ("text", "reach", "reason"),
    [
        ("", Reach.ACTIONS, ""),
        ("the proxy is mended\n", Reach.ACTIONS, "the proxy is mended"),
        ("scope: everything\nreason: wrong: values\n", Reach.EVERYTHING, "wrong: values"),
        ("scope: evrything", Reach.EVERYTHING, ""),
        ("at: yesterday", Reach.ACTIONS, ""),
    ],
)
def test_stop_file_is_understood_or_taken_for_the_most_that_it_may_mean(text: str, reach: Reach, reason: str) -> None:
    found = stop_from(text, "STOP")
    assert (found.reach, found.reason) == (reach, reason)


def test_stop_comes_back_from_its_text() -> None:
    stop = Stop(Reach.EVERYTHING, "STOP", "of a: reason", "ana", NOW)
    assert stop_from(stop_text(stop), "STOP") == stop
