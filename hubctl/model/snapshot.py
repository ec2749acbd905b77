"""Snapshot: the hub's own objects as one look at its API server found them, and which kinds there are to look for.

Between ``fleet``, which lists and watches them, and the pure parts that read them; whole objects, as the API has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Resource:
    """A kind of object on the hub.

    Attributes:
        plural: as it stands in paths.
        labels: label selector; only objects that fit are looked for. Empty: all.
        namespace: where alone they are looked for, as hubctl may see no others. The kind is the same one all the same,
            so that what was found is found in a snapshot by the kind's own name. Empty: everywhere.
    """

    kind: str
    group: str
    version: str
    plural: str
    labels: str = ""
    namespace: str = field(default="", compare=False)

    @property
    def path(self) -> str:
        """Where its objects are listed."""
        place = f"namespaces/{self.namespace}/" if self.namespace else ""
        return f"/apis/{self.group}/{self.version}/{place}{self.plural}"

    @property
    def query(self) -> dict[str, str]:
        """Of a request for the objects that are looked for."""
        return {"labelSelector": self.labels} if self.labels else {}


MANAGED_CLUSTERS = Resource("ManagedCluster", "cluster.open-cluster-management.io", "v1", "managedclusters")
CLUSTER_SETS = Resource("ManagedClusterSet", "cluster.open-cluster-management.io", "v1beta2", "managedclustersets")
DECISIONS = Resource("PlacementDecision", "cluster.open-cluster-management.io", "v1beta1", "placementdecisions")
SERVICE_ACCOUNTS = Resource(
    "ManagedServiceAccount", "authentication.open-cluster-management.io", "v1beta1", "managedserviceaccounts"
)
WORKS = Resource("ManifestWork", "work.open-cluster-management.io", "v1", "manifestworks")
APPLICATIONS = Resource("Application", "argoproj.io", "v1alpha1", "applications")

OURS = "app.kubernetes.io/managed-by=hubctl"
"""Selects what hubctl rendered."""

FEEDBACK_WORKS = replace(WORKS, labels=OURS)
SPOKE_APPLICATIONS = replace(APPLICATIONS, labels=OURS)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What one look found.

    Attributes:
        at: when.
        objects: of each kind that was looked for and could be read; in the API's own form, in no order.
        unread: kind to why it could not be read, in words for people. What is here says nothing about the fleet.
    """

    at: datetime
    objects: Mapping[Resource, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)
    unread: Mapping[Resource, str] = field(default_factory=dict)

    def of(self, resource: Resource) -> tuple[Mapping[str, Any], ...] | None:
        """The objects of a kind; None, other than none, when it was not looked for or could not be read."""
        return self.objects.get(resource)
