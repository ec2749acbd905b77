"""PullRequest: the section ``hubctl.gitops.publishing.pullRequest``; which forge, where, and how it looks there.

Apart from ``publishing``, whose other modes it does not concern; see docs/adr/0021-pull-requests.md.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from hubctl.model.base import Strict

Forge = Literal["github", "gitlab", "gitea"]

PUBLIC: dict[str, tuple[Forge, str]] = {
    "github.com": ("github", "https://api.github.com"),
    "ssh.github.com": ("github", "https://api.github.com"),
    "gitlab.com": ("gitlab", "https://gitlab.com/api/v4"),
    "altssh.gitlab.com": ("gitlab", "https://gitlab.com/api/v4"),
}
"""Hosts of Git URLs whose forge and API are known."""

_SCP = re.compile(r"^(?:[^@/:]+@)?(?P<host>[^/:]+):(?P<path>[^:].*)$")
_URL = re.compile(r"^(?:https|ssh)://(?:[^@/]+@)?(?P<host>[^/:]+)(?::\d+)?/(?P<path>.+)$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where pull requests are opened: a repository of a forge.

    Attributes:
        api: base of the API, no slash at the end.
        repository: ``owner/name``; on GitLab with every group above it.
    """

    forge: Forge
    api: str
    repository: str


class PullRequest(Strict):
    """The one pull request that carries what is to be published."""

    forge: Forge | None = Field(None, description="gitea is Forgejo too; default: by the remote's host, if it is known")
    api_url: Annotated[str, Field(pattern=r"^https://[^/@\s?#]+(/[^\s?#]*)?$")] | None = Field(
        None, description="base of the forge's API; default: that of github.com or gitlab.com"
    )
    repository: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+$")] | None = Field(
        None, description="owner/name; default: the path of the remote"
    )
    branch: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$")] = Field(
        "hubctl/fleet", description="the head branch; hubctl's own, written anew with each change"
    )
    token_file: str | None = Field(None, description="file that holds the API token; default: credentials.tokenFile")
    ca_file: str | None = Field(None, description="CA bundle of the API; default: credentials.caFile, or the system's")
    remediations: Literal["commit", "pull-request"] = Field(
        "commit", description="pull-request: each remediation waits for a merge of its own"
    )
    labels: tuple[Annotated[str, Field(min_length=1)], ...] = Field((), description="put on when it is opened")

    def place(self, remote: str) -> Place:
        """Where it is opened, from what is set and, for what is not, from the remote.

        Raises:
            ValueError: neither tells; the text names the key that is missing.
        """
        host, path = _parts(remote)
        forge, api = PUBLIC.get(host.lower(), (None, None))
        repository = self.repository or (path if "/" in path else "")
        kind = self.forge or forge
        if kind is None:
            raise ValueError(f"cannot tell the forge of {host or 'this remote'}, expected publishing.pullRequest.forge")
        if not (self.api_url or (api and kind == forge)):
            raise ValueError(f"cannot tell the API of {kind}, expected publishing.pullRequest.apiUrl")
        if not repository:
            raise ValueError("the remote has no owner/name in it, expected publishing.pullRequest.repository")
        return Place(kind, (self.api_url or api or "").rstrip("/"), repository)


def _parts(remote: str) -> tuple[str, str]:
    """Host and repository path of a Git URL; empty texts for what has none, such as a folder."""
    found = _URL.match(remote) or (None if "://" in remote else _SCP.match(remote))
    if found is None:
        return "", ""
    return found["host"], found["path"].strip("/").removesuffix(".git")
