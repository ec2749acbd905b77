"""Objects as Open Cluster Management and Argo CD keep them on a hub, whole enough for a real API server."""

from datetime import datetime
from typing import Any

NAMESPACE = "models"
ARGOCD = "openshift-gitops"
CLUSTER_API, WORK_API = "cluster.open-cluster-management.io/v1", "work.open-cluster-management.io/v1"
SINCE = "2026-03-01T11:00:00Z"


def condition(kind: str, status: str, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    return {
        "type": kind,
        "status": status,
        "reason": reason or kind,
        "message": message,
        "lastTransitionTime": SINCE,
        **more,
    }


def managed_cluster(name: str, available: str = "True", *, taints: tuple[str, ...] = ()) -> dict[str, Any]:
    """A ManagedCluster; ``available`` is the condition's status, empty when there is no condition."""
    found = [condition("ManagedClusterConditionAvailable", available, message=f"said {available}")]
    return {
        "apiVersion": CLUSTER_API,
        "kind": "ManagedCluster",
        "metadata": {"name": name},
        "spec": {
            "hubAcceptsClient": True,
            "leaseDurationSeconds": 60,
            "taints": [{"key": key, "effect": "NoSelect", "timeAdded": SINCE} for key in taints],
        },
        "status": {"conditions": found if available else []},
    }


def values(**said: object) -> list[dict[str, Any]]:
    """Feedback as the agent reports it: integers as integers, all else as text."""
    made = []
    for name, value in said.items():
        number = isinstance(value, int)
        made.append(
            {
                "name": name,
                "fieldValue": {"type": "Integer", "integer": value}
                if number
                else {"type": "String", "string": str(value)},
            }
        )
    return made


def manifest(
    model: str, *, available: str = "True", synced: str = "True", ordinal: int = 1, **said: object
) -> dict[str, Any]:
    """The status of one InferenceService in a ManifestWork."""
    conditions = [condition("Applied", "True"), condition("Available", available, message=f"available {available}")]
    return {
        "resourceMeta": {
            "ordinal": ordinal,
            "group": "serving.kserve.io",
            "version": "v1beta1",
            "kind": "InferenceService",
            "resource": "inferenceservices",
            "namespace": NAMESPACE,
            "name": model,
        },
        "conditions": [*conditions, condition("StatusFeedbackSynced", synced)],
        "statusFeedback": {"values": values(**said)},
    }


def serving(version: str, uri: str = "", /, **changes: object) -> dict[str, Any]:
    """What the agent tells of an InferenceService that serves a version well."""
    said: dict[str, object] = {
        "ready": "True",
        "stopped": "False",
        "url": "https://m.example.com",
        "transition": "UpToDate",
        "modelState": "Loaded",
        "generation": 2,
        "observedGeneration": 2,
        "version": version,
        "storageUri": uri or f"pvc://model-storage-pvc/m/{version}",
    }
    return {key: value for key, value in (said | changes).items() if value is not None}


def work(cluster: str, *manifests: dict[str, Any], observed: int = 1) -> dict[str, Any]:
    """The ManifestWork that reads a spoke's InferenceServices back, with what its agent wrote."""
    return {
        "apiVersion": WORK_API,
        "kind": "ManifestWork",
        "metadata": {
            "name": "hubctl-fleet-feedback",
            "namespace": cluster,
            "generation": 1,
            "labels": {"app.kubernetes.io/managed-by": "hubctl"},
        },
        "spec": {"workload": {"manifests": []}},
        "status": {
            "conditions": [condition("Applied", "True", observedGeneration=observed)],
            "resourceStatus": {"manifests": list(manifests)},
        },
    }


def application(
    cluster: str,
    sync: str = "Synced",
    *,
    health: str = "Healthy",
    revision: str = "c0ffee",
    phase: str = "Succeeded",
    errors: tuple[str, ...] = (),
    reconciled: datetime | None = None,
) -> dict[str, Any]:
    """The Application that our ApplicationSets make for a spoke, as Argo CD keeps its state."""
    source = {
        "repoURL": "https://git.example.com/fleet.git",
        "path": f"rendered/spokes/{cluster}",
        "targetRevision": "main",
    }
    destination = {"name": cluster, "namespace": NAMESPACE}
    status: dict[str, Any] = {
        "sync": {"status": sync, "revision": revision, "comparedTo": {"source": source, "destination": destination}},
        "health": {"status": health},
        "conditions": [{"type": kind, "message": f"{kind} happened", "lastTransitionTime": SINCE} for kind in errors],
        "operationState": {
            "phase": phase,
            "message": f"it {phase}",
            "startedAt": SINCE,
            "finishedAt": SINCE,
            "operation": {"sync": {"revision": revision}},
        },
    }
    if reconciled:
        status["reconciledAt"] = reconciled.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": f"hubctl-{cluster}",
            "namespace": ARGOCD,
            "labels": {"app.kubernetes.io/managed-by": "hubctl"},
        },
        "spec": {"project": "hubctl-fleet", "source": source, "destination": destination},
        "status": status,
    }
