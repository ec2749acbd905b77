"""Observations and remembered health become new health and findings. Pure.

``cells`` remembers one predictor, ``fleet`` concludes hard facts over all of them, ``blame`` finds which model version
or spoke explains anomalies, ``chance`` is the formula behind its confidence.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from hubctl.aggregate import cells, fleet
from hubctl.model.health import Condition, Finding, PredictorHealth
from hubctl.model.predictor import Observation
from hubctl.model.values import Aggregate

__all__ = ["Aggregation", "aggregate", "spoke_condition"]


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What one round of polls came to.

    Attributes:
        health: by cluster and model, sorted.
        findings: sorted by key.
    """

    health: tuple[PredictorHealth, ...]
    findings: tuple[Finding, ...]


def aggregate(
    observations: Sequence[Observation],
    last: Iterable[PredictorHealth],
    policy: Aggregate,
    *,
    now: datetime,
    expected: frozenset[tuple[str, str]] | None = None,
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
    """
    held = {(health.cluster, health.model): health for health in last}
    seen = [one for one in observations if expected is None or (one.cluster, one.model) in expected]
    for one in sorted(seen, key=_by_time):
        cell = one.cluster, one.model
        held[cell] = cells.fold(held.get(cell), one, policy)
    # An answer may be complete after the pass took its time; no vote may seem to lie in the future then.
    latest = max([now, *(one.at for one in seen)])
    health = tuple(
        held[cell] if cell[0] in waiting else cells.age(held[cell], latest, policy)
        for cell in sorted(held)
        if expected is None or cell in expected
    )
    return Aggregation(health, fleet.find(health, seen, policy, waiting))


def _by_time(seen: Observation) -> tuple[datetime, str, str, str, int, int]:
    """Orders the observations of one predictor; those of different ones do not meet."""
    return seen.at, seen.version, seen.window, seen.outcome, seen.instances, seen.anomalies


def spoke_condition(health: Iterable[PredictorHealth]) -> Condition:
    """The condition of a spoke with these predictors; one that is not known keeps it from being healthy."""
    conditions = {one.condition for one in health}
    if Condition.ANOMALOUS in conditions:
        return Condition.ANOMALOUS
    return Condition.HEALTHY if conditions == {Condition.HEALTHY} else Condition.UNKNOWN
