"""Which findings lead to which actions, and why the others do not."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.decide.rules import decide
from hubctl.model.health import Finding, FindingKind
from hubctl.model.incident import Reason, State, Verdict
from hubctl.model.values import Remediation
from tests.aggregate.polls import minute
from tests.decide.scenes import ANOMALOUS, UNKNOWN, cell, finding, on_policies, opened, policies

ROLLBACK = policies(("model-anomaly", "rollback-model"))


def test_matching_policy_asks_for_its_action() -> None:
    [asked] = on_policies(decide([finding()], [], [], ROLLBACK, now=minute(0)))
    assert (asked.verdict, asked.action, asked.mode, asked.policy) == (
        Verdict.ACT,
        "rollback-model",
        "approve",
        "model-anomaly-rollback-model",
    )
    assert (asked.reasons, asked.clusters) == ((Reason.POLICY_MATCHED, Reason.AWAITING_APPROVAL), ("a", "b"))


def test_policy_without_a_mode_takes_the_sections() -> None:
    [asked] = on_policies(decide([finding()], [], [], ROLLBACK.model_copy(update={"mode": "auto"}), now=minute(0)))
    assert (asked.mode, asked.reasons) == ("auto", (Reason.POLICY_MATCHED, Reason.AUTOMATIC))


def test_all_actions_of_a_kind_are_asked_for_each_once() -> None:
    rules = (("spoke-anomaly", "notify"), ("spoke-anomaly", "quarantine"), ("spoke-anomaly", "quarantine"))
    asked = on_policies(decide([finding("spoke-anomaly", "d")], [], [], policies(*rules), now=minute(0)))
    assert [one.action for one in asked] == ["notify", "quarantine"]


def test_policy_for_other_models_does_not_match() -> None:
    rule = ROLLBACK.policies[0].model_copy(update={"models": ("k",)})
    [asked] = on_policies(decide([finding()], [], [], ROLLBACK.model_copy(update={"policies": (rule,)}), now=minute(0)))
    assert (asked.verdict, asked.reasons) == (Verdict.REFRAIN, (Reason.NO_POLICY,))


@pytest.mark.parametrize("mode", ["observe", "approve", "auto"])
def test_notification_needs_nobodys_leave_and_no_confidence(mode: str) -> None:
    policy = policies(("model-anomaly", "notify"), mode=mode)
    [asked] = on_policies(decide([finding(confidence=0.1)], [], [], policy, now=minute(0)))
    assert (asked.verdict, asked.mode) == (Verdict.ACT, "auto")


@pytest.mark.parametrize("confidence", [0.0, 0.79])
def test_statistics_below_the_threshold_lead_to_no_action(confidence: float) -> None:
    [asked] = on_policies(decide([finding(confidence=confidence)], [], [], ROLLBACK, now=minute(0)))
    assert (asked.verdict, asked.reasons) == (Verdict.REFRAIN, (Reason.LOW_CONFIDENCE,))


def test_every_reason_not_to_act_is_named() -> None:
    found = replace(finding(confidence=0.2), inhibited_by="hub-unreachable")
    known = opened(replace(found, inhibited_by="")).moved(State.ACKNOWLEDGED, by="ann", note="", now=minute(0))
    policy = policies(("model-anomaly", "rollback-model"), mode="observe")
    [asked] = on_policies(decide([found], [known], [], policy, now=minute(1)))
    assert set(asked.reasons) == {
        Reason.INHIBITED,
        Reason.ACKNOWLEDGED,
        Reason.LOW_CONFIDENCE,
        Reason.MODE_OBSERVE,
    }
    assert "hub-unreachable" in asked.detail


def test_hard_fact_on_a_predictor_comes_before_statistics_on_it() -> None:
    fact = replace(finding("predictor-fault", "d"), key="predictor-fault:d/m")
    policy = policies(("spoke-anomaly", "quarantine"), ("predictor-fault", "notify"))
    health = [cell("d", UNKNOWN, outcome="not_found"), cell("d", ANOMALOUS, model="k"), cell("d", model="l")]
    hard, soft = on_policies(decide([finding("spoke-anomaly", "d"), fact], [], health, policy, now=minute(0)))
    assert (hard.incident.key, hard.verdict) == (fact.key, Verdict.ACT)
    assert (soft.verdict, soft.reasons) == (Verdict.REFRAIN, (Reason.INHIBITED,))
    assert fact.key in soft.detail


def test_hard_fact_on_another_spoke_is_no_obstacle() -> None:
    fact = replace(finding("predictor-fault", "c"), key="predictor-fault:c/m")
    health = [cell("c", UNKNOWN, outcome="not_found"), cell("a", ANOMALOUS), cell("b", ANOMALOUS)]
    asked = on_policies(decide([finding(), fact], [], health, ROLLBACK, now=minute(0)))
    assert {one.incident.key: one.verdict for one in asked}["model-anomaly:m@v2"] is Verdict.ACT


def test_hard_facts_come_first_then_the_wider_then_by_key() -> None:
    kinds = ["predictor-anomaly", "spoke-anomaly", "model-anomaly", "predictor-fault", "model-fault", "hub-unreachable"]
    decisions = decide([finding(kind) for kind in kinds], [], [], Remediation(), now=minute(0))
    assert [one.incident.kind for one in decisions if one.verdict is Verdict.OPEN] == [
        "hub-unreachable",
        "model-fault",
        "predictor-fault",
        "model-anomaly",
        "spoke-anomaly",
        "predictor-anomaly",
    ]


@given(st.permutations([finding(kind) for kind in FindingKind]), st.booleans())
def test_order_of_findings_and_incidents_does_not_matter(found: list[Finding], known: bool) -> None:  # noqa: FBT001
    straight = [finding(kind) for kind in FindingKind]
    incidents = [opened(one) for one in straight[:4]] if known else []
    health = [cell("a", ANOMALOUS), cell("b")]
    shuffled = decide(found, incidents[::-1], health[::-1], ROLLBACK, now=minute(1))
    assert shuffled == decide(straight, incidents, health, ROLLBACK, now=minute(1))
