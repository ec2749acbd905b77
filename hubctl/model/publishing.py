"""Publishing: the section ``hubctl.gitops.publishing`` of the values; how a rendered fleet reaches its branch.

Apart from ``gitops``, which says where that branch is.
"""

from typing import Literal

from pydantic import Field

from hubctl.model.base import Strict
from hubctl.model.pullrequest import PullRequest


class Publishing(Strict):
    """How what is rendered reaches the branch."""

    mode: Literal["commit", "pull-request"] = Field("commit", description="pull-request: a person merges it on a forge")
    pull_request: PullRequest = PullRequest()

    @property
    def by_pull_request(self) -> bool:
        """Whether a person's merge stands between hubctl and the branch."""
        return self.mode == "pull-request"
