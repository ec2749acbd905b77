"""Publishing: the section ``hubctl.publishing`` of the values; what a publish makes of the branch that Argo CD reads.

Apart from ``gitops``, which says where that branch is; see docs/adr/0013-hydrated-branches.md.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from hubctl.model.base import Strict

METADATA = "hydrator.metadata"
"""File that says which commit of the inputs a hydrated branch was rendered from."""

NEXT = "-next"
"""Suffix of a proposed branch, as the promoter has it."""


class Hydrated(Strict):
    """How hubctl's commits reach a promoter."""

    active_path: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")] | None = (
        Field(None, description="folder of this fleet on a branch that several share; gitops.path lies in it")
    )
    repo_url: str | None = Field(
        None, alias="repoURL", description="of the inputs, for links; default: that of their checkout's remote"
    )

    @field_validator("repo_url")
    @classmethod
    def _no_credentials(cls, url: str | None) -> str | None:
        _, separator, rest = (url or "").partition("://")
        if separator and "@" in rest.split("/")[0] and (url or "").startswith("http"):
            raise ValueError("expected a URL without credentials; everybody who reads the branch would see them")
        return url


class Publishing(Strict):
    """What a publish makes."""

    mode: Literal["commit", "hydrated"] = Field(
        "commit", description="hydrated: on BRANCH-next, with the metadata and notes of GitOps Promoter"
    )
    hydrated: Hydrated = Hydrated()

    def proposed(self, branch: str) -> str:
        """The branch that hubctl pushes to, for the one that Argo CD reads."""
        if self.mode == "commit":
            return branch
        return f"{branch}{NEXT}/{self.hydrated.active_path}" if self.hydrated.active_path else f"{branch}{NEXT}"

    @property
    def metadata(self) -> str:
        """Path of the metadata on a hydrated branch."""
        return f"{self.hydrated.active_path}/{METADATA}" if self.hydrated.active_path else METADATA
