"""Publishing: the section ``hubctl.gitops.publishing`` of the values; how a rendered fleet reaches its branch.

Apart from ``gitops``, which says where that branch is.
"""

from typing import Literal

from pydantic import Field

from hubctl.model.base import Strict
from hubctl.model.hydrated import Hydrated
from hubctl.model.pullrequest import PullRequest


class Publishing(Strict):
    """How what is rendered reaches the branch."""

    mode: Literal["commit", "pull-request", "hydrated"] = Field(
        "commit",
        description="pull-request: a person merges it on a forge; hydrated: on BRANCH-next, for GitOps Promoter",
    )
    pull_request: PullRequest = PullRequest()
    hydrated: Hydrated = Hydrated()

    @property
    def by_pull_request(self) -> bool:
        """Whether a person's merge stands between hubctl and the branch."""
        return self.mode == "pull-request"

    @property
    def hydrates(self) -> bool:
        """Whether a promoter stands between hubctl and the branch."""
        return self.mode == "hydrated"

    def proposed(self, branch: str) -> str:
        """The branch that a commit goes to, for the one that Argo CD reads."""
        return self.hydrated.proposed(branch) if self.hydrates else branch
