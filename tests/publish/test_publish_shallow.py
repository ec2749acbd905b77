"""What is fetched: a tip without its past, the past when somebody asks for it, by every way that leads to a remote."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from hubctl.errors import RemoteFailed
from hubctl.model.gitops import Credentials
from hubctl.publish.access import Access
from hubctl.publish.repository import Repository
from tests.publish import httpsgit, sshgit
from tests.publish.remotes import NOW, Remote, fleet, git, needs, publish

COMMITS = 60


@pytest.fixture
def old(tmp_path: Path) -> Remote:
    """A branch with a past: a spoke ``a`` that was published first, and many commits of others after it."""
    remote = Remote.made(tmp_path / "remote.git")
    stream = []
    for number in range(COMMITS):
        when = int(NOW.timestamp()) + number
        stream.append(
            f"commit refs/heads/main\ncommitter P <p@example.com> {when} +0000\ndata <<.\nBy hand {number}\n.\n"
        )
        files = fleet("a") if number == 0 else {"noise": f"{number}\n".encode() * 2_000}
        for path, data in files.items():
            stream.append(f"M 100644 inline {path}\ndata {len(data)}\n{data.decode()}\n")
    git(remote.path, "fast-import", "--quiet", "--done", stdin="".join([*stream, "done\n"]).encode())
    return remote


def state(remote: Remote) -> Path:
    return remote.path.parent / "state" / "repository.git"


def commits(remote: Remote) -> int:
    """How many the cache holds."""
    listed = git(state(remote), "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)", "--unordered")
    return listed.split().count("commit")


def blobs(remote: Remote) -> int:
    listed = git(state(remote), "cat-file", "--batch-all-objects", "--batch-check=%(objecttype)", "--unordered")
    return listed.split().count("blob")


@pytest.fixture(params=["path", "file", "https", "ssh"])
def way(request: pytest.FixtureRequest, old: Remote, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    """The same remote, reached in another way; as on most forges, it takes filters."""
    git(old.path, "config", "uploadpack.allowFilter", "true")
    folder = old.path.parent
    if request.param in ("path", "file"):
        url = str(old.path) if request.param == "path" else f"file://{old.path}"
        yield Repository(folder / "state", url, "main")
        return
    if request.param == "https":
        git(old.path, "config", "http.receivepack", "true")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(folder / "ca.pem"))
        with httpsgit.serving(folder, authority) as server:
            (folder / "token").write_text(server.password)
            (folder / "user").write_text(server.user)
            named = {"ca_file": "ca.pem", "username_file": "user", "password_file": "token"}
            access = Access(Credentials.model_validate(named), folder)
            yield Repository(folder / "state", server.url(), "main", access=access)
        return
    needs(sshgit.program() or "sshd", sshgit.MISSING)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with sshgit.serving(folder / "ssh", port) as ssh:
        named = {"ssh_key_file": "ssh/key", "known_hosts_file": "ssh/known"}
        access = Access(Credentials.model_validate(named), folder)
        yield Repository(folder / "state", ssh.url(old.path), "main", access=access)


async def test_publish_fetches_the_tip_and_history_comes_when_it_is_asked_for(way: Repository, old: Remote) -> None:
    made = await publish(way, fleet("a", "b"))
    assert made is not None
    assert commits(old) == 2
    assert old.files().keys() == {*fleet("a", "b"), "noise"}
    before = blobs(old)
    [newest, first] = await way.history.log(["rendered"], 5)
    assert (newest.commit, first.subject) == (made.id, "By hand 0")
    assert (commits(old), blobs(old)) == (COMMITS + 1, before)
    assert await publish(way, fleet("a", "b")) is None
    git(old.path, "fsck", "--strict")


async def test_edge_of_what_was_fetched_is_not_taken_for_the_commit_that_added_all(old: Remote) -> None:
    repository = old.repository()
    made = await publish(repository, fleet("a", "b"))
    assert made is not None
    assert [one.commit for one in await repository.history.log(["rendered"], 1)] == [made.id]
    assert commits(old) == 2
    assert [one.commit for one in await repository.history.log(["rendered"], 2, ask=False)] == [made.id]
    assert [one.subject for one in await repository.history.log(["rendered/spokes/a"], 2)] == ["By hand 0"]


async def test_trailer_of_a_commit_before_the_tip_is_found(old: Remote) -> None:
    old.commit({}, "Act\n\nHubctl-Action-Id: rem-1")
    old.commit({"later": b""})
    repository = old.repository()
    await repository.fetch()
    assert commits(old) == 1
    assert await repository.history.find("Hubctl-Action-Id", "rem-1") == git(old.path, "rev-parse", "main~")
    assert await repository.history.find("Hubctl-Action-Id", "rem-2") == ""


async def test_what_came_after_the_first_fetch_is_complete(old: Remote) -> None:
    repository = old.repository()
    await repository.fetch()
    for number in range(3):
        old.commit({"later": str(number).encode()})
    await repository.fetch()
    assert commits(old) == 4


async def test_file_that_a_revert_brings_back_is_fetched_alone(old: Remote) -> None:
    git(old.path, "config", "uploadpack.allowFilter", "true")
    repository = Repository(old.path.parent / "state", f"file://{old.path}", "main")
    await publish(repository, fleet("a", text="a: 2\n"))
    await repository.history.log(limit=1_000)
    old.commit({path: data for path, data in fleet("a").items() if path.endswith("storage.yaml")})
    tip = await repository.fetch()
    path = "rendered/spokes/a/storage.yaml"
    assert await repository.read(tip, [path]) == {path: fleet("a")[path]}


async def test_large_files_of_others_are_left_where_they_are(old: Remote) -> None:
    git(old.path, "config", "uploadpack.allowFilter", "true")
    large = b"x\n" * 2_000_000
    old.commit({"large": large})
    repository = Repository(old.path.parent / "state", f"file://{old.path}", "main")
    await publish(repository, fleet("a", "b"))
    held = git(state(old), "cat-file", "--batch-all-objects", "--batch-check=%(objectsize)", "--unordered")
    assert max(map(int, held.split())) < len(large)
    assert old.files()["large"] == large
    assert await repository.read(await repository.fetch(), ["large"]) == {"large": large}


async def test_remote_that_is_gone_leaves_what_was_fetched(old: Remote) -> None:
    repository = old.repository()
    made = await publish(repository, fleet("a", "b"))
    assert made is not None
    shutil.move(old.path, old.path.with_suffix(".gone"))
    assert (await repository.read(await repository.known(), ["rendered"])).keys() == fleet("a", "b").keys()
    with pytest.raises(RemoteFailed):
        await repository.history.find("Hubctl-Action-Id", "rem-1")
    assert [one.commit for one in await repository.history.log(["rendered"], 5, ask=False)] == [made.id]


async def test_cache_of_an_earlier_hubctl_with_all_of_the_past_goes_on_being_used(old: Remote) -> None:
    repository = old.repository()
    await repository.fetch()
    shutil.rmtree(state(old))
    git(old.path.parent, "clone", "--quiet", "--bare", "--no-local", str(old.path), str(state(old)))
    git(state(old), "update-ref", "refs/hubctl/tip/main", "main")
    assert await publish(repository, fleet("a", "b")) is not None
    assert len(await repository.history.log(limit=1_000)) == COMMITS + 1


async def test_nothing_is_written_into_the_caches_configuration(way: Repository, old: Remote) -> None:
    await publish(way, fleet("a", "b"))
    await way.history.log(["rendered"], 5)
    listed = git(state(old), "config", "--local", "--list").lower()
    assert "remote." not in listed
    assert "partial" not in listed
