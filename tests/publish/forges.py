"""A small forge behind HTTPS that speaks just what GitHub and GitLab document of pull requests, and nothing more.

It stands in for what cannot run here: an unknown path, header, query or key is refused, there is one open pull request
for a head branch, and branches are looked up in the real remote. Gitea is tested as it is, in ``tests/forge``.
"""

import json
import re
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, unquote, urlsplit

import trustme

REPOSITORY = "platform/fleet"
TOKEN = "kept-secret-4711"
Kind = Literal["github", "gitlab"]


@dataclass
class Item:
    """One pull request."""

    number: int
    head: str
    base: str
    title: str
    text: str
    state: str = "open"
    labels: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    fork: bool = False


@dataclass(frozen=True)
class Fault:
    """An answer that the next request gets instead of the right one; ``done`` if it is carried out all the same."""

    status: int = 500
    headers: tuple[tuple[str, str], ...] = ()
    body: Any = field(default_factory=dict)
    done: bool = False
    hang_up: bool = False
    pause: float = 0.0


class Refused(Exception):  # noqa: N818 - an answer
    """A status and a body that are no success."""

    def __init__(self, status: int, message: Any) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass
class FakeForge:
    """What is served and what was asked.

    Attributes:
        remote: the bare repository whose branches count.
        asked: ``METHOD path`` of every request, in order.
        faults: for the next requests, one each; the first that fits ``METHOD`` is taken.
        opening: called when a pull request is about to be opened.
    """

    kind: Kind
    remote: Path
    token: str = TOKEN
    repository: str = REPOSITORY
    port: int = 0
    items: list[Item] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    faults: list[tuple[str, Fault]] = field(default_factory=list)
    opening: Callable[[], object] | None = None
    limit: int = 65_536

    @property
    def api(self) -> str:
        return f"https://127.0.0.1:{self.port}" + ("/api/v4" if self.kind == "gitlab" else "")

    @property
    def writes(self) -> list[str]:
        """The requests that change something."""
        return [one for one in self.asked if not one.startswith("GET ")]

    def settings(self) -> dict[str, Any]:
        """The section of the values that leads here."""
        wanted = {"forge": self.kind, "apiUrl": self.api, "repository": self.repository, "tokenFile": "token"}
        return {"mode": "pull-request", "pullRequest": {**wanted, "caFile": "ca.pem"}}

    def open(self) -> list[Item]:
        return [item for item in self.items if item.state == "open"]

    def add(self, head: str, base: str, title: str, text: str, labels: list[str]) -> Item:
        """A new pull request; refused as the real ones refuse it."""
        ids = {name: self._branch(name) for name in (head, base)}
        if not all(ids.values()):
            raise Refused(*self._invalid(f"{head} or {base} is no branch"))
        if ids[head] == ids[base]:
            raise Refused(*self._invalid(f"No commits between {base} and {head}"))
        if any((item.head, item.base, item.fork) == (head, base, False) for item in self.open()):
            if self.kind == "github":
                raise Refused(*self._invalid(f"A pull request already exists for platform:{head}."))
            raise Refused(409, ["Another open merge request already exists for this source branch: !1"])
        made = Item(len(self.items) + 1, head, base, title, text, labels=labels)
        self.items.append(made)
        return made

    def edit(self, item: Item, *, title: str | None, text: str | None, close: bool) -> None:
        if len(text or "") > self.limit:
            raise Refused(*self._invalid(f"body is too long (maximum is {self.limit} characters)"))
        item.title, item.text = title or item.title, item.text if text is None else text
        item.state = "closed" if close and item.state == "open" else item.state

    def merge(self, item: Item, *, squash: bool = False) -> None:
        """What a person's press on the button does, to the real remote."""
        clone = self.remote.parent / f"merging-{time.monotonic_ns()}"
        run = ["git", "-c", "user.name=Ann", "-c", "user.email=ann@example.com"]
        subprocess.run([*run, "clone", "--quiet", str(self.remote), str(clone)], check=True, capture_output=True)
        how = ["--squash"] if squash else ["--no-ff", "-m", f"Merge #{item.number}"]
        subprocess.run([*run, "merge", "--quiet", *how, f"origin/{item.head}"], cwd=clone, check=True)
        if squash:
            subprocess.run([*run, "commit", "--quiet", "-m", item.title], cwd=clone, check=True)
        subprocess.run([*run, "push", "--quiet", "origin", f"HEAD:{item.base}"], cwd=clone, check=True)
        item.state = "merged"

    def find(self, number: str) -> Item:
        found = next((item for item in self.items if item.number == int(number)), None)
        if found is None:
            raise Refused(404, "Not Found")
        return found

    def _branch(self, name: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.remote), "rev-parse", "--verify", "--quiet", f"refs/heads/{name}"],
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.strip()

    def _invalid(self, message: str) -> tuple[int, Any]:
        return (422, message) if self.kind == "github" else (400, {"base": [message]})


