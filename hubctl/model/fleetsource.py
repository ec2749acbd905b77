"""FleetSource: the section ``hubctl.fleet`` of the values; where the list of spokes comes from, and what guards it.

Apart from the other sections, which say what the spokes get, not which there are.
"""

from typing import Annotated, Literal

from pydantic import Field

from hubctl.model.base import DnsLabel, Duration, Strict

ObjectName = Annotated[
    str, Field(pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", max_length=253)
]
"""Name of an object on the hub (RFC 1123 subdomain)."""


class PlacementRef(Strict):
    """A Placement on the hub."""

    namespace: DnsLabel
    name: ObjectName

    @property
    def text(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


class FleetSource(Strict):
    """Where spokes come from."""

    source: Literal["files", "acm", "both"] = Field(
        "files",
        description="files: cluster files alone; acm: the hub's ManagedClusters, which cluster files refine; "
        "both: these, and cluster files without a ManagedCluster",
    )
    placements: tuple[PlacementRef, ...] = Field(
        (), description="only clusters that one of them selects; none: every accepted ManagedCluster"
    )
    cluster_sets: tuple[ObjectName, ...] = Field((), description="only clusters of these ManagedClusterSets; none: all")
    hub: Literal["exclude", "include"] = Field(
        "exclude", description="whether the hub itself, known by its label local-cluster, is a spoke"
    )
    forget_after: Duration = Field(600.0, description="a spoke that the hub stops naming is kept for so long")
    max_shrink: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^\d{1,3}%$")] | None = Field(
        None, description="most spokes that may be missing at once; default 1 or 10 %, whichever is larger"
    )

    @property
    def discovers(self) -> bool:
        """Whether the hub's API is asked for spokes."""
        return self.source != "files"

    def allowed(self, spokes: int) -> int:
        """How many of so many spokes may be missing at once; shares are rounded down."""
        if self.max_shrink is None:
            return max(1, spokes // 10)
        if isinstance(self.max_shrink, str):
            return spokes * int(self.max_shrink.removesuffix("%")) // 100
        return self.max_shrink

    def misfit(self, *, hydrates: bool) -> str:
        """Why this source does not go with the way of publishing; empty when it does."""
        if not (self.discovers and hydrates):
            return ""
        return (
            f"publishing mode hydrated is a function of one commit of the inputs, expected fleet.source files, "
            f"found {self.source}; `hubctl clusters import --from-hub` writes files"
        )
