"""Fleets for the render tests, built without files."""

from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.model.predictor import InferenceService
from hubctl.model.storage import PvcStorage
from hubctl.model.values import HubValues


def service(cluster: str, name: str, version: str = "v1", namespace: str = "self-healing-platform") -> InferenceService:
    return InferenceService(cluster, name, version, namespace, f"{name}-predictor", HubValues().profile(name))


def spoke(name: str, *models: InferenceService, **changes: object) -> ManagedCluster:
    fields: dict[str, object] = {
        "name": name,
        "platform": "openshift",
        "version": "4.18",
        "topology": "ha",
        "destination": name,
        "namespace": "self-healing-platform",
        "storage": PvcStorage(),
        "models": models or (service(name, "anomaly-detector"), service(name, "predictive-analytics")),
        "source": f"clusters/{name}.yaml",
    }
    return ManagedCluster(**(fields | changes))  # type: ignore[arg-type]


def hub(*clusters: ManagedCluster, remote: str | None = "https://git.example.com/fleet.git") -> HubInputs:
    values = HubValues.model_validate({"hubctl": {"gitops": {"remote": remote}}})
    return HubInputs(values, tuple(sorted(clusters, key=lambda cluster: cluster.name)))
