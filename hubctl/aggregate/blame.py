"""Which model version or spoke explains the anomalies: greedy attribution over the matrix of spokes and models.

The theory that chance explains worst takes its anomalous predictors with it; the others are weighed again on what is
left. A version or spoke is blamed only if it stands out: where the same is anomalous everywhere, nothing is to blame.
Unknown predictors are in no count but that of coverage, which they lower.

Confidence is min(1 - tail, known / all), with the beta-binomial tail of ``chance``. Its base rate and correlations are
chosen as a discount for predictors and windows that share causes; they are not calibrated on history.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from heapq import heapify, heappop, heappush

from hubctl.aggregate.chance import tail
from hubctl.aggregate.evidence import Cell, Evidence, Theory
from hubctl.model.health import Condition, Finding, FindingKind, HealthReason, PredictorHealth
from hubctl.model.values import Aggregate

_BASE = 0.05
"""Share of predictors, or windows, expected to be anomalous with nothing wrong."""

_RHO_VOTES = 0.5
"""Correlation between windows of one predictor."""

_CONTRAST = 0.5
"""A control group may be anomalous at most this share of what the blamed group is."""

_Rank = tuple[float, int, str]
"""Least by chance first, then the wider, then by key."""


def attribute(health: Sequence[PredictorHealth], policy: Aggregate) -> list[Finding]:
    """Findings about anomalous versions and spokes, and one for each anomalous predictor, in no particular order."""
    if all(one.condition is not Condition.ANOMALOUS for one in health):
        return []
    forecasts = {one.model for one in health if one.reason == HealthReason.ANSWERS}
    voters = [one for one in health if one.model not in forecasts]
    evidence = Evidence(voters, policy.min_spokes)
    wide: list[Finding] = []
    explained: dict[Cell, str] = {}
    for theory, confidence in _blamed(evidence, policy):
        wide.append(_wide_finding(theory, confidence))
        explained |= dict.fromkeys(theory.bad, theory.key)
    singles = [one for one in voters if one.condition is Condition.ANOMALOUS]
    chance = cache(_chance_of_votes)
    return [*wide, *(_single(one, evidence, explained, chance) for one in singles)]


def _blamed(evidence: Evidence, policy: Aggregate) -> Iterator[tuple[Theory, float]]:
    """The theories that hold, the best first, each with its confidence; its evidence is taken once it was looked at.

    What is explained only makes the other theories more likely by chance. So a rank is renewed when its turn comes, and
    what has become too weak never comes back; but what does not stand out may, on what is left.
    """
    weigh = cache(tail)

    def rank(theory: Theory) -> _Rank:
        return weigh(len(theory.bad), theory.known, base=_BASE, rho=theory.rho), -theory.covers, theory.key

    theories = {theory.key: theory for theory in evidence.theories if _is_strong(theory, policy)}
    queue = [rank(theory) for theory in theories.values()]
    heapify(queue)
    aside: list[_Rank] = []
    while queue:
        held = heappop(queue)
        theory = theories[held[2]]
        if not _is_strong(theory, policy):
            continue
        if (now := rank(theory)) != held:
            heappush(queue, now)
        elif not _stands_out(theory.share, *evidence.control(theory)):
            aside.append(held)
        else:
            yield theory, min(1 - held[0], theory.known / (theory.covers - theory.explained))
            evidence.take(tuple(theory.bad))
            for waiting in aside:
                heappush(queue, waiting)
            aside.clear()


def _is_strong(theory: Theory, policy: Aggregate) -> bool:
    """Whether enough of what the theory covers is anomalous."""
    return len(theory.bad) >= theory.fewest and theory.share >= policy.fleet_fraction


def _stands_out(share: float, control_bad: int, control_known: int) -> bool:
    """Whether the control group, if there is one, is clearly less anomalous."""
    return not control_known or control_bad / control_known <= _CONTRAST * share


def _wide_finding(theory: Theory, confidence: float) -> Finding:
    """The finding of a theory that holds."""
    if theory.model:
        what = f"{theory.model} {theory.version} is anomalous on {len(theory.bad)} of {theory.known} known spokes"
    else:
        what = f"{theory.subject} is anomalous in {len(theory.bad)} of {theory.known} known models"
    return Finding(
        kind=theory.kind,
        key=theory.key,
        clusters=tuple(sorted({cluster for cluster, _ in theory.bad})),
        summary=what,
        model=theory.model,
        version=theory.version,
        confidence=round(confidence, 4),
    )


def _chance_of_votes(bad: int, votes: int, around: float) -> float:
    return tail(bad, votes, base=max(_BASE, around), rho=_RHO_VOTES)


def _single(
    one: PredictorHealth, evidence: Evidence, explained: Mapping[Cell, str], chance: Callable[[int, int, float], float]
) -> Finding:
    """The finding of one predictor; what is anomalous all around it, unexplained, takes from its confidence."""
    cell = one.cluster, one.model
    bad = sum([vote.bad for vote in one.votes])
    return Finding(
        kind=FindingKind.PREDICTOR_ANOMALY,
        key=f"{FindingKind.PREDICTOR_ANOMALY}:{one.cluster}/{one.model}",
        clusters=(one.cluster,),
        summary=f"{one.model} {one.version} on {one.cluster}: {bad} of {len(one.votes)} windows are anomalous",
        model=one.model,
        version=one.version,
        confidence=round(1 - chance(bad, len(one.votes), evidence.share_without(cell)), 4),
        inhibited_by=explained.get(cell, ""),
    )
