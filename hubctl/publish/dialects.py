"""Dialects: pull requests in the words of each forge, as requests to send and answers to read.

Pure, and apart from ``forge``, which sends them. APIs: GitHub REST 2022-11-28, GitLab v4, Gitea and Forgejo v1.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import quote

from hubctl.model.pullrequest import Forge

State = Literal["open", "closed", "merged"]

TEXT_LIMIT: dict[Forge, int] = {"github": 65_536, "gitlab": 1_000_000, "gitea": 1_000_000}
"""Characters of a pull request's text; Gitea names no limit."""

PAGE = {"gitea": 50, "gitlab": 20, "github": 20}
"""Pull requests asked for at once."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        path: below the API's base, quoted.
    """

    method: Literal["GET", "POST", "PUT", "PATCH"]
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Pull:
    """One pull request, whatever its forge calls it.

    Attributes:
        url: for people.
    """

    number: int
    url: str
    title: str
    text: str
    state: State


@dataclass(frozen=True, slots=True)
class Ends:
    """What a pull request joins.

    Attributes:
        repository: ``owner/name`` of both branches; a fork's branch of the same name is another one.
    """

    repository: str
    head: str
    base: str


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one forge says it; every function gives one call.

    Attributes:
        headers: of every request, with the token.
        listing: pull requests of ``Ends`` that are open, or those that are not; newest first; of a page, from 1.
        reading: one item of a listing or the answer to ``opening``; None for what is not between these ends.
        whole: whether a listing names the head branch, so that its first page is enough.
        scopes: the least that the token needs, for people.
    """

    headers: Callable[[str], dict[str, str]]
    listing: Callable[[Ends, bool, int], Call]
    reading: Callable[[Ends, Mapping[str, Any]], Pull | None]
    opening: Callable[[Ends, str, str, tuple[str, ...]], Call]
    changing: Callable[[Ends, int, str, str], Call]
    closing: Callable[[Ends, int, str], Call]
    telling: Callable[[Ends, int, str], Call]
    looking: Callable[[str], Call]
    labelling: Callable[[Ends, int, tuple[str, ...]], Call] | None
    whole: bool
    scopes: str


def _repos(repository: str) -> str:
    return f"/repos/{quote(repository)}"


def _github_listing(ends: Ends, is_open: bool, page: int) -> Call:  # noqa: FBT001 - the shape of a field
    query = {
        "state": "open" if is_open else "closed",
        "head": f"{ends.repository.partition('/')[0]}:{ends.head}",
        "base": ends.base,
        "sort": "created",
        "direction": "desc",
        "per_page": str(PAGE["github"]),
        "page": str(page),
    }
    return Call("GET", f"{_repos(ends.repository)}/pulls", query)


def _gitea_listing(ends: Ends, is_open: bool, page: int) -> Call:  # noqa: FBT001 - the shape of a field
    query = {
        "state": "open" if is_open else "closed",
        "base_branch": ends.base,
        "limit": str(PAGE["gitea"]),
        "page": str(page),
    }
    return Call("GET", f"{_repos(ends.repository)}/pulls", query)


def _hub_reading(ends: Ends, item: Mapping[str, Any]) -> Pull | None:
    """An item of GitHub or Gitea; the repository of a head is null once its fork is gone."""
    head, base = item["head"], item["base"]
    source = (head.get("repo") or {}).get("full_name", "")
    if (source.lower(), head["ref"], base["ref"]) != (ends.repository.lower(), ends.head, ends.base):
        return None
    merged = bool(item.get("merged_at") or item.get("merged"))
    state: State = "merged" if merged else "open" if item["state"] == "open" else "closed"
    return Pull(int(item["number"]), str(item["html_url"]), str(item["title"]), str(item.get("body") or ""), state)


def _hub_opening(ends: Ends, title: str, text: str, labels: tuple[str, ...]) -> Call:
    del labels  # Both put labels on afterwards: GitHub takes none here, Gitea numbers only.
    body = {"head": ends.head, "base": ends.base, "title": title, "body": text}
    return Call("POST", f"{_repos(ends.repository)}/pulls", body=body)


def _hub_changing(ends: Ends, number: int, title: str, text: str) -> Call:
    return Call("PATCH", f"{_repos(ends.repository)}/pulls/{number}", body={"title": title, "body": text})


def _hub_closing(ends: Ends, number: int, text: str) -> Call:
    return Call("PATCH", f"{_repos(ends.repository)}/pulls/{number}", body={"state": "closed", "body": text})


def _hub_telling(ends: Ends, number: int, text: str) -> Call:
    return Call("POST", f"{_repos(ends.repository)}/issues/{number}/comments", body={"body": text})


def _hub_labelling(ends: Ends, number: int, labels: tuple[str, ...]) -> Call:
    return Call("POST", f"{_repos(ends.repository)}/issues/{number}/labels", body={"labels": list(labels)})


def _hub_looking(repository: str) -> Call:
    return Call("GET", _repos(repository))


def _project(repository: str) -> str:
    return f"/projects/{quote(repository, safe='')}"


def _gitlab_listing(ends: Ends, is_open: bool, page: int) -> Call:  # noqa: FBT001 - the shape of a field
    query = {
        "state": "opened" if is_open else "closed",
        "source_branch": ends.head,
        "target_branch": ends.base,
        "order_by": "created_at",
        "sort": "desc",
        "per_page": str(PAGE["gitlab"]),
        "page": str(page),
    }
    return Call("GET", f"{_project(ends.repository)}/merge_requests", query)


def _gitlab_reading(ends: Ends, item: Mapping[str, Any]) -> Pull | None:
    if item["source_project_id"] != item["target_project_id"]:
        return None
    if (item["source_branch"], item["target_branch"]) != (ends.head, ends.base):
        return None
    states: dict[str, State] = {"opened": "open", "locked": "open", "merged": "merged"}
    text = str(item.get("description") or "")
    return Pull(int(item["iid"]), str(item["web_url"]), str(item["title"]), text, states.get(item["state"], "closed"))


def _gitlab_opening(ends: Ends, title: str, text: str, labels: tuple[str, ...]) -> Call:
    body = {"source_branch": ends.head, "target_branch": ends.base, "title": title, "description": text}
    return Call(
        "POST",
        f"{_project(ends.repository)}/merge_requests",
        body=body | ({"labels": ",".join(labels)} if labels else {}),
    )


def _gitlab_changing(ends: Ends, number: int, title: str, text: str) -> Call:
    body = {"title": title, "description": text}
    return Call("PUT", f"{_project(ends.repository)}/merge_requests/{number}", body=body)


def _gitlab_closing(ends: Ends, number: int, text: str) -> Call:
    body = {"state_event": "close", "description": text}
    return Call("PUT", f"{_project(ends.repository)}/merge_requests/{number}", body=body)


def _gitlab_telling(ends: Ends, number: int, text: str) -> Call:
    return Call("POST", f"{_project(ends.repository)}/merge_requests/{number}/notes", body={"body": text})


def _gitlab_looking(repository: str) -> Call:
    return Call("GET", _project(repository))


_GITHUB = Dialect(
    headers=lambda token: {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    },
    listing=_github_listing,
    reading=_hub_reading,
    opening=_hub_opening,
    changing=_hub_changing,
    closing=_hub_closing,
    telling=_hub_telling,
    looking=_hub_looking,
    labelling=_hub_labelling,
    whole=True,
    scopes="contents and pull requests, both read and write, for this repository (a classic token: repo)",
)

DIALECTS: dict[Forge, Dialect] = {
    "github": _GITHUB,
    "gitlab": Dialect(
        headers=lambda token: {"PRIVATE-TOKEN": token, "Accept": "application/json"},
        listing=_gitlab_listing,
        reading=_gitlab_reading,
        opening=_gitlab_opening,
        changing=_gitlab_changing,
        closing=_gitlab_closing,
        telling=_gitlab_telling,
        looking=_gitlab_looking,
        labelling=None,
        whole=True,
        scopes="api, and the role Developer in this project",
    ),
    "gitea": replace(
        _GITHUB,
        headers=lambda token: {"Authorization": f"token {token}", "Accept": "application/json"},
        listing=_gitea_listing,
        whole=False,
        scopes="write:repository and write:issue, and the right to write to this repository",
    ),
}
"""Every forge by its name in the values."""
