"""Incidents opened, refreshed, held and resolved."""

from dataclasses import replace

import pytest

from hubctl.decide.rules import decide
from hubctl.model.health import Finding, PredictorHealth
from hubctl.model.incident import Decision, Reason, State, Verdict
from hubctl.model.values import Remediation
from tests.aggregate.polls import minute
from tests.decide.scenes import ANOMALOUS, HEALTHY, UNKNOWN, cell, finding, opened

NONE = Remediation()


def end(found: Finding, *health: PredictorHealth) -> Decision:
    """What becomes of the incident of a finding that is gone."""
    [decision] = decide([], [opened(found)], health, NONE, now=minute(9))
    return decision


def test_finding_opens_one_incident_with_an_id_that_follows_from_key_and_time() -> None:
    first, _ = decide([finding()], [], [], NONE, now=minute(1))
    again, _ = decide([finding()], [], [], NONE, now=minute(1))
    later, _ = decide([finding()], [], [], NONE, now=minute(2))
    assert (first.verdict, first.reasons, first.incident.opened_at) == (Verdict.OPEN, (Reason.FOUND,), minute(1))
    assert first.incident.id == again.incident.id != later.incident.id
    assert len(first.incident.id) == len("inc-") + 8


def test_finding_that_lasts_refreshes_its_incident() -> None:
    before = opened(finding(clusters="ab"))
    noted, _ = decide([finding(clusters="bc", confidence=0.9)], [before], [], NONE, now=minute(1))
    assert (noted.verdict, noted.reasons, noted.clusters) == (Verdict.REFRESH, (Reason.STILL_PRESENT,), ("b", "c"))
    assert noted.incident == replace(
        before, seen=2, clusters=("a", "b", "c"), confidence=0.9, summary="model-anomaly on bc", updated_at=minute(1)
    )


def test_acknowledged_incident_is_refreshed_not_opened_again() -> None:
    before = opened(finding()).moved(State.ACKNOWLEDGED, by="ann", note="", now=minute(1))
    noted, _ = decide([finding()], [before], [], NONE, now=minute(2))
    assert (noted.incident.id, noted.incident.state) == (before.id, State.ACKNOWLEDGED)


def test_finding_that_comes_back_after_resolution_opens_a_new_incident() -> None:
    before = opened(finding()).moved(State.RESOLVED, by="ann", note="", now=minute(1))
    noted, _ = decide([finding()], [before], [], NONE, now=minute(2))
    assert noted.verdict is Verdict.OPEN
    assert noted.incident.id != before.id


@pytest.mark.parametrize(
    ("kind", "health", "verdict"),
    [
        ("model-anomaly", [cell("a"), cell("b")], Verdict.RESOLVE),
        ("model-anomaly", [cell("a"), cell("b", UNKNOWN)], Verdict.HOLD),
        ("model-anomaly", [cell("a"), cell("b", ANOMALOUS)], Verdict.HOLD),
        ("model-anomaly", [cell("a", version="v1"), cell("b", version="v1")], Verdict.RESOLVE),
        ("model-anomaly", [cell("a", version="v1"), cell("b", UNKNOWN, version="v1")], Verdict.HOLD),
        ("model-anomaly", [cell("a"), cell("c", ANOMALOUS)], Verdict.RESOLVE),
        ("model-anomaly", [], Verdict.RESOLVE),
        ("model-anomaly", [cell("a"), cell("b"), cell("b", UNKNOWN, model="k")], Verdict.RESOLVE),
        ("spoke-anomaly", [cell("a"), cell("b"), cell("b", UNKNOWN, model="k")], Verdict.HOLD),
        ("spoke-anomaly", [cell("a"), cell("b"), cell("c", UNKNOWN)], Verdict.RESOLVE),
        ("model-fault", [cell("a", UNKNOWN), cell("b")], Verdict.RESOLVE),
        ("model-fault", [cell("a"), cell("b", UNKNOWN, outcome="timeout")], Verdict.HOLD),
        ("model-fault", [cell("a"), cell("b", UNKNOWN, reason="stale")], Verdict.HOLD),
        ("spoke-unreachable", [cell("a"), cell("b", UNKNOWN, outcome="not_ready")], Verdict.RESOLVE),
        ("spoke-unreachable", [cell("a"), cell("b", UNKNOWN, outcome="timeout")], Verdict.HOLD),
        ("hub-unreachable", [cell("a"), cell("b", UNKNOWN, outcome="timeout")], Verdict.HOLD),
        ("hub-unreachable", [cell("a"), cell("c"), cell("b", UNKNOWN, outcome="timeout")], Verdict.RESOLVE),
        ("hub-unreachable", [cell("a", reason="stale"), cell("b", reason="stale")], Verdict.HOLD),
    ],
)
def test_only_known_good_evidence_resolves(kind: str, health: list[PredictorHealth], verdict: Verdict) -> None:
    assert end(finding(kind), *health).verdict is verdict