def only(given: Mapping[str, Any], *, required: tuple[str, ...] = (), known: tuple[str, ...] = ()) -> None:
    """Refuse keys that are not documented, and miss none that is needed."""
    if strange := set(given) - {*required, *known}:
        raise Refused(422, f"unknown: {sorted(strange)}")
    if missing := set(required) - set(given):
        raise Refused(422, f"missing: {sorted(missing)}")


class GitHub:
    """REST 2022-11-28."""

    routes = (
        ("GET", r"/repos/([^/]+/[^/]+)", "look"),
        ("GET", r"/repos/([^/]+/[^/]+)/pulls", "list"),
        ("POST", r"/repos/([^/]+/[^/]+)/pulls", "open"),
        ("PATCH", r"/repos/([^/]+/[^/]+)/pulls/(\d+)", "edit"),
        ("POST", r"/repos/([^/]+/[^/]+)/issues/(\d+)/comments", "comment"),
        ("POST", r"/repos/([^/]+/[^/]+)/issues/(\d+)/labels", "label"),
    )

    def __init__(self, forge: FakeForge) -> None:
        self.forge = forge

    def admit(self, headers: Any) -> None:
        if headers.get("Authorization") != f"Bearer {self.forge.token}":
            raise Refused(401, "Bad credentials")
        if headers.get("Accept") != "application/vnd.github+json" or headers.get("X-GitHub-Api-Version") is None:
            raise Refused(415, "Unsupported media type")
        if not headers.get("User-Agent"):
            raise Refused(403, "Request forbidden by administrative rules")

    def look(self, repository: str, _query: dict[str, str], _body: dict[str, Any]) -> Any:
        return {"full_name": repository, "permissions": {"push": True}}

    def list(self, _repository: str, query: dict[str, str], _body: dict[str, Any]) -> Any:
        only(query, known=("state", "head", "base", "sort", "direction", "per_page", "page"))
        wanted = query.get("state", "open")
        owner, _, branch = query["head"].partition(":")
        assert owner == self.forge.repository.partition("/")[0]
        found = [item for item in reversed(self.forge.items) if item.head == branch and item.base == query["base"]]
        return [self.told(item) for item in found if wanted == ("open" if item.state == "open" else "closed")]

    def open(self, _repository: str, _query: dict[str, str], body: dict[str, Any]) -> Any:
        known = ("body", "draft", "maintainer_can_modify", "head_repo", "issue")
        only(body, required=("title", "head", "base"), known=known)
        if len(body["body"]) > self.forge.limit:
            raise Refused(422, "body is too long")
        return self.told(self.forge.add(body["head"], body["base"], body["title"], body["body"], []))

    def edit(self, _repository: str, number: str, _query: dict[str, str], body: dict[str, Any]) -> Any:
        only(body, known=("title", "body", "state", "base"))
        item = self.forge.find(number)
        self.forge.edit(item, title=body.get("title"), text=body.get("body"), close=body.get("state") == "closed")
        return self.told(item)

    def comment(self, _repository: str, number: str, _query: dict[str, str], body: dict[str, Any]) -> Any:
        only(body, required=("body",))
        self.forge.find(number).comments.append(body["body"])
        return {"id": 1}

    def label(self, _repository: str, number: str, _query: dict[str, str], body: dict[str, Any]) -> Any:
        only(body, required=("labels",))
        self.forge.find(number).labels += body["labels"]
        return [{"name": name} for name in self.forge.find(number).labels]

    def told(self, item: Item) -> dict[str, Any]:
        name = "stranger/fleet" if item.fork else self.forge.repository
        return {
            "number": item.number,
            "html_url": f"https://forge.example/{self.forge.repository}/pull/{item.number}",
            "title": item.title,
            "body": item.text or None,
            "state": "open" if item.state == "open" else "closed",
            "merged_at": "2026-03-01T12:00:00Z" if item.state == "merged" else None,
            "head": {"ref": item.head, "repo": {"full_name": name}},
            "base": {"ref": item.base, "repo": {"full_name": self.forge.repository}},
        }

    def error(self, message: Any) -> dict[str, Any]:
        return {"message": "Validation Failed", "errors": [{"message": message}], "documentation_url": "https://x"}


