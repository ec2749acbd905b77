"""Publishing over SSH with a key of our own, against a real sshd, and every way in which that is refused."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hubctl.errors import RemoteFailed
from hubctl.model.gitops import Credentials
from hubctl.publish.access import Access
from hubctl.publish.repository import Repository
from tests.publish import sshgit
from tests.publish.remotes import Remote, fleet, publish

Opens = Callable[..., Repository]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sshgit.SshGit]:
    if not sshgit.program():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(sshgit.MISSING)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with sshgit.serving(tmp_path_factory.mktemp("sshd") / "my keys", port) as running:
        yield running


@pytest.fixture
def opens(server: sshgit.SshGit, remote: Remote) -> Opens:
    """Makes a repository over SSH; files of the credentials may be replaced."""

    def make(**changes: str | None) -> Repository:
        named = {"ssh_key_file": "key", "known_hosts_file": "known", **changes}
        credentials = Credentials.model_validate({key: value for key, value in named.items() if value})
        access = Access(credentials, server.folder)
        return Repository(remote.path.parent / "state", server.url(remote.path), "main", access=access)

    return make


async def failure(repository: Repository) -> RemoteFailed:
    with pytest.raises(RemoteFailed) as caught:
        await publish(repository, fleet("a"))
    assert "PRIVATE KEY---" not in f"{caught.value} {caught.value.hint}"
    return caught.value


async def test_publish_over_ssh_with_a_key(opens: Opens, remote: Remote) -> None:
    await publish(opens(), fleet("a"))
    remote.commit({"by-hand": b""})
    await publish(opens(), fleet("a", "b"))
    assert remote.files() == {**fleet("a", "b"), "by-hand": b""}
    assert await publish(opens(), fleet("a", "b")) is None


async def test_configured_key_wins_over_a_persons_own_ssh(
    opens: Opens, remote: Remote, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_SSH_COMMAND", "false")
    monkeypatch.setenv("SSH_AUTH_SOCK", "/nowhere")
    await publish(opens(), fleet("a"))
    assert remote.files() == fleet("a")


async def test_host_that_nobody_knows_is_refused(opens: Opens, server: sshgit.SshGit, remote: Remote) -> None:
    stranger = server.folder / "stranger"
    if not stranger.exists():
        sshgit.new_key(stranger)
    (server.folder / "others").write_text(server.known(stranger).replace("127.0.0.1", "127.0.0.2"))
    found = await failure(opens(known_hosts_file="others"))
    assert "Host key verification failed" in str(found)
    assert "knownHostsFile" in found.hint
    assert remote.object_count() == 0


async def test_host_with_another_key_is_refused(opens: Opens, server: sshgit.SshGit, remote: Remote) -> None:
    (server.folder / "moved").write_text(server.known(sshgit.new_key(server.folder / "other-host")))
    found = await failure(opens(known_hosts_file="moved"))
    assert "Host key verification failed" in str(found)
    assert remote.object_count() == 0


async def test_key_that_the_server_does_not_know_is_refused(opens: Opens, server: sshgit.SshGit) -> None:
    sshgit.new_key(server.folder / "unknown")
    found = await failure(opens(ssh_key_file="unknown"))
    assert "Permission denied (publickey)" in str(found)
    assert "sshKeyFile" in found.hint


async def test_key_that_others_may_read_is_refused_by_ssh(opens: Opens, server: sshgit.SshGit) -> None:
    copy = server.folder / "open"
    copy.write_bytes((server.folder / "key").read_bytes())
    copy.chmod(0o644)
    assert "sshKeyFile" in (await failure(opens(ssh_key_file="open"))).hint


@pytest.mark.parametrize(("key", "place"), [("ssh_key_file", "sshKeyFile"), ("known_hosts_file", "knownHostsFile")])
async def test_missing_file_is_named(opens: Opens, server: sshgit.SshGit, key: str, place: str) -> None:
    found = await failure(opens(**{key: "absent"}))
    assert found.where == f"values-hub.yaml hubctl.gitops.credentials.{place}"
    assert str(Path(server.folder / "absent")) in str(found)