def test_forecast_that_times_out_does_not_hold_a_spokes_anomaly() -> None:
    health = [cell("a"), cell("c", model="f", reason="answers"), cell("a", UNKNOWN, model="f", outcome="timeout")]
    assert end(finding("spoke-anomaly", "a"), *health).verdict is Verdict.RESOLVE


def test_resolution_is_signed_and_a_hold_names_what_is_missing() -> None:
    resolved = end(finding(), cell("a"), cell("b"))
    assert (resolved.incident.state, resolved.incident.by, resolved.reasons) == (
        State.RESOLVED,
        "hubctl",
        (Reason.KNOWN_GOOD,),
    )
    held = end(finding(), cell("a"), cell("b", UNKNOWN, reason="stale"))
    assert (held.reasons, held.detail) == ((Reason.NOT_KNOWN_GOOD,), "b/m is unknown: stale")


def test_hold_on_a_large_fleet_stays_readable() -> None:
    held = end(finding(clusters="abcdefgh"), *(cell(name, UNKNOWN) for name in "abcdefgh"))
    assert held.detail.endswith("; and 3 more")


def test_rollback_on_one_of_two_spokes_leaves_the_blame_on_the_version() -> None:
    alone = replace(finding("predictor-anomaly", "b"), key="predictor-anomaly:b/m")
    health = [cell("a", HEALTHY, version="v1"), cell("b", ANOMALOUS)]
    decisions = decide([alone], [opened(finding())], health, NONE, now=minute(5))
    kept = decisions[0]
    assert (kept.verdict, kept.incident.key, kept.clusters) == (Verdict.REFRESH, "model-anomaly:m@v2", ("b",))
    assert kept.incident.clusters == ("a", "b")
    assert {one.incident.key for one in decisions} == {kept.incident.key}
    assert "explains 1 narrower" in kept.detail


def test_explained_finding_opens_no_incident_and_is_counted_with_what_explains_it() -> None:
    narrow = [
        replace(finding("predictor-anomaly", c), key=f"predictor-anomaly:{c}/m", inhibited_by=finding().key)
        for c in "ab"
    ]
    opened_now, _ = decide([finding(), *narrow], [], [], NONE, now=minute(0))
    assert (opened_now.verdict, opened_now.incident.key) == (Verdict.OPEN, finding().key)
    assert "explains 2 narrower" in opened_now.detail


def test_incident_that_a_wider_finding_explains_later_is_kept_and_inhibited() -> None:
    alone = replace(finding("predictor-anomaly", "a"), key="predictor-anomaly:a/m")
    explained = replace(alone, inhibited_by=finding().key)
    decisions = decide([finding(), explained], [opened(alone)], [], NONE, now=minute(5))
    [kept] = [one for one in decisions if one.verdict is Verdict.REFRESH]
    assert (kept.incident.key, kept.incident.inhibited_by) == (alone.key, finding().key)


@pytest.mark.parametrize(
    "after",
    [
        cell("a", UNKNOWN, version="v1"),
        cell("a", ANOMALOUS, version="v1"),
        cell("a", HEALTHY, version="v2"),
    ],
)
def test_blame_does_not_outlast_its_finding_without_proof(after: PredictorHealth) -> None:
    decisions = decide([], [opened(finding())], [after, cell("b", ANOMALOUS)], NONE, now=minute(5))
    assert [one.verdict for one in decisions] == [Verdict.HOLD]


def test_rest_of_a_version_stays_inhibited_until_the_rollback_is_known_to_help() -> None:
    alone = replace(finding("predictor-anomaly", "b"), key="predictor-anomaly:b/m")
    health = [cell("a", UNKNOWN, version="v1"), cell("b", ANOMALOUS)]
    [held] = decide([alone], [opened(finding())], health, NONE, now=minute(5))
    assert (held.verdict, held.incident.key) == (Verdict.HOLD, "model-anomaly:m@v2")


def test_rollback_that_did_not_help_frees_the_narrower_findings() -> None:
    alone = replace(finding("predictor-anomaly", "b"), key="predictor-anomaly:b/m")
    health = [cell("a", ANOMALOUS, version="v1"), cell("b", ANOMALOUS)]
    noted, *_ = decide([alone], [opened(finding())], health, NONE, now=minute(5))
    assert noted.incident.inhibited_by == ""


def test_spoke_that_is_bad_in_everything_is_not_kept_for_the_version() -> None:
    spoke = finding("spoke-anomaly", "b")
    health = [cell("a", version="v1"), cell("b", ANOMALOUS), cell("b", ANOMALOUS, model="k")]
    decisions = decide([spoke], [opened(finding())], health, NONE, now=minute(5))
    assert [one.verdict for one in decisions] == [Verdict.OPEN, Verdict.REFRAIN, Verdict.HOLD]


def test_spoke_that_recovered_with_the_version_is_no_proof_against_it() -> None:
    health = [cell("a", UNKNOWN, version="v1"), cell("b", ANOMALOUS), cell("c", HEALTHY)]
    decisions = decide([], [opened(finding(clusters="abc"))], health, NONE, now=minute(5))
    assert [one.verdict for one in decisions] == [Verdict.HOLD]
