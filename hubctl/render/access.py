"""What hub templates see of access to spokes: rights by namespace, objects to read back, Services to let through.

Pure. Apart from ``context``, because least privilege is decided here: each right names the objects that it is for, and
an empty list of names, which Kubernetes takes for all, is never made.
"""

import re
from collections.abc import Iterable
from typing import Any

from hubctl.model import base
from hubctl.model.access import AGENT_NAMESPACE
from hubctl.model.cluster import ManagedCluster
from hubctl.model.predictor import InferenceService
from hubctl.model.route import AcmRoute, ApiserverRoute, Route, UrlRoute

_THROUGH_APISERVER = re.compile(r"/api/v1/namespaces/([^/]+)/services/([^/]+)/proxy(?:/|$)")
"""The kube-apiserver's own proxy, which asks for the right on the subresource ``services/proxy``."""


def of_spoke(cluster: ManagedCluster) -> dict[str, Any]:
    """``token`` (name, validity, grant, agentNamespace, roles) and ``feedback`` (services); either may be None."""
    access = cluster.access
    token, feedback = None, None
    if access and access.token and (found := roles(cluster)):
        agent = access.token.agent_namespace or AGENT_NAMESPACE
        token = access.token.model_dump(by_alias=True) | {"agentNamespace": agent, "roles": found}
    if access and access.feedback and cluster.models:
        routed = cluster.expose is not None and cluster.expose.chosen(cluster.platform) == "route"
        services = [
            {
                "name": model.name,
                "namespace": model.namespace,
                "container": model.profile.container is not None,
                "route": routed,
            }
            for model in cluster.models
        ]
        feedback = {"services": services}
    return {"token": token, "feedback": feedback}


def roles(cluster: ManagedCluster) -> list[dict[str, Any]]:
    """``namespace`` and ``rules`` of what polling takes on a spoke, sorted; nothing for a namespace without polls."""
    read: dict[str, set[str]] = {}
    proxied: dict[str, set[str]] = {}
    for model in cluster.models:
        through = [_through_apiserver(model, route) for route in model.routes]
        for namespace, name in filter(None, through):
            proxied.setdefault(namespace, set()).add(name)
        if not through or not all(through):
            read.setdefault(model.namespace, set()).add(model.name)
    return [
        {"namespace": namespace, "rules": [*_may_get(read.get(namespace)), *_may_proxy(proxied.get(namespace))]}
        for namespace in sorted({*read, *proxied})
    ]


def exposed(clusters: Iterable[ManagedCluster]) -> list[dict[str, str]]:
    """``namespace``, ``service``, ``port`` and ``protocol`` of every Service that is polled through cluster-proxy."""
    found = {
        (model.namespace, model.service, str(route.target_port), route.spoken)
        for cluster in clusters
        for model in cluster.models
        for route in model.routes
        if isinstance(route, AcmRoute)
    }
    return [dict(zip(("namespace", "service", "port", "protocol"), each, strict=True)) for each in sorted(found)]


def _through_apiserver(model: InferenceService, route: Route) -> tuple[str, str] | None:
    """Namespace and name, as the URL spells them, of a Service that the kube-apiserver proxies to."""
    if isinstance(route, ApiserverRoute):
        return model.namespace, f"{route.spoken}:{model.service}:{route.target_port}"
    if not isinstance(route, UrlRoute):
        return None
    names = {"cluster": model.cluster, "model": model.name, "namespace": model.namespace, "service": model.service}
    found = _THROUGH_APISERVER.search(base.fill(route.url, **names))
    return (found[1], found[2]) if found else None


def _may_get(names: set[str] | None) -> list[dict[str, list[str]]]:
    """What kube-rbac-proxy asks before it lets a caller through to a predictor of OpenShift AI."""
    return [_rule("serving.kserve.io", "inferenceservices", names, ["get"])] if names else []


def _may_proxy(names: set[str] | None) -> list[dict[str, list[str]]]:
    """A GET is ``get`` and a POST, which a prediction is, ``create``."""
    return [_rule("", "services/proxy", names, ["create", "get"])] if names else []


def _rule(group: str, resource: str, names: set[str], verbs: list[str]) -> dict[str, list[str]]:
    return {"apiGroups": [group], "resources": [resource], "resourceNames": sorted(names), "verbs": verbs}
