"""Which ManagedClusters are meant: those that Placements select and that belong to ManagedClusterSets.

Pure. Of a Placement all PlacementDecisions count, as each holds 100 clusters at most. What cannot be known, because an
object is missing, is an error of the look and never an empty choice.
"""

from collections.abc import Mapping
from typing import Any

from hubctl.model.fleetsource import FleetSource, PlacementRef
from hubctl.model.snapshot import CLUSTER_SETS, DECISIONS, MANAGED_CLUSTERS, Snapshot

PLACEMENT_LABEL = "cluster.open-cluster-management.io/placement"
"""Of a PlacementDecision: the name of its Placement."""

SET_LABEL = "cluster.open-cluster-management.io/clusterset"
"""Of a ManagedCluster: the one exclusive set that it belongs to."""


class Unknown(Exception):  # noqa: N818 - it is no error of anybody; nothing else may be read from it
    """What is meant cannot be told from this snapshot; the message says why."""


def chosen(snapshot: Snapshot, source: FleetSource) -> tuple[dict[str, Mapping[str, Any]], dict[str, str]]:
    """The ManagedClusters that are meant, by name, and why others are not.

    Raises:
        Unknown: a kind could not be read, or a Placement or set is not there.
    """
    found = {str(each["metadata"].get("name", "")): each for each in _read(snapshot, MANAGED_CLUSTERS)}
    left_out: dict[str, str] = {}
    if source.placements:
        named = frozenset().union(*(decided(snapshot, one) for one in source.placements))
        places = ", ".join(one.text for one in source.placements)
        left_out |= {name: f"no placement selects it: {places}" for name in found if name not in named}
    if source.cluster_sets:
        within = _members(snapshot, source.cluster_sets, found)
        sets = ", ".join(source.cluster_sets)
        left_out |= {name: f"it is in no set of fleet.clusterSets: {sets}" for name in found if name not in within}
    return {name: each for name, each in found.items() if name not in left_out}, left_out


def decided(snapshot: Snapshot, placement: PlacementRef) -> frozenset[str]:
    """The clusters that a Placement selects: all of its PlacementDecisions together.

    Raises:
        Unknown: there is none; one that selects nothing has an empty one.
    """
    objects = [
        each
        for each in _read(snapshot, DECISIONS)
        if each["metadata"].get("namespace") == placement.namespace
        and (each["metadata"].get("labels") or {}).get(PLACEMENT_LABEL) == placement.name
    ]
    if not objects:
        raise Unknown(f"placement {placement.text} has no PlacementDecision; see whether it is there and satisfied")
    return frozenset(
        str(decision.get("clusterName", ""))
        for each in objects
        for decision in (each.get("status") or {}).get("decisions") or ()
    )


def fits(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Whether labels fit a Kubernetes label selector; an empty one fits all."""
    if any(labels.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(each, labels) for each in selector.get("matchExpressions") or ())


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression.get("key", ""), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    raise Unknown(f"found operator {expression.get('operator')!r} in a label selector, expected one of Kubernetes'")


def _members(snapshot: Snapshot, names: tuple[str, ...], clusters: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """The clusters of some sets."""
    sets = {str(each["metadata"].get("name", "")): each for each in _read(snapshot, CLUSTER_SETS)}
    found: set[str] = set()
    for name in names:
        if name not in sets:
            raise Unknown(f"there is no ManagedClusterSet {name!r}; the hub has {', '.join(sorted(sets)) or 'none'}")
        selector = (sets[name].get("spec") or {}).get("clusterSelector") or {}
        by_label = selector.get("selectorType") == "LabelSelector"
        wanted = (selector.get("labelSelector") or {}) if by_label else {"matchLabels": {SET_LABEL: name}}
        found.update(key for key, each in clusters.items() if fits(wanted, each["metadata"].get("labels") or {}))
    return frozenset(found)


def _read(snapshot: Snapshot, resource: Any) -> tuple[Mapping[str, Any], ...]:
    objects = snapshot.of(resource)
    if objects is None:
        why = snapshot.unread.get(resource, "it was not looked for")
        raise Unknown(f"the hub's {resource.plural} cannot be read: {why}")
    return objects
