"""How the hub delivers to its spokes: which generator makes the Applications, who syncs them, what selects clusters.

Apart from ``gitops``, which says where the tree is published; see docs/adr/0012-generators.md.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hubctl.model.base import DnsLabel, Strict


class Placement(Strict):
    """Open Cluster Management selects the clusters: Placement, ManagedClusterSetBinding and GitOpsCluster."""

    name: DnsLabel = "hubctl-fleet"
    cluster_set: DnsLabel = Field(description="ManagedClusterSet that is bound to Argo CD's namespace")
    match_labels: dict[str, str] = Field(default_factory=dict, description="of ManagedClusters; none: the whole set")
    git_ops_cluster: bool = Field(
        default=True, alias="gitOpsCluster", description="registers the selected clusters with Argo CD"
    )


class Delivery(Strict):
    """How Applications are made and who syncs them."""

    generator: Literal["git", "clusters", "clusterDecisionResource"] = "git"
    model: Literal["push", "pull"] = Field("push", description="pull: Argo CD on each spoke syncs, the hub only tells")
    requeue_after: Annotated[int, Field(ge=10, le=86400)] | None = Field(
        None, description="seconds between two looks; default: Argo CD's, 180"
    )
    cluster_labels: dict[str, str] = Field(
        default_factory=dict, description="of Argo CD's cluster secrets, for the generator clusters"
    )
    config_map: DnsLabel = Field("acm-placement", description="says how decisions are read; GitOpsCluster makes it")
    placement: Placement | None = None

    @property
    def by_name(self) -> bool:
        """Whether a spoke is found by Argo CD's name of its cluster."""
        return self.generator != "git"

    @model_validator(mode="after")
    def _placed(self) -> "Delivery":
        if self.placement is None and self.generator == "clusterDecisionResource":
            raise ValueError("generator clusterDecisionResource reads a Placement's decisions, expected placement")
        if self.placement is None and self.model == "pull":
            raise ValueError("the pull model delivers to clusters that a Placement selects, expected placement")
        if self.cluster_labels and self.generator != "clusters":
            raise ValueError(f"clusterLabels are for generator clusters, found generator {self.generator}")
        return self
