"""Install: ``hubctl.install``, an Application with which Argo CD installs hubctl itself on the hub.

Apart from ``gitops``, which is about the fleet: these manifests are hubctl's own, usually from another repository.
"""

from typing import Annotated

from pydantic import Field, field_validator

from hubctl.model.base import DnsLabel, Strict


class Install(Strict):
    """Where hubctl's own manifests are, and which image they run."""

    repo_url: str = Field(alias="repoURL", min_length=1, description="repository that holds deploy/, or your overlay")
    target_revision: str = Field(min_length=1, description="tag, branch or commit of it")
    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")] = Field(
        "deploy/overlays/openshift-acm", description="folder of the overlay"
    )
    image: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9._/:@-]*$")] | None = Field(
        None, description="image in place of the overlay's, with its tag or digest"
    )
    project: DnsLabel = Field("default", description="AppProject; it has to allow namespaces and ClusterRoles")

    @field_validator("repo_url")
    @classmethod
    def _no_credentials(cls, url: str) -> str:
        scheme, separator, rest = url.partition("://")
        if separator and scheme.startswith("http") and "@" in rest.split("/")[0]:
            raise ValueError("expected a URL without credentials; Argo CD has its own for repositories")
        return url
