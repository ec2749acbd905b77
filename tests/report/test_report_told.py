"""Which conditions and Events a pass gives."""

from dataclasses import replace
from datetime import timedelta

import pytest

from hubctl.errors import GuardRefused, Held, HubctlError, InputError, RemoteFailed, StoreUnavailable
from hubctl.model import condition
from hubctl.model.condition import StateCondition, turned
from hubctl.model.health import Finding, FindingKind
from hubctl.model.holds import Holds, Reach, Stop
from hubctl.model.incident import Decision, Reason, State, Verdict
from hubctl.model.notice import LONGEST, Notice, Subject
from hubctl.model.remediation import State as RemedyState
from hubctl.model.snapshot import MANAGED_CLUSTERS, SPOKE_APPLICATIONS, Snapshot
from hubctl.passes import Pass
from hubctl.report.conditions import TYPES, Facts, conditions
from hubctl.report.notices import notices, of_failure, of_refusal, subjects_of
from tests.store.storednouns import NOW, case, observation, remedy

OWN = Subject("v1", "ConfigMap", "hubctl-status", "hubctl", "u-own")
SNAPSHOT = Snapshot(
    NOW,
    {
        MANAGED_CLUSTERS: tuple(
            {"metadata": {"name": name, "uid": f"u-{name}"}} for name in ("edge-a", "edge-b", "edge-c", "edge-d")
        ),
        SPOKE_APPLICATIONS: (
            {"metadata": {"name": "hubctl-edge-a", "namespace": "argo", "uid": "u-app"}},
            {"metadata": {"name": "hubctl-edge-b", "namespace": "elsewhere"}},
        ),
    },
)
SUBJECTS = subjects_of(SNAPSHOT, OWN, "argo")
UNREAD = Snapshot(NOW, unread={SPOKE_APPLICATIONS: "403"})


def said(made: Pass | None, facts: Facts | None = None) -> dict[str, tuple[str, str]]:
    """Status and reason by type."""
    return {one.type: (one.status, one.reason) for one in conditions(made, facts or Facts())}


def told(made: Pass) -> list[tuple[str, str, bool]]:
    """Reason, subject and whether it warns."""
    return [(one.reason, one.subject.name, one.warning) for one in notices(made, SUBJECTS)]


def opened(*clusters: str, verdict: Verdict = Verdict.OPEN) -> Decision:
    incident = replace(case(), clusters=clusters, state=State.OPEN)
    return Decision(NOW, verdict, incident, (Reason.FOUND,))


def test_every_condition_is_said_in_every_case() -> None:
    for made in (None, Pass(NOW), Pass(NOW, snapshot=SNAPSHOT, observations=(observation(),))):
        assert tuple(said(made)) == TYPES


def test_good_pass_makes_everything_true_and_nothing_paused() -> None:
    found = said(Pass(NOW, snapshot=SNAPSHOT, observations=(observation(),)))
    assert {kind for kind, (status, _) in found.items() if status == "True"} == set(TYPES) - {"Paused"}


@pytest.mark.parametrize(
    ("made", "kind", "expected"),
    [
        (Pass(NOW, problems=(RemoteFailed("x"),)), "RemoteReachable", ("False", "RemoteFailed")),
        (Pass(NOW, problems=(GuardRefused("x"),)), "RemoteReachable", ("True", "Answered")),
        (Pass(NOW, problems=(GuardRefused("x"),)), "Ready", ("True", "PassIncomplete")),
        (Pass(NOW, problems=(Held("x"),)), "Ready", ("True", "PassDone")),
        (Pass(NOW), "HubReachable", ("Unknown", "NotAsked")),
        (
            Pass(NOW, snapshot=Snapshot(NOW, unread={SPOKE_APPLICATIONS: "403"})),
            "HubReachable",
            ("False", "KindsUnread"),
        ),
        (Pass(NOW), "FleetVisible", ("Unknown", "NotAsked")),
        (Pass(NOW, holds=Holds((Stop(Reach.ACTIONS, "STOP"),))), "Paused", ("True", "Stopped")),
    ],
)
def test_what_is_not_so_says_why(made: Pass, kind: str, expected: tuple[str, str]) -> None:
    assert said(made)[kind] == expected


