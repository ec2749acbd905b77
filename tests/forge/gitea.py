"""A real Gitea on a free port of 127.0.0.1, over TLS, with SQLite, a throwaway person and tokens."""

import base64
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trustme

STARTED_WITHIN = 60.0
PERSON, ROBOT = "ann", "robot"
SCOPES = "write:repository,write:issue"
"""The least, as the documentation names them."""

SETTINGS = """\
APP_NAME = Gitea
RUN_MODE = prod
RUN_USER = {user}
WORK_PATH = {home}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
PROTOCOL = https
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = https://127.0.0.1:{port}/
CERT_FILE = {home}/server.pem
KEY_FILE = {home}/server.key
STATIC_ROOT_PATH = {built}
DISABLE_SSH = true
OFFLINE_MODE = true
LFS_START_SERVER = false
[database]
DB_TYPE = sqlite3
PATH = {home}/gitea.db
[repository]
ROOT = {home}/repositories
DEFAULT_BRANCH = main
[security]
INSTALL_LOCK = true
SECRET_KEY = {secret}
PASSWORD_HASH_ALGO = pbkdf2_v1
[service]
DISABLE_REGISTRATION = true
[indexer]
ISSUE_INDEXER_TYPE = db
[actions]
ENABLED = false
[packages]
ENABLED = false
[api]
MAX_RESPONSE_ITEMS = 5
[cron]
ENABLED = false
[log]
LEVEL = Warn
"""


@dataclass(frozen=True)
class Gitea:
    """A server at work.

    Attributes:
        tokens: of the person who reviews, and of hubctl's own user, who may write to what the person lets it.
    """

    url: str
    home: Path
    authority: Path
    tokens: dict[str, str]
    built: Path

    @property
    def api(self) -> str:
        return f"{self.url}/api/v1"

    def ask(self, method: str, path: str, body: Any = None, *, user: str = PERSON, expect: int | None = None) -> Any:
        """What the API answers; a status that is not expected fails the test."""
        answer = httpx.request(
            method,
            f"{self.api}{path}",
            json=body,
            headers={"Authorization": f"token {self.tokens[user]}"},
            verify=ssl.create_default_context(cafile=self.authority),
            timeout=30,
        )
        assert answer.is_success if expect is None else answer.status_code == expect, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def repository(self, *, files: dict[str, str]) -> str:
        """A new private repository of the person, which the robot may write to; its full name."""
        name = f"fleet-{secrets.token_hex(4)}"
        self.ask("POST", "/user/repos", {"name": name, "private": True, "auto_init": True, "default_branch": "main"})
        self.ask("PUT", f"/repos/{PERSON}/{name}/collaborators/{ROBOT}", {"permission": "write"})
        for path, text in files.items():
            self.write(f"{PERSON}/{name}", "main", path, text)
        return f"{PERSON}/{name}"

    def write(self, repository: str, branch: str, path: str, text: str) -> None:
        """A person's commit of one new file on a branch."""
        content = base64.b64encode(text.encode()).decode()
        self.ask("POST", f"/repos/{repository}/contents/{path}", {"branch": branch, "content": content})

    def token(self, name: str, scopes: str) -> str:
        """One more token."""
        return token(self.built, self.home, name, scopes)

    def pulls(self, repository: str, state: str = "open") -> list[dict[str, Any]]:
        """Pull requests, newest first."""
        found: list[dict[str, Any]] = self.ask("GET", f"/repos/{repository}/pulls?state={state}")
        return found


@contextmanager
def running(built: Path, home: Path) -> Iterator[Gitea]:
    """A server in an empty folder, until the end of the block."""
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(home / "ca.pem"))
    certificate.private_key_pem.write_to_path(str(home / "server.key"))
    certificate.cert_chain_pems[0].write_to_path(str(home / "server.pem"))
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    text = SETTINGS.format(home=home, port=port, built=built, user=user, secret=secrets.token_hex(16))
    (home / "app.ini").write_text(text)
    command(built, home, "migrate")
    tokens = {}
    for name, scopes in ((PERSON, f"{SCOPES},write:user"), (ROBOT, SCOPES)):
        about = ("--username", name, "--email", f"{name}@example.com", "--password", secrets.token_urlsafe(16))
        command(built, home, "admin", "user", "create", *about, "--must-change-password=false")
        tokens[name] = token(built, home, name, scopes)
    with (home / "log").open("wb") as sink:
        web = [str(built / "gitea"), "web", "--config", str(home / "app.ini")]
        process = subprocess.Popen(
            web, env=environment(home), cwd=home, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        up = Gitea(f"https://127.0.0.1:{port}", home, home / "ca.pem", tokens, built)
        _wait_for(up, process)
        yield up
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)


def environment(home: Path) -> dict[str, str]:
    """Nothing of the person who runs the tests."""
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1"}


def command(built: Path, home: Path, *arguments: str) -> str:
    """The last line that a command of Gitea prints."""
    whole = [str(built / "gitea"), *arguments, "--config", str(home / "app.ini")]
    done = subprocess.run(
        whole, env=environment(home), cwd=home, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip().rpartition("\n")[2]


def token(built: Path, home: Path, name: str, scopes: str) -> str:
    """A new token of a person."""
    about = ("--username", name, "--token-name", secrets.token_hex(4), "--scopes", scopes)
    return command(built, home, "admin", "user", "generate-access-token", *about, "--raw")


def _wait_for(up: Gitea, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTED_WITHIN
    while True:
        try:
            if httpx.get(f"{up.api}/version", verify=ssl.create_default_context(cafile=up.authority)).is_success:
                return
        except (httpx.HTTPError, json.JSONDecodeError):
            pass
        log = (up.home / "log").read_text(errors="replace")[-3000:]
        assert process.poll() is None, log
        assert time.monotonic() < end, log
        time.sleep(0.2)
