"""What templates see: plain data made from the inputs, one mapping per spoke and one for the hub.

Templates get no objects of ours, so that their contract is this module and not the whole of ``hubctl.model``.
"""

from collections.abc import Mapping
from typing import Any

from hubctl.errors import InputError
from hubctl.model import base, quantity
from hubctl.model.cluster import ManagedCluster
from hubctl.model.delivery import Delivery
from hubctl.model.fleet import HubInputs
from hubctl.model.platform import PLATFORM_PEERS, VISIBILITY
from hubctl.model.predictor import InferenceService
from hubctl.model.runtime import MOUNT, ServingRuntime
from hubctl.model.serving import HfStorage, OciStorage
from hubctl.model.storage import AnyStorage, PvcStorage, S3Storage
from hubctl.model.values import ModelProfile
from hubctl.render import access, engine

MANAGED_BY = "app.kubernetes.io/managed-by"
"""Label that every rendered object carries, with the value ``hubctl``."""

SINGLE_NODE = {"cpu": "250m", "memory": "512Mi"}
"""Requests on a single node where nothing is said: KServe's own are 1 CPU and 2 GiB a model."""

KSERVE_USUAL = {"cpu": "1", "memory": "2Gi"}
"""Requests and limits that KServe's webhook gives to a container where nothing is said."""

PORT = 8080
"""Where each of KServe's own model servers listens in its pod."""


def spoke_context(inputs: HubInputs, cluster: ManagedCluster) -> dict[str, Any]:
    """What ``spoke/`` templates see.

    Returns:
        ``spoke`` (name, platform, version, topology, destination, namespace, namespaces, deploymentMode, raw, labels,
        groups, step, quarantined, source, overrides), ``storage`` (type and its fields, ``accessMode`` filled in),
        ``networkPolicy`` (``peers``, or None), ``monitoring`` (its section), ``models`` (list, see ``model_context``),
        ``runtimes`` (list, see ``runtimes_context``) and ``engine`` (``env``, the coordination engine's environment).
    """
    runtimes = inputs.values.hubctl.runtimes
    models = [model_context(cluster, model, runtimes) for model in cluster.models]
    namespaces = sorted({cluster.namespace, *(model.namespace for model in cluster.models)})
    return {
        "spoke": {
            "name": cluster.name,
            "platform": cluster.platform,
            "version": cluster.version,
            "topology": cluster.topology,
            "destination": cluster.destination,
            "namespace": cluster.namespace,
            "namespaces": namespaces,
            "deploymentMode": cluster.deployment_mode,
            "raw": cluster.deployment_mode in ("RawDeployment", "Standard"),
            "labels": dict(sorted(cluster.labels.items())),
            "groups": list(cluster.groups),
            "step": cluster.step,
            "quarantined": cluster.quarantined,
            "source": cluster.source,
            "overrides": list(cluster.overridden_by),
        },
        "storage": storage_context(cluster),
        "networkPolicy": network_policy(cluster),
        "monitoring": cluster.monitoring.model_dump(by_alias=True),
        "models": models,
        "runtimes": runtimes_context(cluster, runtimes),
        "engine": {"env": engine.of_spoke(inputs.values.kserve, cluster)},
    }


def model_context(
    cluster: ManagedCluster, model: InferenceService, runtimes: Mapping[str, ServingRuntime]
) -> dict[str, Any]:
    """What a template sees of one model: its profile, version, namespace, service, exposure and where its files are."""
    profile = model.profile
    names = {"model": model.name, "version": model.version}
    container = profile.container
    runtime = runtimes.get(profile.runtime or "")
    reads_claim = runtime is not None and runtime.reads_claim
    return {
        "name": model.name,
        "version": model.version,
        "pinnedBy": model.pinned_by,
        "namespace": model.namespace,
        "service": model.service,
        "format": profile.model_format,
        "container": container
        and {
            "image": base.fill(container.image, **names),
            "args": [base.fill(arg, **names) for arg in container.args],
        },
        "protocol": profile.spoken,
        "port": container.port if container else runtime.port if runtime else PORT,
        "readinessPath": base.fill(profile.readiness_path, model=model.name),
        "runtime": profile.runtime,
        "output": profile.output,
        "minReplicas": profile.min_replicas,
        "maxReplicas": profile.max_replicas,
        "canaryTrafficPercent": profile.canary_traffic_percent,
        "expose": exposure(cluster, model),
        "resources": resources(profile, cluster.topology),
        "storageUri": None if container or reads_claim else storage_uri(cluster, model),
        "modelDir": f"{MOUNT}/{base.fill(profile.path, **names)}" if reads_claim else None,
        "ownStorage": profile.storage is not None,
    }