def test_fleet_that_is_out_of_sight_is_not_visible() -> None:
    blind = Finding(FindingKind.HUB_UNREACHABLE, "hub-unreachable", (), "the hub reaches nothing")
    found = said(Pass(NOW, observations=(observation(),), findings=(blind,)))
    assert found["FleetVisible"] == ("False", "OutOfSight")


def test_what_stands_beside_a_pass_is_said_too() -> None:
    facts = Facts(InputError("wrong"), StoreUnavailable("full"), leading=False)
    found = said(None, facts)
    assert (found["Ready"], found["ConfigurationValid"]) == (("False", "PassFailed"), ("False", "Refused"))
    assert (found["Leading"], found["RemoteReachable"]) == (("False", "StandingBy"), ("Unknown", "NoPass"))


def test_time_of_a_transition_is_kept_while_the_status_stays() -> None:
    later = NOW + timedelta(hours=1)
    first = turned(conditions(Pass(NOW), Facts()), (), NOW)
    second = turned(conditions(Pass(later, problems=(RemoteFailed("x"),)), Facts()), first, later)
    since = {one.type: one.since for one in second}
    assert since["Ready"] == NOW
    assert since["RemoteReachable"] == later


def test_conditions_come_back_from_their_data_and_anything_else_is_left_out() -> None:
    one = StateCondition("Ready", "True", "PassDone", "m", NOW, "abc")
    assert condition.read([one.data(), {"type": "Ready"}, "x", None, {"lastTransitionTime": "soon"}]) == (one,)
    assert condition.read("text") == ()


def test_incident_is_told_beside_its_spokes_when_it_opens_and_when_it_ends() -> None:
    assert told(Pass(NOW, decisions=(opened("edge-a", "edge-b"),))) == [
        ("IncidentOpened", "edge-a", True),
        ("IncidentOpened", "edge-b", True),
    ]
    assert told(Pass(NOW, decisions=(opened("edge-a", verdict=Verdict.RESOLVE),))) == [
        ("IncidentResolved", "edge-a", False)
    ]
    assert told(Pass(NOW, decisions=(opened("edge-a", verdict=Verdict.REFRESH),))) == []


@pytest.mark.parametrize("clusters", [("edge-a", "edge-b", "edge-c", "edge-d"), ("edge-a", "edge-z"), ()])
def test_wide_incident_and_one_of_unknown_spokes_is_told_once_beside_hubctl(clusters: tuple[str, ...]) -> None:
    assert told(Pass(NOW, decisions=(opened(*clusters),))) == [("IncidentOpened", "hubctl-status", True)]


def test_remediation_is_told_beside_its_application_when_it_moves() -> None:
    before = remedy()
    after = replace(before, state=RemedyState.APPLIED)
    assert told(Pass(NOW, stored=(before,), remediations=(after,))) == [("RemediationApplied", "hubctl-edge-a", False)]
    assert told(Pass(NOW, stored=(after,), remediations=(after,))) == []
    elsewhere = replace(after, targets=(replace(after.targets[0], cluster="edge-b"),))
    assert told(Pass(NOW, remediations=(elsewhere,))) == [("RemediationApplied", "edge-b", False)]


def test_failures_warn_and_come_first_and_a_persons_stop_is_none() -> None:
    made = Pass(NOW, problems=(Held("x"), RemoteFailed("y")), decisions=(opened("edge-a", verdict=Verdict.RESOLVE),))
    assert told(made) == [("PassIncomplete", "hubctl-status", True), ("IncidentResolved", "edge-a", False)]
    error: HubctlError = StoreUnavailable("full", hint="free some space")
    assert of_failure(error, OWN).note == "full; free some space"
    assert of_refusal(error, OWN).reason == "ConfigurationRefused"


def test_same_notice_has_the_same_identity_whatever_its_note() -> None:
    one = Notice(OWN, "PassFailed", "Reconcile", "a", "RemoteFailed")
    assert one.identity == replace(one, note="b").identity
    assert one.identity != replace(one, key="PublishConflict").identity
    assert len(replace(one, note="ä" * LONGEST).short_note.encode()) <= LONGEST
