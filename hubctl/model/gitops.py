"""GitOps: the section ``hubctl.gitops`` of the values; where the rendered tree is published, as whom, with what access.

Apart from the other sections, which do not concern Git.
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from hubctl.model.base import DnsLabel, Strict
from hubctl.model.publishing import Publishing


class Author(Strict):
    """Who hubctl's commits are by."""

    name: str = "hubctl"
    email: str = "hubctl@localhost"


class Credentials(Strict):
    """What proves hubctl to the Git remote: names of files and of a variable, never a secret itself."""

    username_file: str | None = Field(None, description="file that holds the user's name, for https")
    password_file: str | None = Field(None, description="file that holds the password; needs usernameFile")
    token_file: str | None = Field(None, description="file that holds an access token, sent as the password")
    token_env: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = Field(
        None, description="name of the variable that holds the access token"
    )
    ca_file: str | None = Field(None, description="CA bundle for https; default: git's own")
    ssh_key_file: str | None = Field(None, description="private key without passphrase, for ssh; no other is offered")
    known_hosts_file: str | None = Field(None, description="host keys for ssh; no other is accepted")

    @model_validator(mode="after")
    def _one_password(self) -> "Credentials":
        given = [key for key in (self.password_file, self.token_file, self.token_env) if key]
        if len(given) > 1:
            raise ValueError("expected at most one of passwordFile, tokenFile and tokenEnv")
        if self.password_file and not self.username_file:
            raise ValueError("expected usernameFile beside passwordFile")
        if self.username_file and not given:
            raise ValueError("expected passwordFile, tokenFile or tokenEnv beside usernameFile")
        return self

    @property
    def has_password(self) -> bool:
        """Whether something is to be sent over HTTP."""
        return bool(self.password_file or self.token_file or self.token_env)


class Signing(Strict):
    """The key that hubctl's commits are signed with."""

    format: Literal["ssh", "gpg"] = "ssh"
    key_file: str = Field(description="private key without passphrase; for gpg as `gpg --export-secret-keys` writes it")


class GitOps(Strict):
    """Where the rendered tree is published and how Argo CD reads it."""

    remote: str | None = Field(None, description="Git URL or path that hubctl pushes to; no credentials in it")
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")] = "main"
    path: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")] = "rendered"
    overrides: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*)*$")] = Field(
        "overrides", description="folder in the repository where remediation writes its overrides"
    )
    repo_url: str | None = Field(None, alias="repoURL", description="as Argo CD reads it; default: remote")
    argocd_namespace: DnsLabel = "openshift-gitops"
    project: DnsLabel = "hubctl-fleet"
    max_removed_clusters: Annotated[int, Field(ge=0)] | Annotated[str, Field(pattern=r"^\d{1,3}%$")] | None = Field(
        None, description="most spokes one publish may remove; default 1 or 10 %, whichever is larger"
    )
    author: Author = Author()
    credentials: Credentials = Credentials()
    signing: Signing | None = Field(None, description="default: commits are not signed")
    publishing: Publishing = Publishing()

    @field_validator("remote", "repo_url")
    @classmethod
    def _no_credentials(cls, url: str | None) -> str | None:
        scheme, separator, rest = (url or "").partition("://")
        if separator and scheme.startswith("http") and "@" in rest.split("/")[0]:
            raise ValueError("expected a URL without credentials; use a Git credential helper instead")
        return url

    @model_validator(mode="after")
    def _no_password_in_clear(self) -> "GitOps":
        if self.credentials.has_password and (self.remote or "").startswith("http://"):
            raise ValueError("expected a remote that begins with https://; over http the password travels in clear")
        return self

    @model_validator(mode="after")
    def _below_active_path(self) -> "GitOps":
        folder = self.publishing.hydrated.active_path if self.publishing.hydrates else None
        if folder and not f"{self.path}/".startswith(f"{folder}/"):
            raise ValueError(f"expected a path in publishing.hydrated.activePath {folder!r}, found {self.path!r}")
        return self

    @model_validator(mode="after")
    def _proposable(self) -> "GitOps":
        wanted = self.publishing.pull_request
        if self.publishing.by_pull_request:
            if wanted.branch == self.branch:
                raise ValueError(
                    f"expected a publishing.pullRequest.branch other than branch, found {self.branch} twice"
                )
            if not (wanted.token_file or self.credentials.token_file):
                raise ValueError("pull requests need a token, expected publishing.pullRequest.tokenFile")
            if self.remote:
                wanted.place(self.remote)
        return self
