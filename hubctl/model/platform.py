"""What surrounds the predictors of a spoke: how they are exposed there, and what fits the platform.

Apart from the cluster's file, because groups say the same of many spokes; what does not fit can only be said once all
that counts for a spoke is merged: :func:`exposure_misfit` says it.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hubctl.model.base import DnsLabel, Strict, Version, only_placeholders, placeholders
from hubctl.model.serving import DeploymentMode, is_raw

Via = Literal["route", "ingress", "gateway"]
Host = Annotated[str, Field(pattern=r"^[a-z0-9{][a-z0-9.{}-]*$"), only_placeholders("cluster", "model", "namespace")]
VISIBILITY: dict[Via, str] = {"route": "exposed", "ingress": "cluster-local", "gateway": "cluster-local"}
"""KServe's visibility label: OpenShift AI makes a Route; elsewhere KServe must not make an Ingress beside ours."""


class Expose(Strict):
    """How predictors are reached from outside of their cluster."""

    via: Via | None = Field(None, description="default: route on openshift, ingress on kubernetes")
    auth: bool = Field(default=False, description="OpenShift AI asks callers for a token; route only")
    host: Host | None = Field(None, description="of each model, with {model} in it")
    tls_secret: DnsLabel | None = Field(None, description="Secret of the namespace with the host's certificate")
    class_name: DnsLabel | None = Field(None, description="IngressClass or GatewayClass")
    gateway: DnsLabel | None = Field(None, description="a Gateway that is there; else one is made with className")
    gateway_namespace: DnsLabel | None = None
    port: int = Field(80, ge=1, le=65535, description="of the predictor's Service")

    def chosen(self, platform: str) -> Via:
        """The way with its default."""
        return self.via or ("route" if platform == "openshift" else "ingress")


def exposure_misfit(expose: Expose | None, platform: str, mode: DeploymentMode) -> str:
    """What of an exposure a spoke cannot do, and what would do; empty when it can."""
    if expose is None:
        return ""
    via = expose.chosen(platform)
    if not is_raw(mode):
        return f"Knative exposes its services itself, expected no expose with deployment mode {mode}"
    if via == "route":
        return _route_misfit(expose, platform)
    if expose.auth:
        return f"auth is OpenShift AI's and needs via route, found {via}"
    if expose.host is None or "model" not in placeholders(expose.host):
        return f"via {via} needs a host with {{model}} in it, such as {{model}}.{{cluster}}.example.com"
    return _gateway_misfit(expose) if via == "gateway" else _ingress_misfit(expose)


def _route_misfit(expose: Expose, platform: str) -> str:
    if platform != "openshift":
        return f"via route needs platform openshift, found {platform}; expected ingress or gateway"
    extra = _given(expose, "host", "tlsSecret", "className", "gateway", "gatewayNamespace")
    return f"OpenShift AI makes the Route itself, expected no {extra}" if extra else ""


def _ingress_misfit(expose: Expose) -> str:
    extra = _given(expose, "gateway", "gatewayNamespace")
    return f"via ingress knows no {extra}" if extra else ""


def _gateway_misfit(expose: Expose) -> str:
    if (expose.gateway is None) == (expose.class_name is None):
        return "expected exactly one of gateway, which is there already, and className, of which one is made"
    if expose.gateway is not None:
        return "a Gateway that is there has its own certificates, expected no tlsSecret" if expose.tls_secret else ""
    return "gatewayNamespace is of a Gateway that is there" if expose.gateway_namespace else ""


def _given(expose: Expose, *keys: str) -> str:
    return ", ".join(key for key in keys if expose.model_dump(by_alias=True)[key] is not None)


class NetworkPolicy(Strict):
    """Who may reach the predictors inside of the spoke; everybody else may not."""

    enabled: bool = True
    allow_from: tuple[DnsLabel, ...] = Field((), description="namespaces, besides the models' own and the platform's")


def _not_ours(key: str) -> str:
    if key.startswith("app.kubernetes.io/"):
        raise ValueError("app.kubernetes.io/ labels are hubctl's own, expected another key")
    return key


LabelKey = Annotated[
    str,
    Field(pattern=r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"),
    AfterValidator(_not_ours),
]
"""A label's key, with a prefix if need be; its value has the pattern of a version."""


class Monitoring(Strict):
    """Objects for the Prometheus operator of the spoke, which has to be there."""

    pod_monitor: bool = False
    prometheus_rule: bool = False
    labels: dict[LabelKey, Version] = Field(
        default_factory=dict, description="that the operator's Prometheus selects by"
    )
    interval: Annotated[str, Field(pattern=r"^[1-9]\d*(s|m)$")] = "30s"
    slow_seconds: float = Field(5.0, gt=0, le=3600, description="99th percentile of a prediction that raises an alert")


class ExternalSecret(Strict):
    """Credentials that the External Secrets operator of the spoke puts into a Secret for S3."""

    store: DnsLabel
    store_kind: Literal["SecretStore", "ClusterSecretStore"] = "ClusterSecretStore"
    key: str = Field(min_length=1, description="of the secret in the store")
    access_key_property: str = "AWS_ACCESS_KEY_ID"
    secret_key_property: str = "AWS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a property, not a secret
    refresh_interval: Annotated[str, Field(pattern=r"^[1-9]\d*(s|m|h)$")] = "1h"
    endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+(:\d+)?$")] | None = Field(
        None, description="host of the S3 service, without scheme; default: Amazon's"
    )
    region: str | None = None


PLATFORM_PEERS: dict[str, tuple[dict[str, str], ...]] = {
    "openshift": (
        {"network.openshift.io/policy-group": "ingress"},
        {"kubernetes.io/metadata.name": "open-cluster-management-agent-addon"},
        {"kubernetes.io/metadata.name": "openshift-user-workload-monitoring"},
    ),
    "kubernetes": ({"kubernetes.io/metadata.name": "open-cluster-management-agent-addon"},),
}
"""Labels of namespaces that have to reach predictors: routers, ACM's cluster-proxy agent, monitoring."""
