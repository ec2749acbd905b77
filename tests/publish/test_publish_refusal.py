"""Remotes that refuse, vanish, answer nothing, or take the commit and lose the answer."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubctl.errors import RemoteFailed
from hubctl.publish.repository import Repository
from tests.publish.remotes import Remote, fleet, git, publish


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_hook_that_rejects_is_quoted_and_nothing_moves(remote: Remote) -> None:
    tip = remote.commit({"a": b""})
    remote.hook("pre-receive", "echo 'policy: no robots on Sunday' >&2; exit 1")
    with pytest.raises(RemoteFailed, match="policy: no robots on Sunday"):
        await publish(remote.repository(), fleet("a"))
    assert remote.tip() == tip


async def test_publish_works_again_once_the_hook_lets_it(remote: Remote) -> None:
    remote.hook("pre-receive", "exit 1")
    repository = remote.repository()
    with pytest.raises(RemoteFailed):
        await publish(repository, fleet("a"))
    remote.hook("pre-receive", "exit 0")
    await publish(repository, fleet("a"))
    assert (remote.count(), remote.files()) == (1, fleet("a"))


async def test_response_lost_after_the_push_is_a_success(remote: Remote) -> None:
    remote.commit({"a": b""})
    remote.hook("post-receive", "kill -9 $PPID")
    commit = await publish(remote.repository(), fleet("a"))
    assert commit is not None
    assert commit.id == remote.tip()
    assert remote.count() == 2
    assert await publish(remote.repository(), fleet("a")) is None


async def test_response_lost_and_another_commit_on_top_is_a_success(remote: Remote) -> None:
    person = (
        'test -e took && exit 0; touch took; t=$(git rev-parse main^{tree}); c=$(git commit-tree -p main -m more "$t")'
    )
    remote.hook("post-receive", f"{person}; git update-ref refs/heads/main $c; kill -9 $PPID")
    commit = await publish(remote.repository(), fleet("a"))
    assert commit is not None
    assert git(remote.path, "rev-parse", "main~1") == commit.id
    assert remote.count() == 2


async def test_remote_that_is_not_there_fails_with_advice(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "state", str(tmp_path / "nothing.git"), "main")
    with pytest.raises(RemoteFailed, match=r"nothing\.git") as caught:
        await publish(repository, fleet("a"))
    assert "git ls-remote" in caught.value.hint


async def test_remote_that_appears_later_is_asked_for_its_object_format_then(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "state", str(tmp_path / "r.git"), "main")
    with pytest.raises(RemoteFailed):
        await repository.fetch()
    remote = Remote.made(tmp_path / "r.git", "sha256")
    await publish(repository, fleet("a"))
    assert remote.files() == fleet("a")


async def test_credentials_in_the_address_are_not_shown(tmp_path: Path) -> None:
    url = f"http://robot:s3cret@127.0.0.1:{free_port()}/fleet.git"
    with pytest.raises(RemoteFailed, match=r"http://127\.0\.0\.1") as caught:
        await Repository(tmp_path / "state", url, "main").fetch()
    for shown in (caught.value.message, caught.value.hint):
        assert "s3cret" not in shown
        assert "robot" not in shown


async def test_transport_that_runs_commands_is_not_allowed(tmp_path: Path) -> None:
    url = f"ext::sh -c touch% {tmp_path}/made"
    with pytest.raises(RemoteFailed, match="not allowed"):
        await Repository(tmp_path / "state", url, "main").fetch()
    assert not (tmp_path / "made").exists()


async def test_remote_that_vanished_leaves_the_cache_usable(remote: Remote) -> None:
    repository = remote.repository()
    await publish(repository, fleet("a"))
    away = remote.path.rename(remote.path.with_name("away.git"))
    with pytest.raises(RemoteFailed):
        await publish(repository, fleet("a"))
    assert len(await repository.history.log()) == 1
    away.rename(remote.path)
    assert await publish(repository, fleet("a")) is None


@pytest.fixture
def served(remote: Remote) -> Iterator[str]:
    """The remote behind a git daemon, as a URL."""
    port = free_port()
    base = remote.path.parent
    args = ["--export-all", "--enable=receive-pack", f"--base-path={base}", "--listen=127.0.0.1", f"--port={port}"]
    daemon = subprocess.Popen([f"{git(base, '--exec-path')}/git-daemon", *args, "--reuseaddr", str(base)])
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.02)
    yield f"git://127.0.0.1:{port}/{remote.path.name}"
    daemon.terminate()
    daemon.wait()


async def test_publish_over_the_network(remote: Remote, served: str, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "state", served, "main")
    await publish(repository, fleet("a"))
    remote.commit({"by-hand": b""})
    await publish(repository, fleet("a", "b"))
    assert remote.files() == {**fleet("a", "b"), "by-hand": b""}
    assert await publish(repository, fleet("a", "b")) is None


async def test_push_refused_over_the_network_is_quoted(remote: Remote, served: str, tmp_path: Path) -> None:
    remote.hook("update", "echo 'branch is protected' >&2; exit 1")
    with pytest.raises(RemoteFailed, match="branch is protected"):
        await publish(Repository(tmp_path / "state", served, "main"), fleet("a"))


@pytest.mark.parametrize("damage", ["HEAD", "objects", "refs", "config", "packs", "garbage"])
async def test_broken_cache_is_made_anew(remote: Remote, damage: str) -> None:
    remote.commit({"by-hand": b""})
    repository = remote.repository()
    await publish(repository, fleet("a"))
    cache = remote.path.parent / "state" / "repository.git"
    if damage in {"HEAD", "config"}:
        (cache / damage).write_bytes(b"\0[[garbage")
    elif damage == "garbage":
        for path in (path for path in (cache / "objects").rglob("*") if path.is_file()):
            path.chmod(0o644)
            path.write_bytes(b"garbage")
    else:
        shutil.rmtree(cache / {"packs": "objects/pack"}.get(damage, damage))
    for again in (repository, remote.repository()):
        assert await publish(again, fleet("a")) is None
    await publish(repository, fleet("a", "b"))
    assert remote.files() == {**fleet("a", "b"), "by-hand": b""}
    assert len(await repository.history.log()) == 3
    git(cache, "fsck", "--strict")


async def test_cache_removed_under_way_is_made_anew(remote: Remote) -> None:
    repository = remote.repository()
    await publish(repository, fleet("a"))
    shutil.rmtree(remote.path.parent / "state" / "repository.git")
    assert len(await repository.history.log()) == 1
    shutil.rmtree(remote.path.parent / "state" / "repository.git")
    assert await publish(repository, fleet("a")) is None
