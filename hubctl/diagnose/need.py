"""Need: what a fleet needs of its hub: the objects that hubctl renders for it, and the add-ons that serve its spokes.

Worked out of the rendered tree, so that nothing has to be listed a second time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hubctl.model.fleet import HubInputs
from hubctl.model.listed import Name
from hubctl.model.predictor import InferenceService
from hubctl.model.route import ProxyRoute
from hubctl.model.snapshot import (
    APPLICATIONS,
    DECISIONS,
    MANAGED_CLUSTERS,
    SERVICE_ACCOUNTS,
    WORKS,
    Resource,
)

PLACEMENTS = Resource("Placement", "cluster.open-cluster-management.io", "v1beta1", "placements")
BINDINGS = Resource(
    "ManagedClusterSetBinding", "cluster.open-cluster-management.io", "v1beta2", "managedclustersetbindings"
)
GITOPS_CLUSTERS = Resource("GitOpsCluster", "apps.open-cluster-management.io", "v1beta1", "gitopsclusters")
PERMISSIONS = Resource("ClusterPermission", "rbac.open-cluster-management.io", "v1alpha1", "clusterpermissions")
APPLICATION_SETS = Resource("ApplicationSet", "argoproj.io", "v1alpha1", "applicationsets")
PROJECTS = Resource("AppProject", "argoproj.io", "v1alpha1", "appprojects")

RENDERED = (
    PLACEMENTS,
    BINDINGS,
    GITOPS_CLUSTERS,
    SERVICE_ACCOUNTS,
    PERMISSIONS,
    WORKS,
    APPLICATION_SETS,
    PROJECTS,
)
"""Kinds that hubctl renders for the hub and that have something to say of their own health."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a fleet needs of its hub.

    Attributes:
        spokes: names of the ManagedClusters.
        objects: kind to the rendered objects of it.
        addons: add-on to the spokes that need it.
        applications: spoke to the Application that delivers to it.
        namespace: Argo CD's.
    """

    spokes: tuple[str, ...] = ()
    objects: Mapping[Resource, tuple[Name, ...]] = field(default_factory=dict)
    addons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    applications: Mapping[str, str] = field(default_factory=dict)
    namespace: str = ""

    @property
    def resources(self) -> tuple[Resource, ...]:
        """The kinds to look at; none when the fleet needs nothing of Open Cluster Management."""
        if not self.objects and not self.addons:
            return ()
        decisions = (DECISIONS,) if PLACEMENTS in self.objects else ()
        return (MANAGED_CLUSTERS, *decisions, *self.objects, APPLICATIONS)


def need_of(inputs: HubInputs, manifests: Iterable[Any]) -> Need:
    """What a fleet needs.

    Args:
        inputs: the fleet.
        manifests: every object of the rendered tree's folder for the hub.
    """
    objects: dict[Resource, tuple[Name, ...]] = {}
    known = {(each.group, each.kind): each for each in RENDERED}
    for manifest in manifests:
        group = str(manifest.get("apiVersion", "")).partition("/")[0]
        if resource := known.get((group, str(manifest.get("kind", "")))):
            meta = manifest["metadata"]
            objects[resource] = (*objects.get(resource, ()), (str(meta.get("namespace", "")), str(meta["name"])))
    # Only Argo CD's own kinds: a hub without Open Cluster Management.
    if not set(objects).difference({APPLICATION_SETS, PROJECTS}):
        objects = {}
    tokens = tuple(namespace for namespace, _ in objects.get(SERVICE_ACCOUNTS, ()))
    proxied = tuple(one.name for one in inputs.clusters if any(map(_is_proxied, one.models)))
    addons = {"managed-serviceaccount": tokens, "cluster-proxy": proxied}
    delivered = {one.name: f"hubctl-{one.name}" for one in inputs.clusters if not one.quarantined}
    return Need(
        # Not its destination, which is what Argo CD calls it.
        spokes=tuple(one.name for one in inputs.clusters),
        objects=objects,
        addons={name: spokes for name, spokes in addons.items() if spokes},
        applications=delivered,
        namespace=inputs.values.hubctl.gitops.argocd_namespace,
    )


def _is_proxied(model: InferenceService) -> bool:
    """Whether nothing but the cluster-proxy leads there; where others do, polling says how this one fares."""
    return bool(model.routes) and all(isinstance(route, ProxyRoute) for route in model.routes)
