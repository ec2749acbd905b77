"""Warnings about keys that nothing reads, because other keys take their place: silent mistakes otherwise.

Pure. Unknown keys are errors already; here are known ones without effect. Labels, annotations and descriptions are for
people and templates, and count as read. Names that nothing uses are found in ``merge``.
"""

from collections.abc import Sequence

from hubctl.inputs import settle
from hubctl.inputs.document import Document, Trail
from hubctl.model.cluster import Spoke
from hubctl.model.features import Features
from hubctl.model.route import AcmRoute, ExposedRoute, ProxyRoute, Route, Routes, UrlRoute, listed
from hubctl.model.values import HubValues, Policy

MODELLESS = frozenset({"hub-unreachable", "fleet-unread", "fleet-shrunk", "spoke-unreachable", "spoke-anomaly"})
"""Kinds of findings that name no model, so a policy for some models never meets them."""

_CHART = (
    ("anomaly_detector_model", "anomalyDetectorModel", "anomaly_detector_service", "anomalyDetectorService"),
    ("predictive_analytics_model", "predictiveAnalyticsModel", "predictive_analytics_service",
     "predictiveAnalyticsService"),
)  # fmt: skip
"""Of upstream's chart: a model's name as our field and as the file's key, and the same of its Service."""


def of_hub(values: HubValues, document: Document) -> list[str]:
    """Keys of the hub's values that no other file can make useful."""
    found = []
    for model, model_key, service, service_key in _CHART:
        if getattr(values.kserve, model) and not getattr(values.kserve, service):
            trail: Trail = ("coordinationEngine", "kserve", model_key)
            found.append(_unread(document, trail, f"without {service_key}, no model gets this name"))
    for name, profile in values.hubctl.models.items():
        found += _timeout(profile.features, document, ("hubctl", "models", name, "features"))
    fleet = values.hubctl.fleet
    for name in sorted(fleet.model_fields_set - {"source"}) if not fleet.discovers else ():
        key = type(fleet).model_fields[name].alias or name
        found.append(_unread(document, ("hubctl", "fleet", key), "fleet.source is files"))
    publishing = values.hubctl.gitops.publishing
    if not publishing.by_pull_request and "pull_request" in publishing.model_fields_set:
        trail = ("hubctl", "gitops", "publishing", "pullRequest")
        found.append(_unread(document, trail, f"publishing.mode is {publishing.mode}"))
    return found + _policies(values, document)


def of_fleet(values: HubValues, spokes: Sequence[tuple[Document, Spoke]]) -> list[str]:
    """Keys that no spoke, or no model of a spoke, needs."""
    found = []
    routes: list[Routes | None] = []
    nearer = True
    for document, spoke in spokes:
        spec = spoke.spec
        own = [model.route for model in settle.models_of(values, spoke)]
        if spec.route and own and all(own):
            found.append(_unread(document, ("spec", "route"), "each model of this spoke has a route of its own"))
        for name, patch in spec.overrides.models.items():
            found += _timeout(patch.features, document, ("spec", "overrides", "models", name, "features"))
        routes += [route or spec.route or values.hubctl.observe.route for route in own]
        nearer = nearer and (spec.route is not None or all(own))
    observe = values.hubctl.observe
    if routes and nearer and observe.route:
        found.append("values-hub.yaml hubctl.observe.route is not read: each spoke or model has a route of its own")
    grouped = any(group.route for group in values.hubctl.groups)
    used = [route for chosen in routes for route in listed(chosen)]
    if observe.ca_file and not grouped and used and not any(_encrypted(route) for route in used):
        found.append("values-hub.yaml hubctl.observe.caFile is not read: no route is https")
    used += [route for group in values.hubctl.groups for route in listed(group.route)]
    if values.hubctl.cluster_proxy and not any(isinstance(route, AcmRoute) for route in used):
        found.append("values-hub.yaml hubctl.clusterProxy lists nothing: no route is of type acm")
    return found + _tokens(values, spokes)


def _tokens(values: HubValues, spokes: Sequence[tuple[Document, Spoke]]) -> list[str]:
    """A token a spoke is made where polls take another one."""
    observe = values.hubctl.observe
    if "{cluster}" in (observe.token_file or "") or not (observe.token_file or observe.token_env):
        return []
    key = "tokenFile names one file" if observe.token_file else "tokenEnv names one variable"
    why = f"hubctl.observe.{key} for all spokes, so no poll takes a spoke's own token"
    found = [
        _unread(document, ("spec", "access", "token"), why)
        for document, spoke in spokes
        if spoke.spec.access and spoke.spec.access.token
    ]
    return found + [
        f"values-hub.yaml hubctl.groups {group.name!r} access.token is not read: {why}"
        for group in values.hubctl.groups
        if group.access and group.access.token
    ]


def _policies(values: HubValues, document: Document) -> list[str]:
    policies = values.hubctl.remediation.policies
    found = []
    for index, policy in enumerate(policies):
        trail: Trail = ("hubctl", "remediation", "policies", index)
        if policy.models and policy.on in MODELLESS:
            found.append(_unread(document, trail, f"its models never fit, as {policy.on} is about no model"))
        elif earlier := next((one for one in policies[:index] if _covers(one, policy)), None):
            found.append(_unread(document, trail, f"policy {earlier.name!r} above it takes all that it is for"))
        elif policy.mode and policy.action == "notify":
            found.append(_unread(document, (*trail, "mode"), "a notification needs nobody's leave"))
    if values.hubctl.notify.webhooks and not any(policy.action == "notify" for policy in policies):
        trail = ("hubctl", "notify", "webhooks")
        found.append(_unread(document, trail, "no policy of hubctl.remediation has the action notify"))
    return found


def _covers(one: Policy, other: Policy) -> bool:
    """Whether the first takes every finding of the second; of policies with one action the first counts."""
    models = not one.models or (bool(other.models) and set(other.models) <= set(one.models))
    return (one.on, one.action) == (other.on, other.action) and models


def _timeout(features: Features | None, document: Document, trail: Trail) -> list[str]:
    if features is None or features.command or "timeout" not in features.model_fields_set:
        return []
    why = "a file is read at once; only a command has a timeout" if features.file else "the source says its timeout"
    return [_unread(document, (*trail, "timeout"), why)]


def _encrypted(route: Route) -> bool:
    if isinstance(route, UrlRoute):
        return route.url.startswith("https://")
    # The cluster-proxy and what a spoke exposes are reached by TLS; what the Service there speaks is not our part.
    return isinstance(route, (ProxyRoute, ExposedRoute)) or route.scheme != "http"


def _unread(document: Document, trail: Trail, why: str) -> str:
    return f"{document.where(trail)} is not read: {why}"
