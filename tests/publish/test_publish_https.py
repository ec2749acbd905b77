"""Publishing over HTTPS with a password or a token, and every way in which that is refused."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import trustme

from hubctl.errors import RemoteFailed
from hubctl.model.gitops import Credentials
from hubctl.publish.access import Access
from hubctl.publish.checkout import Checkouts
from hubctl.publish.repository import Repository
from hubctl.settings import read_settings
from tests.publish import httpsgit
from tests.publish.remotes import Remote, fleet, git, publish

Opens = Callable[..., Repository]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def served(remote: Remote, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpsgit.HttpsGit]:
    """The remote behind HTTPS, and the secrets beside it in ``secrets/``."""
    git(remote.path, "config", "http.receivepack", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    folder = remote.path.parent / "my secrets"
    folder.mkdir()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    with httpsgit.serving(remote.path.parent, authority) as server:
        (folder / "user").write_text(server.user)
        (folder / "password").write_text(server.password + "\n")
        yield server


@pytest.fixture
def opens(served: httpsgit.HttpsGit, remote: Remote) -> Opens:
    """Makes a repository over HTTPS; keys of the credentials may be replaced."""

    def make(**changes: str | None) -> Repository:
        usual = {"username_file": "my secrets/user", "password_file": "my secrets/password"}
        named = {"ca_file": "my secrets/ca.pem", **usual, **changes}
        credentials = Credentials.model_validate({key: value for key, value in named.items() if value})
        access = Access(credentials, remote.path.parent)
        return Repository(remote.path.parent / "state", served.url(), "main", access=access)

    return make


def everything(folder: Path) -> list[Path]:
    """Every file below a folder."""
    return [path for path in folder.rglob("*") if path.is_file()]


async def failure(repository: Repository, *secrets: str) -> RemoteFailed:
    """How publishing fails, without any of the secrets."""
    with pytest.raises(RemoteFailed) as caught:
        await publish(repository, fleet("a"))
    for secret in ("s3cret-4711", *secrets):
        assert secret not in f"{caught.value} {caught.value.hint} {caught.value.__cause__!r}"
    return caught.value


async def test_publish_over_https_with_a_password(opens: Opens, remote: Remote) -> None:
    commit = await publish(opens(), fleet("a"))
    assert commit is not None
    remote.commit({"by-hand": b""})
    await publish(opens(), fleet("a", "b"))
    assert remote.files() == {**fleet("a", "b"), "by-hand": b""}
    assert await publish(opens(), fleet("a", "b")) is None


async def test_large_push_is_sent_in_pieces(opens: Opens, remote: Remote) -> None:
    noise = {f"rendered/spokes/a/{number}": os.urandom(300_000) for number in range(8)}
    await publish(opens(), noise)
    assert remote.files() == noise


async def test_token_from_a_file_goes_with_the_usual_name(
    opens: Opens, served: httpsgit.HttpsGit, remote: Remote
) -> None:
    served.user = "x-access-token"
    (remote.path.parent / "token").write_text(served.password)
    assert await publish(opens(username_file=None, password_file=None, token_file="token"), fleet("a")) is not None


async def test_token_from_a_variable(opens: Opens, served: httpsgit.HttpsGit, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = opens(password_file=None, token_env="FLEET_TOKEN")
    assert "FLEET_TOKEN" in str(await failure(repository))
    monkeypatch.setenv("FLEET_TOKEN", served.password)
    assert await publish(repository, fleet("a")) is not None


async def test_rotated_password_counts_at_once(opens: Opens, served: httpsgit.HttpsGit, remote: Remote) -> None:
    repository = opens()
    await publish(repository, fleet("a"))
    served.password = "$(touch made) 'quoted' \\n %s \""
    await failure(repository)
    (remote.path.parent / "my secrets/password").write_text(served.password)
    assert await publish(repository, fleet("a", "b")) is not None


async def test_wrong_password_is_said_and_not_shown(opens: Opens, served: httpsgit.HttpsGit, remote: Remote) -> None:
    served.talks = True
    (remote.path.parent / "my secrets/password").write_text("wr0ng-pass")
    found = await failure(opens(), "wr0ng-pass", "cm9ib3Q6d3IwbmctcGFzcw")
    assert "Authentication failed" in str(found)
    assert "hubctl.gitops.credentials" in found.hint
    assert any(header.startswith("Basic ") for header in served.seen)


async def test_without_credentials_nobody_is_asked(opens: Opens) -> None:
    found = await failure(opens(username_file=None, password_file=None))
    assert "could not read Username" in str(found)


async def test_certificate_of_an_unknown_ca_is_refused_before_anything_is_sent(
    opens: Opens, served: httpsgit.HttpsGit, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    (remote.path.parent / "gitconfig").write_text("[http]\nsslVerify = false\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(remote.path.parent / "gitconfig"))
    monkeypatch.setenv("GIT_SSL_NO_VERIFY", "1")
    trustme.CA().cert_pem.write_to_path(str(remote.path.parent / "other.pem"))
    for ca_file in ("other.pem", None):
        found = await failure(opens(ca_file=ca_file))
        assert "certificate" in str(found)
        assert "caFile" in found.hint
    assert served.seen == []


async def test_another_server_that_it_is_sent_to_gets_no_password(
    opens: Opens, served: httpsgit.HttpsGit, remote: Remote, authority: trustme.CA
) -> None:
    with httpsgit.serving(remote.path.parent, authority) as other:
        served.moved_to = other.url("").rstrip("/")
        await failure(opens())
        assert other.seen
        assert set(other.seen) == {""}


@pytest.mark.parametrize(
    ("content", "told"), [(None, "cannot read"), ("", "is empty"), ("s3cret-4711\nmore\n", "expected one line")]
)
async def test_unusable_secret_is_named_and_not_shown(
    opens: Opens, served: httpsgit.HttpsGit, remote: Remote, content: str | None, told: str
) -> None:
    path = remote.path.parent / "my secrets/password"
    path.unlink() if content is None else path.write_text(content)
    found = await failure(opens())
    assert told in str(found)
    assert found.where == "values-hub.yaml hubctl.gitops.credentials.passwordFile"
    assert served.seen == []


async def test_no_secret_is_an_argument_or_in_the_cache(
    opens: Opens, remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shim, log = tmp_path / "bin", tmp_path / "log"
    shim.mkdir()
    real = shutil.which("git")
    (shim / "git").write_text(f'#!/bin/sh\n{{ printf "%s\\n" "$@"; env; }} >>{log}\nexec {real} "$@"\n')
    (shim / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{shim}:{os.environ['PATH']}")
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "curl"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    await publish(opens(), fleet("a"))
    assert "credential.https://127.0.0.1" in log.read_text()
    assert "Authorization: Basic <redacted>" in (tmp_path / "curl").read_text()
    for path in (log, tmp_path / "curl", tmp_path / "trace", *everything(remote.path.parent / "state")):
        assert not re.search(rb"s3cret-4711|cm9ib3Q6czNjcmV0", path.read_bytes()), path


def following(served: httpsgit.HttpsGit, folder: Path, **changes: str) -> Checkouts:
    """The inputs, as a pod with mounted Secrets is told of them."""
    files = {"USERNAME_FILE": "user", "PASSWORD_FILE": "password", "CA_FILE": "ca.pem", **changes}
    environ = {f"HUBCTL_CONFIG_{kind}": str(folder / "my secrets" / name) for kind, name in files.items()}
    environ |= {"HUBCTL_CONFIG_REPO": served.url(), "HUBCTL_STATE": str(folder / "state")}
    settings = read_settings(None, environ)
    assert settings.config is not None
    return Checkouts(settings.state, settings.config)


async def test_inputs_come_over_https_with_credentials_from_files(served: httpsgit.HttpsGit, remote: Remote) -> None:
    commit = remote.commit({"values-hub.yaml": b"a: 1\n", "features/big": b"x" * 2_000_000})
    found = await following(served, remote.path.parent).newest()
    assert (found.commit, (found.folder / "values-hub.yaml").read_bytes()) == (commit, b"a: 1\n")
    assert (found.folder / "features/big").stat().st_size == 2_000_000
    kept = everything(remote.path.parent / "state")
    assert [path for path in kept if served.password.encode() in path.read_bytes()] == []


async def test_inputs_without_a_good_password_say_which_credentials(served: httpsgit.HttpsGit, remote: Remote) -> None:
    remote.commit({"values-hub.yaml": b"a: 1\n"})
    with pytest.raises(RemoteFailed) as caught:
        await following(served, remote.path.parent, PASSWORD_FILE="user").newest()
    assert "a password or token that is right for this remote; see the configuration repository's credentials" in (
        caught.value.hint
    )
    with pytest.raises(RemoteFailed, match=r"the configuration repository's credentials\.caFile"):
        await following(served, remote.path.parent, CA_FILE="none").newest()
