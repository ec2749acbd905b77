"""What the health of all predictors says about the hub's sight, spokes, model versions and single predictors.

Hard facts are concluded here, anomalies in ``blame``. A finding that a wider one explains stays in the list, marked
with ``inhibited_by``.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from hubctl.aggregate import blame, golden, troubles, witnesses
from hubctl.model.health import FAULTS, UNSEEN, Finding, FindingKind, HealthReason, PredictorHealth
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate
from hubctl.model.witness import Reach

_FEWEST_BLIND = 2
"""One spoke that is out of sight says more about itself than about the hub."""

_OF_MODEL = frozenset({Outcome.NOT_FOUND, Outcome.MALFORMED, Outcome.GOLDEN_MISMATCH})
"""Faults that a model version can have; a refused token or certificate is not the version's doing."""

_EXCUSED = (HealthReason.STALE, HealthReason.NOT_SERVED)
"""Old news, and an answer of another version than Git says; the latter has a finding of its own."""

_OF_SPOKE = frozenset({FindingKind.SPOKE_DOWN, FindingKind.SPOKE_API, FindingKind.SPOKE_ROUTE})
"""What witnesses say of a whole spoke's reach, which explains its predictors' faults."""


def find(
    health: Sequence[PredictorHealth],
    observations: Sequence[Observation],
    policy: Aggregate,
    *,
    waiting: Collection[str] = (),
    witnessed: Sequence[Finding] = (),
    cut_off: Finding | None = None,
    controls: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """Every finding of this round, sorted by key; the order of the arguments' items does not matter.

    Args:
        health: of every predictor of the fleet, after this round.
        observations: of this round; only the question whether the hub sees anything looks at them. For predictors
            that were not observed their last outcomes stand in.
        policy: the thresholds.
        waiting: spokes that were left out of this round.
        witnessed: findings of the witnesses.
        cut_off: what they say against the hub itself.
        controls: what the hub itself needs and does not reach.
    """
    latest = [(seen.cluster, seen.outcome) for seen in observations]
    polled = {(seen.cluster, seen.model) for seen in observations}
    latest += [
        (one.cluster, one.last_outcome)
        for one in health
        if one.cluster in waiting or (one.cluster, one.model) not in polled
    ]
    hub = _with_controls(_hub_unreachable(latest, policy) or cut_off, controls)
    spokes = [*_spokes_unreachable(health, witnessed, policy), *(one for one in witnessed if one.kind in _OF_SPOKE)]
    faulty = [one for one in health if _is_faulty(one, policy)]
    wide = [*_model_faults(health, faulty, policy), *spokes]
    narrow = _predictor_faults(faulty, wide)
    others = [one for one in witnessed if one.kind not in _OF_SPOKE]
    others += golden.drifts(health, observations, witnessed, policy)
    found = [*wide, *narrow, *others, *blame.attribute(health, policy)]
    if hub is not None:
        found = [hub, *(replace(finding, inhibited_by=hub.key) for finding in found)]
    return tuple(sorted(found, key=lambda finding: finding.key))


def _hub_unreachable(latest: Iterable[tuple[str, Outcome]], policy: Aggregate) -> Finding | None:
    """Many spokes out of sight in one round are evidence about the hub; no hysteresis, since it only holds back."""
    outcomes: dict[str, list[Outcome]] = defaultdict(list)
    for cluster, outcome in latest:
        outcomes[cluster].append(outcome)
    blind = tuple(sorted(name for name, all_of in outcomes.items() if UNSEEN.issuperset(all_of)))
    if len(blind) < _FEWEST_BLIND or len(blind) / len(outcomes) < policy.blind_fraction:
        return None
    return Finding(
        kind=FindingKind.HUB_UNREACHABLE,
        key=str(FindingKind.HUB_UNREACHABLE),
        clusters=blind,
        summary=f"the hub reaches no predictor on {len(blind)} of {len(outcomes)} spokes",
        deterministic=True,
    )


def _with_controls(hub: Finding | None, controls: Sequence[str]) -> Finding | None:
    """The finding about the hub, which names what failed of what it needs itself; that alone makes one."""
    if not controls:
        return hub
    failed = f"the hub's control probes fail: {', '.join(controls)}"
    if hub is not None:
        return replace(hub, summary=f"{hub.summary}; {failed}")
    key = str(FindingKind.HUB_UNREACHABLE)
    return Finding(FindingKind.HUB_UNREACHABLE, key, clusters=(), summary=failed, deterministic=True)


def _spokes_unreachable(
    health: Iterable[PredictorHealth], witnessed: Iterable[Finding], policy: Aggregate
) -> list[Finding]:
    """Spokes of which no predictor gave a usable answer for ``raise_after`` polls; a witness may say why."""
    spokes: dict[str, list[PredictorHealth]] = defaultdict(list)
    for one in health:
        spokes[one.cluster].append(one)
    why: dict[str, dict[FindingKind, str]] = defaultdict(dict)
    for finding in witnessed:
        why[finding.clusters[0]][finding.kind] = finding.key
    return [
        Finding(
            kind=FindingKind.SPOKE_UNREACHABLE,
            key=f"{FindingKind.SPOKE_UNREACHABLE}:{name}",
            clusters=(name,),
            summary=f"no predictor on {name} answered for at least {policy.raise_after} polls",
            deterministic=True,
            inhibited_by=witnesses.explained(FindingKind.SPOKE_UNREACHABLE, why[name]),
        )
        for name, all_of in spokes.items()
        if troubles.reach(all_of, policy.raise_after) is Reach.DEAD
    ]


def _model_faults(
    health: Iterable[PredictorHealth], faulty: Iterable[PredictorHealth], policy: Aggregate
) -> list[Finding]:
    """Model versions that have one and the same fault wherever anything is known of them."""
    answered = {
        (one.model, one.version)
        for one in health
        if one.last_outcome is Outcome.OK and one.reason != HealthReason.STALE
    }
    versions: dict[tuple[str, str], list[PredictorHealth]] = defaultdict(list)
    for one in faulty:
        versions[one.model, one.version].append(one)
    found = []
    for (model, version), all_of in versions.items():
        faults = {one.fault for one in all_of}
        clusters = tuple(sorted(one.cluster for one in all_of))
        silent = (model, version) not in answered
        if len(clusters) < policy.min_spokes or len(faults) != 1 or not faults <= _OF_MODEL or not silent:
            continue
        found.append(
            Finding(
                kind=FindingKind.MODEL_FAULT,
                key=f"{FindingKind.MODEL_FAULT}:{model}@{version}",
                clusters=clusters,
                summary=f"{model} {version} is {all_of[0].reason} on all {len(clusters)} spokes where it is known",
                model=model,
                version=version,
                deterministic=True,
            )
        )
    return found


def _predictor_faults(faulty: Iterable[PredictorHealth], wide: Iterable[Finding]) -> list[Finding]:
    """Each faulty predictor; inhibited when its model version or its whole spoke is to blame."""
    of_spoke: dict[str, list[Finding]] = defaultdict(list)
    for finding in wide:
        for cluster in finding.clusters if not finding.inhibited_by else ():
            of_spoke[cluster].append(finding)
    return [
        Finding(
            kind=FindingKind.PREDICTOR_FAULT,
            key=f"{FindingKind.PREDICTOR_FAULT}:{one.cluster}/{one.model}",
            clusters=(one.cluster,),
            summary=f"{one.model} {one.version} on {one.cluster} is {one.reason}",
            model=one.model,
            version=one.version,
            deterministic=True,
            inhibited_by=_widest(one, of_spoke.get(one.cluster, ())),
        )
        for one in faulty
    ]


def _widest(one: PredictorHealth, findings: Iterable[Finding]) -> str:
    """Key of the first finding about the predictor's spoke that explains its fault; empty when none does."""
    mine = (one.model, one.version)
    return min((found.key for found in findings if not found.model or (found.model, found.version) == mine), default="")


def _is_faulty(one: PredictorHealth, policy: Aggregate) -> bool:
    """Whether the predictor shows its fault now, and has for ``raise_after`` polls."""
    return (
        one.fault_streak >= policy.raise_after
        and one.fault in FAULTS
        and one.last_outcome is one.fault
        and one.reason not in _EXCUSED
    )
