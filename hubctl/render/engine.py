"""The coordination engine's environment on each spoke and on the hub, as upstream's engine reads it.

Pure. The engine knows one namespace and has no notion of clusters, so each cluster that runs one gets variables of its
own. It refuses to start with the integration switched on and no Service, so that where nothing is served it is off.
"""

from collections.abc import Mapping
from typing import Any

from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.model.registry import KServe
from hubctl.settings import SWITCH

LOCAL = "local-cluster"
"""Label with the value ``true`` by which ACM marks the hub among its clusters; also the hub's usual name."""


def of_spoke(kserve: KServe, cluster: ManagedCluster) -> dict[str, str]:
    """The variables on a spoke, sorted by name."""
    return _environment(kserve, cluster.namespace, {model.name: model.service for model in cluster.models})


def of_hub(inputs: HubInputs) -> dict[str, Any] | None:
    """``namespace`` and ``env`` of the engine on the hub, which calls the registry's models in its own cluster.

    None where the hub runs no engine, and where the hub is one of the spokes, whose folder holds the same object.
    """
    kserve = inputs.values.kserve
    if not inputs.values.engine or any(_is_hub(one) and one.namespace == kserve.namespace for one in inputs.clusters):
        return None
    services = {
        model.name: str(model.service)
        for model in kserve.registry
        # It has one namespace for all models, so it cannot call those elsewhere.
        if model.namespace in (None, kserve.namespace)
    }
    return {"namespace": kserve.namespace, "env": _environment(kserve, kserve.namespace, services)}


def _is_hub(cluster: ManagedCluster) -> bool:
    return cluster.labels.get(LOCAL) == "true" or cluster.destination == "in-cluster"


def _environment(kserve: KServe, namespace: str, services: Mapping[str, str]) -> dict[str, str]:
    env = {SWITCH: str(kserve.enabled and bool(services)).lower(), "KSERVE_NAMESPACE": namespace}
    # The engine has defaults of its own; only what the values say is passed on.
    if "predictor_port" in kserve.model_fields_set:
        env["KSERVE_PREDICTOR_PORT"] = str(kserve.predictor_port)
    if "timeout" in kserve.model_fields_set:
        env["KSERVE_TIMEOUT"] = f"{kserve.timeout:g}s"
    env |= {f"KSERVE_{environment_name(model)}_SERVICE": service for model, service in services.items()}
    return dict(sorted(env.items()))


def environment_name(model: str) -> str:
    """``anomaly-detector`` as it stands in a variable: ``ANOMALY_DETECTOR``; the engine reverses it."""
    return model.upper().replace("-", "_")
