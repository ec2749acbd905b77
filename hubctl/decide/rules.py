"""What to make of findings: incidents opened, refreshed, held or resolved, and which actions their policies ask for.

Hard facts come before statistics, wider findings before narrower ones. Whatever is decided, not to act too, is a
decision with every reason that holds.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from hubctl.decide import evidence
from hubctl.model.health import Finding, FindingKind, PredictorHealth
from hubctl.model.incident import Decision, Incident, Reason, State, Verdict
from hubctl.model.values import Policy, Remediation
from hubctl.model.witness import SpokeWitness

_WIDTH = {kind: width for width, kind in enumerate(FindingKind)}
"""``FindingKind`` lists the kinds from wide to narrow."""

_MAX_NAMED = 5
"""Predictors that a hold names; an incident on a hundred spokes still has a line that fits a screen."""


def decide(
    findings: Sequence[Finding],
    incidents: Iterable[Incident],
    health: Sequence[PredictorHealth],
    policy: Remediation,
    *,
    now: datetime,
    witnesses: Sequence[SpokeWitness] = (),
) -> tuple[Decision, ...]:
    """Everything that this pass concludes; each decision carries the incident as it is to be stored.

    A finding that a wider one explains opens no incident of its own: the wider one's decision counts it. One that
    had an incident before keeps it, inhibited.

    Args:
        findings: of this pass.
        incidents: the unresolved ones.
        health: of every predictor that the fleet has now.
        policy: what may be done about findings.
        now: the pass's time.
        witnesses: what the hub's own objects say of each spoke; empty when nobody is heard.
    """
    unresolved = {incident.key: incident for incident in incidents if incident.state is not State.RESOLVED}
    present = evidence.with_lasting(findings, unresolved, health)
    explained = Counter(one.inhibited_by for one in present if one.inhibited_by and one.key not in unresolved)
    decisions = []
    for finding in sorted(present, key=lambda one: (not one.deterministic, _WIDTH[one.kind], one.key)):
        known = unresolved.pop(finding.key, None)
        if known is None and finding.inhibited_by:
            continue
        noted = _noted(finding, known, now, explains=explained[finding.key])
        facts = evidence.hard_facts_on(finding, present, health)
        decisions += [noted, *_on_policies(finding, noted.incident, facts, policy=policy, now=now)]
    for key in sorted(unresolved):
        missing = evidence.not_yet_good(unresolved[key], health, witnesses)
        decisions.append(_without_finding(unresolved[key], missing, now))
    return tuple(decisions)


def _noted(finding: Finding, known: Incident | None, now: datetime, *, explains: int) -> Decision:
    """The finding's incident, opened or refreshed."""
    detail = finding.summary + (f"; explains {explains} narrower findings" if explains else "")
    if known is None:
        incident = _opened(finding, now)
        return Decision(now, Verdict.OPEN, incident, (Reason.FOUND,), detail, clusters=finding.clusters)
    incident = replace(
        known,
        summary=finding.summary,
        clusters=tuple(sorted({*known.clusters, *finding.clusters})),
        confidence=finding.confidence,
        inhibited_by=finding.inhibited_by,
        seen=known.seen + 1,
        updated_at=now,
    )
    return Decision(now, Verdict.REFRESH, incident, (Reason.STILL_PRESENT,), detail, clusters=finding.clusters)


def _opened(finding: Finding, now: datetime) -> Incident:
    """A new incident; its id follows from the key and the time."""
    return Incident(
        id=f"inc-{sha256(f'{finding.key}{now.isoformat()}'.encode()).hexdigest()[:8]}",
        key=finding.key,
        kind=finding.kind,
        state=State.OPEN,
        summary=finding.summary,
        clusters=finding.clusters,
        opened_at=now,
        updated_at=now,
        model=finding.model,
        version=finding.version,
        deterministic=finding.deterministic,
        confidence=finding.confidence,
        inhibited_by=finding.inhibited_by,
    )


def _without_finding(incident: Incident, missing: Sequence[str], now: datetime) -> Decision:
    """Resolved on known-good evidence only; what is unknown holds the incident open."""
    if missing:
        more = f"; and {len(missing) - _MAX_NAMED} more" if len(missing) > _MAX_NAMED else ""
        detail = "; ".join(missing[:_MAX_NAMED]) + more
        return Decision(now, Verdict.HOLD, incident, (Reason.NOT_KNOWN_GOOD,), detail)
    note = "everything that it concerned is known good, or gone"
    resolved = incident.moved(State.RESOLVED, by="hubctl", note=note, now=now)
    return Decision(now, Verdict.RESOLVE, resolved, (Reason.KNOWN_GOOD,), note)


def _on_policies(
    finding: Finding, incident: Incident, facts: Sequence[str], *, policy: Remediation, now: datetime
) -> list[Decision]:
    """One decision for each action that a policy names; of several policies with one action the first counts."""
    chosen: dict[str, Policy] = {}
    for rule in policy.policies:
        if rule.on == finding.kind and (not rule.models or finding.model in rule.models):
            chosen.setdefault(rule.action, rule)
    if not chosen:
        reasons = (Reason.NO_POLICY, *_overlays(finding, incident, facts))
        return [Decision(now, Verdict.REFRAIN, incident, reasons, _why(finding, facts), clusters=finding.clusters)]
    return [_on_policy(rule, finding, incident, facts=facts, policy=policy, now=now) for rule in chosen.values()]


def _on_policy(
    rule: Policy, finding: Finding, incident: Incident, *, facts: Sequence[str], policy: Remediation, now: datetime
) -> Decision:
    """Act or refrain, by one policy; a notification is harmless and needs nobody's leave."""
    harmless = rule.action == "notify"
    mode = "auto" if harmless else rule.mode or policy.mode
    reasons = _overlays(finding, incident, facts)
    if not harmless and not finding.deterministic and finding.confidence < policy.min_confidence:
        reasons.append(Reason.LOW_CONFIDENCE)
    if mode == "observe":
        reasons.append(Reason.MODE_OBSERVE)
    verdict = Verdict.REFRAIN
    if not reasons:
        verdict = Verdict.ACT
        reasons = [Reason.POLICY_MATCHED, Reason.AUTOMATIC if mode == "auto" else Reason.AWAITING_APPROVAL]
    return Decision(
        at=now,
        verdict=verdict,
        incident=incident,
        reasons=tuple(reasons),
        detail=_why(finding, facts),
        policy=rule.name,
        action=rule.action,
        mode=mode,
        clusters=finding.clusters,
    )


def _overlays(finding: Finding, incident: Incident, facts: Sequence[str]) -> list[Reason]:
    """Reasons against any action, notifications too."""
    reasons = []
    if finding.inhibited_by or facts:
        reasons.append(Reason.INHIBITED)
    if incident.state is State.ACKNOWLEDGED:
        reasons.append(Reason.ACKNOWLEDGED)
    return reasons


def _why(finding: Finding, facts: Sequence[str]) -> str:
    """The numbers and names behind the reasons, for people."""
    parts = [f"confidence {finding.confidence:.2f}"]
    if finding.inhibited_by:
        parts.append(f"explained by {finding.inhibited_by}")
    if facts:
        parts.append(f"hard facts come first: {', '.join(facts)}")
    return "; ".join(parts)
