"""How the hub delivers to its spokes: which generator makes the Applications, who syncs them, what selects clusters.

Apart from ``gitops``, which says where the tree is published; see docs/adr/0012-generators.md.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from hubctl.model.base import DnsLabel, Strict
from hubctl.model.rollout import Strategy

ApplicationsSync = Literal["sync", "create-update", "create-only"]


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
    applications_sync: ApplicationsSync | None = Field(
        None, description="default: sync, which removes Applications; create-update in the pull model"
    )
    strategy: Strategy = Strategy()
    placement: Placement | None = None

    @property
    def chosen_sync(self) -> ApplicationsSync:
        """``applicationsSync`` with its default: in the pull model removing an Application removes the workload."""
        return self.applications_sync or ("sync" if self.model == "push" else "create-update")

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

    @model_validator(mode="after")
    def _synced(self) -> "Delivery":
        if self.model == "pull" and self.chosen_sync == "sync":
            raise ValueError(
                "in the pull model an Application that is removed takes its workload along, "
                "expected applicationsSync create-update or create-only, found sync"
            )
        if self.strategy.rolling and self.chosen_sync == "create-only":
            raise ValueError(
                "RollingSync works by changing Applications, "
                "expected applicationsSync sync or create-update, found create-only"
            )
        return self
