"""The hub's own objects as its API has them, for tests of what hubctl makes of them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hubctl.model.snapshot import CLUSTER_SETS, DECISIONS, MANAGED_CLUSTERS, Resource, Snapshot

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
GROUP = "cluster.open-cluster-management.io"
OPENSHIFT = {
    "product.open-cluster-management.io": "OpenShift",
    "platform.open-cluster-management.io": "AWS",
    "version.openshift.io": "4.18.9",
    "controlplanetopology.openshift.io": "HighlyAvailable",
}


def after(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def managed(
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    claims: Mapping[str, str] | None = None,
    accepted: bool = True,
    available: str = "True",
    taints: Sequence[str] = (),
) -> dict[str, Any]:
    """A ManagedCluster whose agent has reported."""
    told = OPENSHIFT if claims is None else claims
    return {
        "apiVersion": f"{GROUP}/v1",
        "kind": "ManagedCluster",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": {"hubAcceptsClient": accepted, "taints": [{"key": key, "effect": "NoSelect"} for key in taints]},
        "status": {
            "conditions": [{"type": "ManagedClusterConditionAvailable", "status": available}],
            "version": {"kubernetes": "v1.31.4"},
            "clusterClaims": [{"name": key, "value": value} for key, value in told.items()],
        },
    }


def decision(placement: str, number: int, names: Iterable[str], namespace: str = "fleet") -> dict[str, Any]:
    """One of a Placement's decisions."""
    return {
        "apiVersion": f"{GROUP}/v1beta1",
        "kind": "PlacementDecision",
        "metadata": {
            "name": f"{placement}-decision-{number}",
            "namespace": namespace,
            "labels": {f"{GROUP}/placement": placement},
        },
        "status": {"decisions": [{"clusterName": name, "reason": ""} for name in names]},
    }


def cluster_set(name: str, selector: Mapping[str, Any] | None = None) -> dict[str, Any]:
    chosen = {"selectorType": "ExclusiveClusterSetLabel"} if selector is None else selector
    return {"metadata": {"name": name}, "spec": {"clusterSelector": chosen}}


def snapshot(
    clusters: Iterable[Mapping[str, Any]],
    *,
    decisions: Iterable[Mapping[str, Any]] | None = None,
    sets: Iterable[Mapping[str, Any]] | None = None,
    at: datetime = T0,
) -> Snapshot:
    objects: dict[Resource, tuple[Mapping[str, Any], ...]] = {MANAGED_CLUSTERS: tuple(clusters)}
    if decisions is not None:
        objects[DECISIONS] = tuple(decisions)
    if sets is not None:
        objects[CLUSTER_SETS] = tuple(sets)
    return Snapshot(at, objects)
