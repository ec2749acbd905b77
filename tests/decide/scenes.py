"""Findings, health and incidents for the tests of deciding."""

from collections.abc import Sequence
from dataclasses import replace

from hubctl.decide.rules import decide
from hubctl.model.health import Condition, Finding, FindingKind, PredictorHealth
from hubctl.model.incident import Decision, Incident, Verdict
from hubctl.model.predictor import Outcome
from hubctl.model.values import Policy, Remediation
from tests.aggregate.polls import minute

HEALTHY, ANOMALOUS, UNKNOWN = Condition.HEALTHY, Condition.ANOMALOUS, Condition.UNKNOWN


def finding(kind: str = "model-anomaly", clusters: str = "ab", confidence: float = 0.95) -> Finding:
    """A finding about model m, version v2, or about a spoke."""
    about_model = kind.startswith(("model", "predictor"))
    return Finding(
        kind=FindingKind(kind),
        key=f"{kind}:{'m@v2' if about_model else clusters}",
        clusters=tuple(clusters),
        summary=f"{kind} on {clusters}",
        model="m" if about_model else "",
        version="v2" if about_model else "",
        deterministic=not kind.endswith("anomaly"),
        confidence=confidence,
    )


def cell(
    cluster: str,
    condition: Condition = HEALTHY,
    *,
    model: str = "m",
    version: str = "v2",
    outcome: str = "ok",
    reason: str = "votes-good",
) -> PredictorHealth:
    """The health of one predictor."""
    return PredictorHealth(
        cluster=cluster,
        model=model,
        version=version,
        condition=condition,
        reason=reason if outcome == "ok" else outcome,
        since=minute(0),
        version_since=minute(0),
        last_at=minute(0),
        last_outcome=Outcome(outcome),
        fault=Outcome(outcome) if outcome in ("not_found", "malformed") else None,
    )


def policies(*rules: tuple[str, str], mode: str = "approve", rule_mode: str | None = None) -> Remediation:
    """A policy section with (kind, action) rules."""
    made = [
        Policy.model_validate({"name": f"{on}-{action}", "on": on, "action": action, "mode": rule_mode})
        for on, action in rules
    ]
    return Remediation.model_validate({"mode": mode, "policies": made})


def opened(found: Finding, **changes: object) -> Incident:
    """The incident that this finding opened at minute 0."""
    [first, *_] = decide([found], [], [], Remediation(), now=minute(0))
    return replace(first.incident, **changes)  # type: ignore[arg-type]


def on_policies(decisions: Sequence[Decision]) -> list[Decision]:
    """Those decisions that say whether to act."""
    return [one for one in decisions if one.verdict in (Verdict.ACT, Verdict.REFRAIN)]
