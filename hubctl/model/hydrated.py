"""Hydrated: what a promoter has to know of hubctl's branches, and where it looks for it.

Apart from ``publishing``, whose other modes it does not concern; see docs/adr/0020-hydrated-branches.md.
"""

from typing import Annotated

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

    def proposed(self, branch: str) -> str:
        """The branch that hubctl pushes to, for the one that Argo CD reads."""
        return f"{branch}{NEXT}/{self.active_path}" if self.active_path else f"{branch}{NEXT}"

    @property
    def metadata(self) -> str:
        """Path of the metadata on that branch."""
        return f"{self.active_path}/{METADATA}" if self.active_path else METADATA
