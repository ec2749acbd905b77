"""What health says about an incident: which predictors it concerns, whether they are known good, or still bad.

Apart from the rules, because a wrong answer here closes an incident that is not over.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hubctl.decide import witnessed
from hubctl.model.health import (
    NO_ANSWER,
    UNSEEN,
    Condition,
    Finding,
    FindingKind,
    HealthReason,
    PredictorHealth,
)
from hubctl.model.incident import Incident
from hubctl.model.predictor import Outcome
from hubctl.model.witness import SpokeWitness

_ROUTE = frozenset({FindingKind.SPOKE_UNREACHABLE, FindingKind.SPOKE_ROUTE})
_SPOKE = frozenset({FindingKind.SPOKE_ANOMALY, FindingKind.SPOKE_DOWN, *_ROUTE})
_VERSION = frozenset({FindingKind.MODEL_ANOMALY, FindingKind.MODEL_FAULT})
_FLEET = frozenset({FindingKind.FLEET_UNREAD, FindingKind.FLEET_SHRUNK})
_FAULT = frozenset({FindingKind.MODEL_FAULT, FindingKind.PREDICTOR_FAULT})
_APART = witnessed.KINDS - {FindingKind.SPOKE_DOWN}
"""Findings that void no vote: what feedback says of a version counts where votes do, in aggregation."""


def covers(about: Finding | Incident, one: PredictorHealth) -> bool:
    """Whether a finding or incident is about this predictor."""
    if about.kind is FindingKind.HUB_UNREACHABLE:
        return True
    # Of the fleet: about the hub's list, whatever predictors answer.
    if about.kind in _APART or about.kind in _FLEET:
        return False
    return one.cluster in about.clusters and (about.kind in _SPOKE or one.model == about.model)


def not_yet_good(
    incident: Incident, health: Sequence[PredictorHealth], witnesses: Sequence[SpokeWitness] = ()
) -> tuple[str, ...]:
    """What still keeps the incident from being resolved, for people; empty when all it concerns is known good.

    A predictor or spoke that the fleet no longer has keeps nothing.
    """
    if incident.kind is FindingKind.HUB_UNREACHABLE:
        return _spokes_out_of_sight(health) or witnessed.silent(witnesses)
    if incident.kind is FindingKind.VERSION_DRIFT:
        return _not_served(incident, health, witnesses)
    if incident.kind in witnessed.KINDS:
        return witnessed.not_yet_good(incident, witnesses)
    forecasts = {one.model for one in health if one.reason == HealthReason.ANSWERS}
    concerned = [one for one in health if covers(incident, one)]
    if incident.kind is FindingKind.SPOKE_ANOMALY:
        concerned = [one for one in concerned if one.model not in forecasts]
    bad = [one for one in concerned if not _is_good(incident.kind, one)]
    return tuple(sorted(f"{one.cluster}/{one.model} is {one.condition}: {one.reason}" for one in bad))


def with_lasting(
    findings: Sequence[Finding], unresolved: Mapping[str, Incident], health: Sequence[PredictorHealth]
) -> list[Finding]:
    """The findings, and those of version incidents that only a rollback made too small to be found again.

    Once one spoke is known better without the version, the spokes that keep it and are still bad keep the blame on
    it, although they may be fewer than a new finding needs. Findings about just these predictors are inhibited by it,
    also while it is not known yet whether the rollback helped.
    """
    present = {finding.key for finding in findings}
    hub = next((finding.key for finding in findings if finding.kind is FindingKind.HUB_UNREACHABLE), "")
    left = [
        (replace(found, inhibited_by=hub), incident)
        for incident in unresolved.values()
        if incident.kind in _VERSION and incident.key not in present
        if (found := _left_of(incident, findings, health)) is not None
    ]
    kept = [_inhibited(finding, [found for found, _ in left]) for finding in findings]
    return [*kept, *(found for found, incident in left if _is_proved(incident, health))]


def hard_facts_on(finding: Finding, findings: Iterable[Finding], health: Sequence[PredictorHealth]) -> tuple[str, ...]:
    """Keys of hard facts about a predictor that this statistical finding is about too; they come first."""
    if finding.deterministic:
        return ()
    mine = [one for one in health if covers(finding, one)]
    return tuple(
        sorted(
            fact.key
            for fact in findings
            if fact.deterministic and not fact.inhibited_by and any(covers(fact, one) for one in mine)
        )
    )


def _is_good(kind: FindingKind, one: PredictorHealth) -> bool:
    """Whether this predictor is known to be free of what the kind is about."""
    if kind in _FAULT:
        return one.last_outcome is Outcome.OK and one.reason != HealthReason.STALE
    if kind in _ROUTE:
        return one.last_outcome not in NO_ANSWER and one.reason != HealthReason.STALE
    return one.condition is Condition.HEALTHY


def _not_served(
    incident: Incident, health: Iterable[PredictorHealth], witnesses: Sequence[SpokeWitness]
) -> tuple[str, ...]:
    """What keeps a drift open: spokes where neither golden rows nor a witness show the version that Git says."""
    mine = [one for one in health if one.cluster in incident.clusters and one.model == incident.model]
    shown = {one.cluster for one in mine if one.served and one.last_outcome is Outcome.OK}
    left = [one for one in mine if one.cluster not in shown]
    if not witnesses and any(one.fault is Outcome.GOLDEN_MISMATCH for one in left):
        return tuple(sorted(f"{one.cluster}/{one.model} is {one.condition}: {one.reason}" for one in left))
    if shown.issuperset(incident.clusters):
        return ()
    clusters = tuple(name for name in incident.clusters if name not in shown)
    return witnessed.not_yet_good(replace(incident, clusters=clusters), witnesses)


def _spokes_out_of_sight(health: Iterable[PredictorHealth]) -> tuple[str, ...]:
    """Spokes that the hub does not see, unless it sees most of them again."""
    spokes = {one.cluster for one in health}
    seen = {one.cluster for one in health if one.last_outcome not in UNSEEN and one.reason != HealthReason.STALE}
    if 2 * len(seen) > len(spokes):
        return ()
    return tuple(f"{name} is out of sight" for name in sorted(spokes - seen))


def _is_proved(incident: Incident, health: Iterable[PredictorHealth]) -> bool:
    """Whether a spoke of the incident is known better without the version."""
    return any(
        covers(incident, one) and one.version != incident.version and _is_good(incident.kind, one) for one in health
    )


def _left_of(incident: Incident, findings: Sequence[Finding], health: Sequence[PredictorHealth]) -> Finding | None:
    """What is left of a finding about a version after rollbacks, unless one of them proved it wrong."""
    cells = [one for one in health if covers(incident, one)]
    moved = [one for one in cells if one.version != incident.version]
    if not moved or any(_is_bad(incident, one) for one in moved):
        return None
    elsewhere = [finding for finding in findings if finding.kind in _SPOKE]
    bad = [
        one
        for one in cells
        if one.version == incident.version
        and _is_bad(incident, one)
        and not any(covers(finding, one) for finding in elsewhere)
    ]
    if not bad:
        return None
    clusters = tuple(sorted(one.cluster for one in bad))
    return Finding(
        kind=incident.kind,
        key=incident.key,
        clusters=clusters,
        summary=f"{incident.model} {incident.version} is still bad on {', '.join(clusters)}",
        model=incident.model,
        version=incident.version,
        deterministic=incident.deterministic,
        confidence=incident.confidence,
    )


def _is_bad(incident: Incident, one: PredictorHealth) -> bool:
    """Whether this predictor is known, now, to have what the incident is about."""
    if incident.kind in _FAULT:
        return one.fault is not None and one.last_outcome is one.fault and one.reason != HealthReason.STALE
    return one.condition is Condition.ANOMALOUS


def _inhibited(finding: Finding, lasting: Iterable[Finding]) -> Finding:
    """The finding, marked when it is about predictors that one of the lasting blames on a version."""
    wider = [one.key for one in lasting if one.model == finding.model and set(finding.clusters) <= set(one.clusters)]
    return replace(finding, inhibited_by=min(wider)) if wider and not finding.inhibited_by else finding