class GitLab:
    """API v4."""

    routes = (
        ("GET", r"/api/v4/projects/([^/]+)", "look"),
        ("GET", r"/api/v4/projects/([^/]+)/merge_requests", "list"),
        ("POST", r"/api/v4/projects/([^/]+)/merge_requests", "open"),
        ("PUT", r"/api/v4/projects/([^/]+)/merge_requests/(\d+)", "edit"),
        ("POST", r"/api/v4/projects/([^/]+)/merge_requests/(\d+)/notes", "comment"),
    )

    def __init__(self, forge: FakeForge) -> None:
        self.forge = forge

    def admit(self, headers: Any) -> None:
        if headers.get("PRIVATE-TOKEN") != self.forge.token:
            raise Refused(401, "401 Unauthorized")

    def look(self, repository: str, _query: dict[str, str], _body: dict[str, Any]) -> Any:
        return {"path_with_namespace": repository, "permissions": {"project_access": {"access_level": 30}}}

    def list(self, _repository: str, query: dict[str, str], _body: dict[str, Any]) -> Any:
        known = ("state", "source_branch", "target_branch", "order_by", "sort", "per_page", "page")
        only(query, known=known)
        states = {"opened": "open", "closed": "closed", "merged": "merged"}
        ends = (query["source_branch"], query["target_branch"])
        return [
            self.told(item)
            for item in reversed(self.forge.items)
            if (item.head, item.base) == ends and item.state == states[query["state"]]
        ]

    def open(self, _repository: str, _query: dict[str, str], body: dict[str, Any]) -> Any:
        only(body, required=("source_branch", "target_branch", "title"), known=("description", "labels"))
        labels = [name for name in body.get("labels", "").split(",") if name]
        made = self.forge.add(body["source_branch"], body["target_branch"], body["title"], body["description"], labels)
        return self.told(made)

    def edit(self, _repository: str, number: str, _query: dict[str, str], body: dict[str, Any]) -> Any:
        only(body, known=("title", "description", "state_event", "labels"))
        item = self.forge.find(number)
        close = body.get("state_event") == "close"
        self.forge.edit(item, title=body.get("title"), text=body.get("description"), close=close)
        return self.told(item)

    def comment(self, _repository: str, number: str, _query: dict[str, str], body: dict[str, Any]) -> Any:
        only(body, required=("body",))
        self.forge.find(number).comments.append(body["body"])
        return {"id": 1}

    def told(self, item: Item) -> dict[str, Any]:
        states = {"open": "opened"}
        return {
            "id": 1000 + item.number,
            "iid": item.number,
            "web_url": f"https://forge.example/{self.forge.repository}/-/merge_requests/{item.number}",
            "title": item.title,
            "description": item.text or None,
            "state": states.get(item.state, item.state),
            "source_branch": item.head,
            "target_branch": item.base,
            "source_project_id": 8 if item.fork else 7,
            "target_project_id": 7,
        }

    def error(self, message: Any) -> dict[str, Any]:
        return {"message": message}


class Server(ThreadingHTTPServer):
    """Leaves a client that hangs up in the handshake alone."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silence; the client has said what it thinks."""


class Handler(BaseHTTPRequestHandler):
    """Routes one request; ``forge`` and ``api`` are bound by :func:`serving`."""

    forge: FakeForge
    api: GitHub | GitLab

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.answer()

    def do_PUT(self) -> None:
        self.answer()

    def do_PATCH(self) -> None:
        self.answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
        """Silence."""

    def answer(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        self.forge.asked.append(f"{self.command} {path}")
        place = next((at for at, (method, _) in enumerate(self.forge.faults) if method in ("*", self.command)), None)
        fault = self.forge.faults.pop(place)[1] if place is not None else None
        if fault is None or fault.done:
            status, body = self.routed(path, raw)
        if fault is not None:
            time.sleep(fault.pause)
            if fault.hang_up:
                self.close_connection = True
                return
            self.give(fault.status, fault.body, fault.headers)
            return
        self.give(status, body, ())

    def routed(self, path: str, raw: bytes) -> tuple[int, Any]:
        try:
            self.api.admit(self.headers)
            for method, pattern, name in self.api.routes:
                found = re.fullmatch(pattern, path)
                if found and method == self.command:
                    return self.done(name, [unquote(part) for part in found.groups()], raw)
        except Refused as refused:
            return refused.status, self.api.error(refused.message)
        return 404, self.api.error("Not Found")

    def done(self, name: str, parts: list[str], raw: bytes) -> tuple[int, Any]:
        if parts[0] != self.forge.repository:
            raise Refused(404, "Not Found")
        if raw and self.headers.get("Content-Type") != "application/json":
            raise Refused(415, "expected JSON")
        if name == "open" and (before := self.forge.opening):
            self.forge.opening = None
            before()
        query = dict(parse_qsl(urlsplit(self.path).query))
        made = getattr(self.api, name)(*parts, query, json.loads(raw) if raw else {})
        return (201 if self.command == "POST" else 200), made

    def give(self, status: int, body: Any, headers: tuple[tuple[str, str], ...]) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        kind = "text/html" if isinstance(body, str) else "application/json"
        self.send_response(status)
        for name, value in (("Content-Type", kind), ("Content-Length", str(len(data))), *headers):
            self.send_header(name, value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(data)


@contextmanager
def serving(kind: Kind, remote: Path, authority: trustme.CA) -> Iterator[FakeForge]:
    """Serve until the end of the block."""
    forge = FakeForge(kind, remote)
    api = GitHub(forge) if kind == "github" else GitLab(forge)
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"forge": forge, "api": api}))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    forge.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield forge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
