"""Publishing: the section ``hubctl.gitops.publishing`` of the values; how a rendered fleet reaches its branch.

Apart from ``gitops``, which says where that branch is.
"""

from typing import Literal

from pydantic import Field

from hubctl.model.base import Strict
from hubctl.model.hydrated import Hydrated


class Publishing(Strict):
    """How what is rendered reaches the branch."""

    mode: Literal["commit", "hydrated"] = Field(
        "commit", description="hydrated: on BRANCH-next, with the metadata and notes of GitOps Promoter"
    )
    hydrated: Hydrated = Hydrated()

    @property
    def hydrates(self) -> bool:
        """Whether a promoter stands between hubctl and the branch."""
        return self.mode == "hydrated"

    def proposed(self, branch: str) -> str:
        """The branch that hubctl pushes to, for the one that Argo CD reads."""
        return self.hydrated.proposed(branch) if self.hydrates else branch
