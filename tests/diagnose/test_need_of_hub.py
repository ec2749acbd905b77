"""What a fleet needs of its hub, and what is said when the hub's words are few."""

from typing import Any

from hubctl.diagnose.hub import examine
from hubctl.diagnose.need import APPLICATION_SETS, PLACEMENTS, Need, need_of
from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.model.listed import Listed
from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, ApiserverRoute, ExposedRoute, Route
from hubctl.model.snapshot import MANAGED_CLUSTERS
from hubctl.model.storage import PvcStorage
from hubctl.model.values import HubValues, ModelProfile


def _manifest(kind: str, version: str, name: str, namespace: str = "argocd") -> Any:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


def test_fleet_without_open_cluster_management_asks_the_hub_for_nothing() -> None:
    need = need_of(HubInputs(HubValues(), ()), [_manifest("ApplicationSet", "argoproj.io/v1alpha1", "a")])
    assert need.resources == ()


def test_fleet_with_a_placement_looks_at_clusters_and_applications_too() -> None:
    placement = _manifest("Placement", "cluster.open-cluster-management.io/v1beta1", "fleet")
    need = need_of(HubInputs(HubValues(), ()), [placement, _manifest("ApplicationSet", "argoproj.io/v1alpha1", "a")])
    assert need.objects[PLACEMENTS] == (("argocd", "fleet"),)
    assert {MANAGED_CLUSTERS, APPLICATION_SETS} < set(need.resources)


def test_long_list_of_clusters_is_cut_and_counted() -> None:
    need = Need(spokes=tuple(f"spoke-{number}" for number in range(1, 9)))
    [check] = examine(need, {MANAGED_CLUSTERS: Listed()})
    assert check.detail.endswith("spoke-1, spoke-2, spoke-3, spoke-4, spoke-5 and 3 more")


def test_kind_that_cannot_be_listed_says_nothing_of_its_objects() -> None:
    need = Need(spokes=("north",), objects={PLACEMENTS: (("argocd", "fleet"),)})
    [check] = examine(need, {PLACEMENTS: Listed(status=500, message="etcd is away")})
    assert (check.name, check.detail) == ("hub placements", "etcd is away")


def _spoke(name: str, *routes: Route, destination: str = "") -> ManagedCluster:
    model = InferenceService(name, "m", "v1", "models", "m-predictor", ModelProfile(), routes)
    return ManagedCluster(
        name, "openshift", "4.18", "ha", destination or name, "models", PvcStorage(), (model,), f"clusters/{name}.yaml"
    )


def test_add_on_is_needed_where_every_route_of_a_list_leads_through_it() -> None:
    only = _spoke("only", AcmRoute(), ApiserverRoute())
    either = _spoke("either", ExposedRoute(), AcmRoute())
    need = need_of(HubInputs(HubValues(), (only, either)), [])
    assert need.addons == {"cluster-proxy": ("only",)}


def test_spoke_is_looked_for_by_its_own_name_whatever_argo_cd_calls_it() -> None:
    need = need_of(HubInputs(HubValues(), (_spoke("the-hub", destination="in-cluster"),)), [])
    assert need.spokes == ("the-hub",)