def runtimes_context(cluster: ManagedCluster, runtimes: Mapping[str, ServingRuntime]) -> list[dict[str, Any]]:
    """The runtimes that a spoke's models name, once for each of their namespaces, by name and namespace.

    Each has ``name``, ``namespace``, ``image``, ``args``, ``port``, ``formats``, ``protocols``, ``claim`` (what it
    mounts at ``mount``, or None) and ``mount``.
    """
    named = {(model.profile.runtime or "", model.namespace) for model in cluster.models}
    claim = cluster.storage.claim if isinstance(cluster.storage, PvcStorage) else None
    return [
        runtimes[name].model_dump(include={"image", "args", "port", "formats", "protocols"})
        | {"name": name, "namespace": space, "claim": claim if runtimes[name].reads_claim else None, "mount": MOUNT}
        for name, space in sorted(named)
        if name in runtimes
    ]


def exposure(cluster: ManagedCluster, model: InferenceService) -> dict[str, Any] | None:
    """How a model is reached from outside of its cluster; None when it is not."""
    expose = cluster.expose
    if expose is None:
        return None
    via = expose.chosen(cluster.platform)
    names = {"cluster": cluster.name, "model": model.name, "namespace": model.namespace}
    found = expose.model_dump(by_alias=True) | {"via": via, "visibility": VISIBILITY[via]}
    return found | {"host": expose.host and base.fill(expose.host, **names)}


def resources(profile: ModelProfile, topology: str) -> dict[str, dict[str, str]]:
    """``limits`` and ``requests``, those that hold something; GPUs in both, a single node's small requests if none.

    KServe's webhook writes what a container leaves open into it. Argo CD compares the containers as a whole and would
    never be in sync, so here nothing is left open.
    """
    said = profile.resources
    limits, requests = dict(said.limits), dict(said.requests)
    for name, usual in KSERVE_USUAL.items():
        if topology == "sno" and name not in said.limits | said.requests:
            requests[name] = SINGLE_NODE[name]
        if profile.container:
            limits[name] = said.limits.get(name) or said.requests.get(name) or usual
            requests.setdefault(name, limits[name])
    gpu = {profile.gpu.resource: str(profile.gpu.count)} if profile.gpu else {}
    found = {"limits": limits | gpu, "requests": requests | gpu}
    return {
        key: {name: quantity.canonical(amount) for name, amount in sorted(amounts.items())}
        for key, amounts in found.items()
        if amounts
    }


def storage_context(cluster: ManagedCluster) -> dict[str, Any]:
    """The spoke's model storage; a claim without an access mode gets the one that its topology can have."""
    storage = cluster.storage
    if isinstance(storage, OciStorage | HfStorage):
        return {"type": storage.type}
    if isinstance(storage, S3Storage):
        return {
            "type": "s3",
            "bucket": storage.bucket,
            "secretName": storage.secret_name,
            "serviceAccount": storage.service_account,
            "externalSecret": storage.external_secret and storage.external_secret.model_dump(by_alias=True),
        }
    return {
        "type": "pvc",
        "claim": storage.claim,
        "size": storage.size,
        "storageClass": storage.storage_class,
        "accessMode": storage.access_mode or ("ReadWriteMany" if cluster.topology == "ha" else "ReadWriteOnce"),
    }


def network_policy(cluster: ManagedCluster) -> dict[str, Any] | None:
    """``peers``: labels of the namespaces that may reach predictors; None when everybody may."""
    policy = cluster.network_policy
    if policy is None or not policy.enabled:
        return None
    asked = ({"kubernetes.io/metadata.name": name} for name in policy.allow_from)
    return {"peers": [*PLATFORM_PEERS[cluster.platform], *asked]}


def storage_uri(cluster: ManagedCluster, model: InferenceService) -> str:
    """KServe's ``storageUri`` of a model's version: ``pvc://<claim>/<path>``, ``s3://…``, ``oci://…`` or ``hf://…``."""
    storage: AnyStorage = model.profile.storage or cluster.storage
    names = {"model": model.name, "version": model.version}
    if isinstance(storage, OciStorage):
        return f"oci://{base.fill(storage.image, **names)}"
    if isinstance(storage, HfStorage):
        return f"hf://{base.fill(storage.repo, **names)}"
    path = base.fill(model.profile.path, **names)
    if isinstance(storage, PvcStorage):
        return f"pvc://{storage.claim}/{path}"
    return "s3://" + "/".join(part for part in (storage.bucket, storage.prefix, path) if part)


