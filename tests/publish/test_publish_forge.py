"""A forge that is busy, refuses, lies or hangs up: what is tried again, what is said, and that no token is shown."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
import trustme

from hubctl.errors import InputError, RemoteFailed
from hubctl.model.gitops import GitOps
from hubctl.model.pullrequest import Place, PullRequest
from hubctl.publish.forge import Forge, forge_of
from tests.publish import forges
from tests.publish.forges import FakeForge, Fault
from tests.publish.remotes import Remote


@pytest.fixture
def served(remote: Remote, tmp_path: Path) -> Iterator[FakeForge]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    (tmp_path / "token").write_text(forges.TOKEN + "\n")
    with forges.serving("github", remote.path, authority) as server:
        yield server


@pytest.fixture
def forge(served: FakeForge, tmp_path: Path) -> Forge:
    return forge_of(GitOps.model_validate({"remote": "x", "publishing": served.settings()}), tmp_path)


async def refused(forge: Forge) -> RemoteFailed:
    """The error of one look."""
    with pytest.raises(RemoteFailed) as caught:
        await forge.find(is_open=True)
    assert forges.TOKEN not in f"{caught.value} {caught.value.hint}"
    return caught.value


@pytest.mark.parametrize("fault", [Fault(502), Fault(503, (("Retry-After", "0"),)), Fault(hang_up=True)])
async def test_server_that_fails_once_is_asked_again(served: FakeForge, forge: Forge, fault: Fault) -> None:
    served.faults.append(("GET", fault))
    assert await forge.find(is_open=True) == ()
    assert len(served.asked) == 2


async def test_server_that_keeps_failing_ends_in_an_error(served: FakeForge, forge: Forge) -> None:
    served.faults += [("GET", Fault(500, body={"message": "oops"}))] * 9
    error = await refused(forge)
    assert "127.0.0.1 answered 500 to GET /repos/platform/fleet/pulls: oops" in str(error)
    assert len(served.asked) == 4


@pytest.mark.parametrize("status", [403, 429])
async def test_wait_that_the_server_asks_for_is_kept(served: FakeForge, forge: Forge, status: int) -> None:
    served.faults.append(("GET", Fault(status, (("Retry-After", "1"),))))
    began = time.monotonic()
    await forge.find(is_open=True)
    assert time.monotonic() - began >= 1


async def test_wait_may_be_a_date(served: FakeForge, forge: Forge) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=1))
    served.faults.append(("GET", Fault(429, (("Retry-After", when),))))
    await forge.find(is_open=True)
    assert len(served.asked) == 2


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429, (("Retry-After", "3600"),)),
        Fault(403, (("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", str(int(time.time()) + 3600)))),
        Fault(403, body={"message": "You have exceeded a secondary rate limit."}),
    ],
)
async def test_long_wait_is_left_to_a_later_run(served: FakeForge, forge: Forge, fault: Fault) -> None:
    served.faults += [("GET", fault)] * 2
    assert "too many requests" in (await refused(forge)).hint
    assert len(served.asked) == 1


@pytest.mark.parametrize(
    ("fault", "where", "hint"),
    [
        (Fault(401, body={"message": f"bad {forges.TOKEN}"}), "tokenFile", "put a token"),
        (Fault(403, body={"message": "Resource not accessible"}), "tokenFile", "contents and pull requests"),
        (Fault(404, body={"message": "Not Found"}), "repository", "may see it"),
        (Fault(301, (("Location", "https://elsewhere.example/x"),)), "apiUrl", "elsewhere.example"),
        (Fault(200, body=f"<html>hello {forges.TOKEN}</html>"), "apiUrl", "base of the API"),
        (Fault(200, body={"a": 1}), "apiUrl", "base of the API"),
        (Fault(200, body=[{"number": 1}]), "apiUrl", "base of the API"),
    ],
)
async def test_refusal_names_the_key_to_mend(
    served: FakeForge, forge: Forge, fault: Fault, where: str, hint: str
) -> None:
    served.faults.append(("GET", fault))
    error = await refused(forge)
    assert error.where.endswith(f"pullRequest.{where}")
    assert hint in error.hint
    assert len(served.asked) == 1


async def test_token_is_read_anew_for_each_request(served: FakeForge, forge: Forge, tmp_path: Path) -> None:
    await forge.check()
    served.token = "rotated"
    assert (await refused(forge)).where.endswith("tokenFile")
    (tmp_path / "token").write_text("rotated")
    await forge.check()


@pytest.mark.parametrize("text", [None, "", "two\nlines", "schlüssel"])
async def test_token_that_cannot_be_one_is_never_sent_nor_shown(
    served: FakeForge, forge: Forge, tmp_path: Path, text: str | None
) -> None:
    (tmp_path / "token").unlink()
    if text is not None:
        (tmp_path / "token").write_text(text)
    error = await refused(forge)
    assert error.where.endswith("tokenFile")
    assert not text or text not in str(error)
    assert served.asked == []


async def test_server_with_another_certificate_gets_no_token(served: FakeForge, forge: Forge, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    assert "certificate" in str(await refused(forge))
    (tmp_path / "ca.pem").unlink()
    assert (await refused(forge)).where.endswith("caFile")
    assert served.asked == []


@pytest.mark.parametrize(
    ("remote", "forge", "api", "repository"),
    [
        ("https://github.com/platform/fleet.git", "github", "https://api.github.com", "platform/fleet"),
        ("git@github.com:platform/fleet.git", "github", "https://api.github.com", "platform/fleet"),
        ("ssh://git@ssh.github.com:443/platform/fleet", "github", "https://api.github.com", "platform/fleet"),
        ("git@gitlab.com:a/b/fleet.git", "gitlab", "https://gitlab.com/api/v4", "a/b/fleet"),
        ("ssh://git@altssh.gitlab.com:443/a/b/fleet.git", "gitlab", "https://gitlab.com/api/v4", "a/b/fleet"),
    ],
)
def test_known_hosts_need_no_more_than_the_remote(remote: str, forge: str, api: str, repository: str) -> None:
    assert PullRequest().place(remote) == Place(forge, api, repository)  # type: ignore[arg-type]


def test_other_hosts_need_forge_and_api_but_not_the_repository() -> None:
    told = PullRequest.model_validate({"forge": "gitea", "apiUrl": "https://git.example.com/api/v1/"})
    place = Place("gitea", "https://git.example.com/api/v1", "platform/fleet")
    assert told.place("https://git.example.com:8443/platform/fleet.git") == place
    assert told.place("git@git.example.com:platform/fleet.git") == place


@pytest.mark.parametrize(
    ("settings", "remote", "missing"),
    [
        ({}, "https://git.example.com/platform/fleet.git", "forge"),
        ({"forge": "gitea"}, "https://git.example.com/platform/fleet.git", "apiUrl"),
        ({"forge": "gitlab"}, "https://github.com/platform/fleet.git", "apiUrl"),
        ({"forge": "gitea", "apiUrl": "https://git.example.com/api/v1"}, "../fleet.git", "repository"),
    ],
)
def test_what_cannot_be_told_is_asked_for_by_its_key(settings: dict[str, str], remote: str, missing: str) -> None:
    section = {"mode": "pull-request", "pullRequest": {**settings, "tokenFile": "token"}}
    with pytest.raises(ValueError, match=rf"publishing\.pullRequest\.{missing}"):
        GitOps.model_validate({"remote": remote, "publishing": section})
    unchecked = GitOps.model_validate({"publishing": section}).model_copy(update={"remote": remote})
    with pytest.raises(InputError, match=missing):
        forge_of(unchecked, Path())


@pytest.mark.parametrize("api", ["http://git.example.com/api/v1", "https://me:secret@git.example.com/api", "git"])
def test_api_is_spoken_to_over_tls_and_without_a_password_in_its_address(api: str) -> None:
    with pytest.raises(ValueError, match="apiUrl"):
        PullRequest.model_validate({"apiUrl": api})


def test_head_branch_is_another_than_the_published_one_and_a_token_is_needed() -> None:
    to = {"mode": "pull-request", "pullRequest": {"branch": "main", "tokenFile": "token"}}
    with pytest.raises(ValueError, match="other than branch"):
        GitOps.model_validate({"publishing": to})
    with pytest.raises(ValueError, match="tokenFile"):
        GitOps.model_validate({"publishing": {"mode": "pull-request"}})
    shared = {"credentials": {"tokenFile": "token"}, "publishing": {"mode": "pull-request"}}
    found = GitOps.model_validate({"remote": "https://github.com/a/b.git", **shared})
    assert forge_of(found, Path("/fleet")).token_file == Path("/fleet/token")
