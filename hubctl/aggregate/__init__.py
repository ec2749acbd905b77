"""Observations and remembered health become new health and findings. Pure.

``cells`` remembers one predictor, ``fleet`` concludes hard facts over all of them, ``blame`` finds which model version
or spoke explains anomalies by the counts of ``evidence``, ``chance`` is the formula behind its confidence. ``troubles``
weighs what witnesses on the hub say of spokes against the polls, ``witnesses`` makes findings of it. ``golden`` tells
by their answers which version spokes serve.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from hubctl.aggregate import cells, fleet, troubles, witnesses
from hubctl.model.health import Condition, Finding, PredictorHealth
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate
from hubctl.model.witness import SpokeWitness
from hubctl.model.witnessing import Witness

__all__ = ["Aggregation", "Said", "aggregate", "spoke_condition"]


@dataclass(frozen=True, slots=True)
class Said:
    """What the hub's own objects say in this round.

    Attributes:
        now: of each spoke of the fleet; empty when nobody is heard.
        last: as the round before left it.
        rules: when it becomes findings.
        tip: the commit that Argo CD should compare with; empty when that is not known.
        controls: what the hub itself needs and does not reach, each with why.
    """

    now: tuple[SpokeWitness, ...] = ()
    last: tuple[SpokeWitness, ...] = ()
    rules: Witness = field(default_factory=Witness)
    tip: str = ""
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What one round of polls came to.

    Attributes:
        health: by cluster and model, sorted.
        findings: sorted by key.
        witnesses: by cluster, with what they say is wrong and since when.
    """

    health: tuple[PredictorHealth, ...]
    findings: tuple[Finding, ...]
    witnesses: tuple[SpokeWitness, ...] = ()


def aggregate(
    observations: Sequence[Observation],
    last: Iterable[PredictorHealth],
    policy: Aggregate,
    *,
    now: datetime,
    expected: frozenset[tuple[str, str]] | None = None,
    testimony: Said | None = None,
    waiting: Collection[str] = (),
) -> Aggregation:
    """Fold one round of observations into the remembered health and conclude; the order of both does not matter.

    Args:
        observations: of this round.
        last: the health that the round before left.
        policy: when observations become a finding.
        now: the pass's time; a predictor that was not observed ages until then.
        waiting: spokes that were left out of this round on purpose; to them, nothing happened.
        expected: the (cluster, model) that the fleet has; the health of others is dropped. None keeps all.
        testimony: what else is known of the spokes; None when nobody is heard.
    """
    said = testimony or Said()
    served = {(one.cluster, each.model): each.current for one in said.now for each in one.services}
    held = {(one.cluster, one.model): one for one in last}
    seen = [
        one
        for one in observations
        # A poll that was not made is no evidence of anything.
        if one.outcome is not Outcome.SKIPPED and (expected is None or (one.cluster, one.model) in expected)
    ]
    fresh: dict[tuple[str, str], PredictorHealth] = {}
    for one in _in_order(seen):
        cell = one.cluster, one.model
        fresh[cell] = cells.fold(fresh.get(cell) or held.get(cell), one, policy, served=served.get(cell))
    held = {cell: fresh.get(cell) or _served(one, served.get(cell)) for cell, one in held.items()} | fresh
    # An answer may be complete after the pass took its time; no vote may seem to lie in the future then.
    latest = max([now, *(one.at for one in seen)])
    health = tuple(
        held[cell] if cell[0] in waiting else cells.age(held[cell], latest, policy)
        for cell in sorted(held)
        if expected is None or cell in expected
    )
    witnessed = _remembered(said, health, policy)
    findings = fleet.find(
        health,
        seen,
        policy,
        waiting=waiting,
        witnessed=witnesses.find(witnessed, said.rules, now=now),
        cut_off=witnesses.hub_cut_off(witnessed, policy),
        controls=said.controls,
    )
    return Aggregation(health, findings, witnessed)


def _served(health: PredictorHealth, served: bool | None) -> PredictorHealth:  # noqa: FBT001 - three answers
    """The health with what feedback says now."""
    return health if health.served is served else replace(health, served=served)


def _in_order(seen: Sequence[Observation]) -> Sequence[Observation]:
    """The observations by time where that matters: those of different predictors do not meet."""
    return seen if len({(one.cluster, one.model) for one in seen}) == len(seen) else sorted(seen, key=_by_time)


def _remembered(said: Said, health: Iterable[PredictorHealth], policy: Aggregate) -> tuple[SpokeWitness, ...]:
    """This round's witnesses by cluster, with what is wrong and since when."""
    before = {one.cluster: one for one in said.last}
    mine: dict[str, list[PredictorHealth]] = defaultdict(list)
    for one in health:
        mine[one.cluster].append(one)
    return tuple(
        troubles.remembered(
            one, before.get(one.cluster), mine[one.cluster], raise_after=policy.raise_after, tip=said.tip
        )
        for one in sorted(said.now, key=lambda one: one.cluster)
    )


def _by_time(seen: Observation) -> tuple[datetime, str, str, str, int, int]:
    """Orders the observations of one predictor; those of different ones do not meet."""
    return seen.at, seen.version, seen.window, seen.outcome, seen.instances, seen.anomalies


def spoke_condition(health: Iterable[PredictorHealth]) -> Condition:
    """The condition of a spoke with these predictors; one that is not known keeps it from being healthy."""
    conditions = {one.condition for one in health}
    if Condition.ANOMALOUS in conditions:
        return Condition.ANOMALOUS
    return Condition.HEALTHY if conditions == {Condition.HEALTHY} else Condition.UNKNOWN
