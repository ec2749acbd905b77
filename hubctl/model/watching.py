"""Which kinds of the hub's objects a fleet makes hubctl look at; none means that the hub's API is never asked.

Apart from ``snapshot``, which knows no values.
"""

from hubctl.model.fleetsource import FleetSource
from hubctl.model.snapshot import CLUSTER_SETS, DECISIONS, MANAGED_CLUSTERS, Resource
from hubctl.model.values import HubValues


def resources_of(values: HubValues) -> tuple[Resource, ...]:
    """The kinds that these values need."""
    return of_fleet(values.hubctl.fleet) if values.kserve.enabled else ()


def of_fleet(source: FleetSource) -> tuple[Resource, ...]:
    """The kinds that say which spokes there are."""
    if not source.discovers:
        return ()
    decisions = (DECISIONS,) if source.placements else ()
    return (MANAGED_CLUSTERS, *decisions, *((CLUSTER_SETS,) if source.cluster_sets else ()))
