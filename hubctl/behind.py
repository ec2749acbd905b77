"""Behind: what is kept of a pass with each incident that it decided about: observations, and what witnesses said.

Apart from ``reconcile``, the order of a pass, and from the store, which does not choose.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hubctl.model.incident import Decision, Incident, Verdict
from hubctl.model.predictor import Observation
from hubctl.model.witness import SpokeWitness

if TYPE_CHECKING:  # as in `hub`
    from hubctl.store.schema import Store

ROUNDS_BEFORE = 5
"""Rounds before an incident was opened that are kept as its evidence."""


def keep(
    store: "Store", decisions: Sequence[Decision], observed: Sequence[Observation], witnesses: Sequence[SpokeWitness]
) -> None:
    """Keep with every incident what this pass saw of it; the incidents are stored already.

    Raises:
        StoreUnavailable: the database failed.
    """
    opened = [decision.incident for decision in decisions if decision.verdict is Verdict.OPEN]
    for incident, rounds in before_they_opened(store, opened, observed):
        store.cases.save_evidence(incident.id, rounds)
    for decision in decisions:
        if decision.verdict in (Verdict.OPEN, Verdict.RESOLVE):
            store.witnesses.testify(decision.incident, witnesses)
    for incident in {decision.incident.id: decision.incident for decision in decisions}.values():
        store.cases.save_evidence(incident.id, evidence_for(incident, observed))


def before_they_opened(
    store: "Store", opened: Sequence[Incident], observed: Sequence[Observation]
) -> list[tuple[Incident, tuple[Observation, ...]]]:
    """What led to incidents: the latest rounds of their predictors, which are read once for all of them."""
    cells = {(seen.cluster, seen.model) for incident in opened for seen in evidence_for(incident, observed)}
    rounds = store.journal.recent(cells, ROUNDS_BEFORE) if cells else ()
    return [(incident, evidence_for(incident, rounds)) for incident in opened]


def evidence_for(incident: Incident, observed: Sequence[Observation]) -> tuple[Observation, ...]:
    """The observations that speak of an incident's spokes and, if it names one, its model."""
    return tuple(
        seen
        for seen in observed
        if seen.cluster in incident.clusters and (not incident.model or seen.model == incident.model)
    )
