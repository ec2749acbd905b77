"""Proof: which observations are kept with an incident, of its own round and of those before it.

Apart from ``reconcile``, which is only the order of a pass.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubctl.model.incident import Incident
from hubctl.model.predictor import Observation

if TYPE_CHECKING:  # the caller has it open already
    from hubctl.store.journal import Journal

ROUNDS_BEFORE = 5
"""Rounds before an incident was opened that are kept as its evidence."""


def before_it_opened(
    journal: "Journal", incident: Incident, observed: Sequence[Observation]
) -> tuple[Observation, ...]:
    """What led to an incident: the latest rounds of its predictors."""
    cells = {(seen.cluster, seen.model) for seen in of(incident, observed)}
    kept = (journal.recent(cluster, model)[:ROUNDS_BEFORE] for cluster, model in sorted(cells))
    return tuple(seen for rounds in kept for seen in rounds)


def of(incident: Incident, observed: Sequence[Observation]) -> tuple[Observation, ...]:
    """The observations that speak of an incident's spokes and, if it names one, its model."""
    return tuple(
        seen
        for seen in observed
        if seen.cluster in incident.clusters and (not incident.model or seen.model == incident.model)
    )