def hub_context(inputs: HubInputs) -> dict[str, Any]:
    """What ``hub/`` templates see.

    Returns:
        ``gitops`` (repoURL, branch, path, argocdNamespace, project), ``delivery`` (its section), ``spokes`` (list of
        name, destination, namespaces, platform, quarantined, source, access), ``clusterProxy`` (namespace, configMap,
        services; or None), ``engine`` (namespace, env; or None), ``install`` (its section, or None), ``platforms``
        (those in the fleet), ``kinds`` (group and kind of what only some spokes get)
        and ``source``.

    Raises:
        InputError: nothing says which repository Argo CD reads.
    """
    gitops = inputs.values.hubctl.gitops
    url, install = gitops.repo_url or gitops.remote, inputs.values.hubctl.install
    if not url:
        raise InputError(
            "nothing says which repository Argo CD reads",
            where="values-hub.yaml hubctl.gitops.remote",
            hint="set hubctl.gitops.remote to the Git URL of the fleet's repository",
        )
    spokes = [
        {
            "name": cluster.name,
            "destination": cluster.destination,
            "namespaces": sorted({cluster.namespace, *(model.namespace for model in cluster.models)}),
            "platform": cluster.platform,
            "quarantined": cluster.quarantined,
            "source": cluster.source,
            "access": access.of_spoke(cluster),
        }
        for cluster in inputs.clusters
    ]
    return {
        "gitops": {
            "repoURL": url,
            "branch": gitops.branch,
            "path": gitops.path,
            "argocdNamespace": gitops.argocd_namespace,
            "project": gitops.project,
        },
        "delivery": delivery_context(inputs.values.hubctl.delivery),
        "spokes": spokes,
        "clusterProxy": cluster_proxy(inputs),
        "engine": engine.of_hub(inputs),
        "install": install.model_dump(by_alias=True) if install else None,
        "platforms": sorted({cluster.platform for cluster in inputs.clusters}),
        "kinds": [{"group": group, "kind": kind} for group, kind in sorted(kinds(inputs))],
        "source": "values-hub.yaml",
    }


def delivery_context(delivery: Delivery) -> dict[str, Any]:
    """The section as the file spells it, with ``applicationsSync`` filled in."""
    return delivery.model_dump(by_alias=True) | {"applicationsSync": delivery.chosen_sync}


def cluster_proxy(inputs: HubInputs) -> dict[str, Any] | None:
    """Which ConfigMap lists the Services that cluster-proxy lets through, and ours in it; None when nobody asks."""
    proxy = inputs.values.hubctl.cluster_proxy
    if proxy is None:
        return None
    return proxy.model_dump(by_alias=True) | {"services": access.exposed(inputs.clusters)}


def kinds(inputs: HubInputs) -> set[tuple[str, str]]:
    """Group and kind of the objects that only some spokes get; the AppProject allows no others."""
    found = {kind for cluster in inputs.clusters for kind, wanted in _switches(cluster).items() if wanted}
    runtimes = inputs.values.hubctl.runtimes
    if any(runtimes_context(cluster, runtimes) for cluster in inputs.clusters):
        found.add(("serving.kserve.io", "ServingRuntime"))
    return found


def _switches(cluster: ManagedCluster) -> dict[tuple[str, str], bool]:
    expose = cluster.expose
    via = expose.chosen(cluster.platform) if expose else ""
    storage = cluster.storage
    return {
        ("networking.k8s.io", "Ingress"): via == "ingress",
        ("gateway.networking.k8s.io", "HTTPRoute"): via == "gateway",
        ("gateway.networking.k8s.io", "Gateway"): via == "gateway" and bool(expose and expose.class_name),
        ("networking.k8s.io", "NetworkPolicy"): network_policy(cluster) is not None,
        ("monitoring.coreos.com", "PodMonitor"): cluster.monitoring.pod_monitor,
        ("monitoring.coreos.com", "PrometheusRule"): cluster.monitoring.prometheus_rule,
        ("external-secrets.io", "ExternalSecret"): isinstance(storage, S3Storage) and bool(storage.external_secret),
    }
