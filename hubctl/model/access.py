"""What the hub sees of a spoke through Open Cluster Management: a token for predictors, feedback on their objects.

Apart from ``platform``, which says what surrounds predictors on the spoke: these objects are made on the hub, in the
namespace of the spoke's ManagedCluster. None of them is made unasked, because a hub without OCM does not know them.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hubctl.model.base import DnsLabel, Strict

AGENT_NAMESPACE = "open-cluster-management-agent-addon"
"""Where the add-on managed-serviceaccount keeps its ServiceAccounts on a spoke of ACM."""


class Token(Strict):
    """A ServiceAccount of the spoke whose token the hub holds, with no more rights than polling takes."""

    name: DnsLabel = "hubctl-poller"
    validity: Annotated[str, Field(pattern=r"^[1-9]\d{0,4}h$")] = "720h"
    grant: Literal["clusterPermission", "manifestWork"] = Field(
        "clusterPermission", description="what carries the rights to the spoke; manifestWork needs no controller of ACM"
    )
    agent_namespace: DnsLabel | None = Field(
        None, description=f"of the ServiceAccount on the spoke, for grant manifestWork; default: {AGENT_NAMESPACE}"
    )

    @model_validator(mode="after")
    def _found(self) -> "Token":
        if self.agent_namespace and self.grant == "clusterPermission":
            raise ValueError("a ClusterPermission finds the ServiceAccount itself, expected no agentNamespace")
        return self


class Access(Strict):
    """What of a spoke the hub asks Open Cluster Management for."""

    token: Token | None = Field(None, description="a ManagedServiceAccount and its rights; default: none")
    feedback: bool = Field(default=False, description="a ManifestWork that reads the InferenceServices' state")


class ClusterProxy(Strict):
    """The list of Services that cluster-proxy lets through, one for all clusters."""

    namespace: DnsLabel = "multicluster-engine"
    config_map: DnsLabel = "cluster-proxy-exposed-services"


def hub_misfit(access: Access | None, cluster: str) -> str:
    """Why a spoke cannot have it; empty when it can."""
    asked = access is not None and (access.token is not None or access.feedback)
    if asked and "." in cluster:
        return f"a ManagedCluster's namespace on the hub holds no dot, expected no access on a spoke named {cluster!r}"
    return ""
