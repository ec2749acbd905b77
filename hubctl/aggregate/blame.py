"""Which model version or spoke explains the anomalies: greedy attribution over the matrix of spokes and models.

The theory that chance explains worst takes its anomalous predictors with it; the others are weighed again on what is
left. A version or spoke is blamed only if it stands out: where the same is anomalous everywhere, nothing is to blame.
Unknown predictors are in no count but that of coverage, which they lower.

Confidence is min(1 - tail, known / all), with the beta-binomial tail of ``chance``. Its base rate and correlations are
chosen as a discount for predictors and windows that share causes; they are not calibrated on history.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from hubctl.aggregate.chance import tail
from hubctl.model.health import Condition, Finding, FindingKind, HealthReason, PredictorHealth
from hubctl.model.values import Aggregate

_BASE = 0.05
"""Share of predictors, or windows, expected to be anomalous with nothing wrong."""

_RHO_VERSION, _RHO_SPOKE, _RHO_VOTES = 0.2, 0.5, 0.5
"""Correlation between spokes of one version, between models of one spoke, between windows of one predictor."""

_CONTRAST = 0.5
"""A control group may be anomalous at most this share of what the blamed group is."""

_FEWEST_MODELS = 2
"""Anomalous models that a finding about a spoke needs."""

_Cell = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Theory:
    """A version or a spoke that may explain anomalies: all predictors it covers, known or not."""

    kind: FindingKind
    subject: str
    cells: frozenset[_Cell]
    fewest: int
    rho: float
    model: str = ""
    version: str = ""

    @property
    def key(self) -> str:
        """The key that its finding would have."""
        return f"{self.kind}:{self.subject}"


@dataclass(frozen=True, slots=True)
class _Verdict:
    """A theory weighed on the predictors that nothing explains yet."""

    theory: _Theory
    bad: frozenset[_Cell]
    known: int
    chance: float
    confidence: float

    @property
    def rank(self) -> tuple[float, int, str]:
        """Least by chance first, then the wider, then by key."""
        return self.chance, -len(self.theory.cells), self.theory.key


def attribute(health: Sequence[PredictorHealth], policy: Aggregate) -> list[Finding]:
    """Findings about anomalous versions and spokes, and one for each anomalous predictor, in no particular order."""
    forecasts = {one.model for one in health if one.reason == HealthReason.ANSWERS}
    voters = [one for one in health if one.model not in forecasts]
    live = {
        (one.cluster, one.model): one.condition is Condition.ANOMALOUS
        for one in voters
        if one.condition is not Condition.UNKNOWN
    }
    theories = [
        theory
        for theory in _theories(voters, policy)
        if sum(live.get(cell, False) for cell in theory.cells) >= theory.fewest
    ]
    verdicts: list[_Verdict] = []
    explained: dict[_Cell, str] = {}
    while weighed := _weigh_all(theories, live, frozenset(explained), policy):
        best = min(weighed, key=lambda verdict: verdict.rank)
        verdicts.append(best)
        explained |= dict.fromkeys(best.bad, best.theory.key)
        live = {cell: bad for cell, bad in live.items() if cell not in best.bad}
    singles = [one for one in voters if one.condition is Condition.ANOMALOUS]
    return [*map(_wide_finding, verdicts), *(_single(one, live, explained) for one in singles)]


def _theories(voters: Iterable[PredictorHealth], policy: Aggregate) -> list[_Theory]:
    """Each deployed version and each spoke."""
    versions: dict[tuple[str, str], set[_Cell]] = defaultdict(set)
    spokes: dict[str, set[_Cell]] = defaultdict(set)
    for one in voters:
        versions[one.model, one.version].add((one.cluster, one.model))
        spokes[one.cluster].add((one.cluster, one.model))
    of_versions = [
        _Theory(
            FindingKind.MODEL_ANOMALY,
            f"{model}@{version}",
            frozenset(cells),
            policy.min_spokes,
            _RHO_VERSION,
            model=model,
            version=version,
        )
        for (model, version), cells in versions.items()
    ]
    of_spokes = [
        _Theory(FindingKind.SPOKE_ANOMALY, name, frozenset(cells), _FEWEST_MODELS, _RHO_SPOKE)
        for name, cells in spokes.items()
    ]
    return [*of_versions, *of_spokes]


def _weigh_all(
    theories: Iterable[_Theory], live: Mapping[_Cell, bool], explained: frozenset[_Cell], policy: Aggregate
) -> list[_Verdict]:
    """The theories that hold on the live predictors."""
    known = Counter(model for _, model in live)
    bad = Counter(model for (_, model), is_bad in live.items() if is_bad)
    verdicts = []
    for theory in theories:
        mine = {cell: live[cell] for cell in theory.cells if cell in live}
        hits = frozenset(cell for cell, is_bad in mine.items() if is_bad)
        if len(hits) < theory.fewest or len(hits) / len(mine) < policy.fleet_fraction:
            continue
        models = {model for _, model in theory.cells}
        control = (
            sum(bad[model] for model in models) - len(hits),
            sum(known[model] for model in models) - len(mine),
        )
        if theory.model and not control[1]:
            control = _other_models(theory, hits, live)
        if _stands_out(len(hits) / len(mine), *control):
            chance = tail(len(hits), len(mine), base=_BASE, rho=theory.rho)
            coverage = len(mine) / len(theory.cells - explained)
            verdicts.append(_Verdict(theory, hits, len(mine), chance, min(1 - chance, coverage)))
    return verdicts


def _other_models(theory: _Theory, hits: frozenset[_Cell], live: Mapping[_Cell, bool]) -> tuple[int, int]:
    """Anomalous and known predictors of other models on the blamed spokes: the control when a version is alone."""
    clusters = {cluster for cluster, _ in hits}
    others = [bad for (cluster, model), bad in live.items() if cluster in clusters and model != theory.model]
    return sum(others), len(others)


def _stands_out(share: float, control_bad: int, control_known: int) -> bool:
    """Whether the control group, if there is one, is clearly less anomalous."""
    return not control_known or control_bad / control_known <= _CONTRAST * share


def _wide_finding(verdict: _Verdict) -> Finding:
    """The finding of a verdict."""
    theory = verdict.theory
    if theory.model:
        what = f"{theory.model} {theory.version} is anomalous on {len(verdict.bad)} of {verdict.known} known spokes"
    else:
        what = f"{theory.subject} is anomalous in {len(verdict.bad)} of {verdict.known} known models"
    return Finding(
        kind=theory.kind,
        key=theory.key,
        clusters=tuple(sorted({cluster for cluster, _ in verdict.bad})),
        summary=what,
        model=theory.model,
        version=theory.version,
        confidence=round(verdict.confidence, 4),
    )


def _single(one: PredictorHealth, live: Mapping[_Cell, bool], explained: Mapping[_Cell, str]) -> Finding:
    """The finding of one predictor; what is anomalous all around it, unexplained, takes from its confidence."""
    cell = one.cluster, one.model
    others = len(live) - (cell in live)
    around = (sum(live.values()) - live.get(cell, False)) / others if others else 0.0
    bad = sum(vote.bad for vote in one.votes)
    chance = tail(bad, len(one.votes), base=max(_BASE, around), rho=_RHO_VOTES)
    return Finding(
        kind=FindingKind.PREDICTOR_ANOMALY,
        key=f"{FindingKind.PREDICTOR_ANOMALY}:{one.cluster}/{one.model}",
        clusters=(one.cluster,),
        summary=f"{one.model} {one.version} on {one.cluster}: {bad} of {len(one.votes)} windows are anomalous",
        model=one.model,
        version=one.version,
        confidence=round(1 - chance, 4),
        inhibited_by=explained.get(cell, ""),
    )
