"""Which kinds of the hub's objects a fleet makes hubctl look at; none means that the hub's API is never asked.

Apart from ``snapshot``, which knows no values.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hubctl.model import reaching, snapshot
from hubctl.model.access import Access
from hubctl.model.cluster import Spoke
from hubctl.model.fleetsource import FleetSource
from hubctl.model.snapshot import Resource
from hubctl.model.values import HubValues


@dataclass(frozen=True, slots=True)
class Heard:
    """Which witnesses are heard."""

    managed_clusters: bool = False
    feedback: bool = False
    applications: bool = False


def heard(values: HubValues, asked: Iterable[Access | None] = ()) -> Heard:
    """The witnesses of a fleet: as the values say, else all of them when some spoke is read by feedback.

    Args:
        values: the hub's.
        asked: what single spokes ask for, beside the groups.
    """
    said = values.hubctl.witness
    everyone = (*(group.access for group in values.hubctl.groups), *asked)
    usual = any(access is not None and access.feedback for access in everyone)

    def chosen(one: bool | None) -> bool:  # noqa: FBT001 - a setting
        return values.kserve.enabled and (usual if one is None else one)

    return Heard(chosen(said.managed_clusters), chosen(said.feedback), chosen(said.applications))


def resources_of(values: HubValues, spokes: Sequence[Spoke] = ()) -> tuple[Resource, ...]:
    """The kinds that these values need, and the files of spokes."""
    wanted = heard(values, (spoke.spec.access for spoke in spokes))
    kinds = {
        snapshot.MANAGED_CLUSTERS: wanted.managed_clusters,
        snapshot.FEEDBACK_WORKS: wanted.feedback,
        snapshot.SPOKE_APPLICATIONS: wanted.applications,
    }
    witnesses = (kind for kind, needed in kinds.items() if needed)
    reached = reaching.resources_of(values, spokes)
    fleet = of_fleet(values.hubctl.fleet) if values.kserve.enabled else ()
    return tuple(dict.fromkeys((*fleet, *witnesses, *reached)))


def of_fleet(source: FleetSource) -> tuple[Resource, ...]:
    """The kinds that say which spokes there are."""
    if not source.discovers:
        return ()
    decisions = (snapshot.DECISIONS,) if source.placements else ()
    sets = (snapshot.CLUSTER_SETS,) if source.cluster_sets else ()
    return (snapshot.MANAGED_CLUSTERS, *decisions, *sets)


def asks_hub(values: HubValues, spokes: Sequence[Spoke] = ()) -> bool:
    """Whether anything is read of the hub's API, if only single objects."""
    return bool(resources_of(values, spokes)) or reaching.finds_hosts(values, spokes)


def placed(resources: Iterable[Resource], values: HubValues) -> tuple[Resource, ...]:
    """The kinds, each where it is looked for: Applications in Argo CD's namespace, as hubctl may see no others."""
    namespace, plural = values.hubctl.gitops.argocd_namespace, snapshot.APPLICATIONS.plural
    return tuple(replace(one, namespace=namespace) if one.plural == plural else one for one in resources)
