"""The configuration repository as folders: each commit whole, one of them in force."""

from pathlib import Path

import pytest

from hubctl.errors import InputError, RemoteFailed
from hubctl.publish import dry
from hubctl.publish.checkout import Checkouts
from hubctl.settings import ConfigRepository
from tests.publish.remotes import Remote, git

BIG = b"x" * 3_000_000


def checkouts(remote: Remote, **more: object) -> Checkouts:
    config = ConfigRepository(str(remote.path), **more)  # type: ignore[arg-type]
    return Checkouts(remote.path.parent / "state", config)


def tree(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".git"
    }


async def test_newest_commit_is_checked_out_beside_the_one_in_force(remote: Remote) -> None:
    first = remote.commit({"values-hub.yaml": b"a: 1\n", "features/big.json": BIG})
    followed = checkouts(remote)
    assert followed.current() is None
    held = await followed.take(await followed.newest())
    assert (held.commit, tree(held.folder)) == (first, {"values-hub.yaml": b"a: 1\n", "features/big.json": BIG})

    second = remote.commit({"values-hub.yaml": b"a: 2\n"})
    beside = await followed.newest()
    assert (beside.commit, beside.folder.joinpath("values-hub.yaml").read_bytes()) == (second, b"a: 2\n")
    assert held.folder.joinpath("values-hub.yaml").read_bytes() == b"a: 1\n"
    assert await followed.take(beside) == followed.current()
    assert held.folder.joinpath("values-hub.yaml").read_bytes() == b"a: 2\n"
    assert {path.stem for path in (remote.path.parent / "state/config/at").iterdir()} == {second}


async def test_only_the_named_folder_of_a_great_repository_is_checked_out(remote: Remote) -> None:
    remote.commit({"fleets/a/values-hub.yaml": b"a\n", "fleets/b/values-hub.yaml": b"b\n", "media/film": BIG})
    held = await (followed := checkouts(remote, path="fleets/b")).take(await followed.newest())
    assert tree(held.folder) == {"values-hub.yaml": b"b\n"}
    assert not (remote.path.parent / "state/config/at" / held.commit / "media").exists()
    with pytest.raises(InputError, match="holds nothing at fleets/c"):
        await checkouts(remote, path="fleets/c").newest()


async def test_checkout_stands_for_its_commit_to_the_byte(remote: Remote) -> None:
    sha = remote.commit({"fleet/values-hub.yaml": b"a\n", "fleet/clusters/a.yaml": b"a\n"}, "Say a")
    held = await (followed := checkouts(remote, path="fleet")).take(await followed.newest())
    found = dry.read(held.folder, "overrides")
    assert (found.sha, found.prefix, found.subject) == (sha, "fleet/", "Say a")
    (held.folder / "clusters/b.yaml").write_text("b\n")
    with pytest.raises(InputError, match="the inputs differ from commit"):
        dry.read(held.folder, "overrides")


async def test_branch_that_was_forced_elsewhere_is_followed(remote: Remote) -> None:
    old = remote.commit({"values-hub.yaml": b"a: 1\n"})
    remote.commit({"values-hub.yaml": b"a: 2\n"})
    followed = checkouts(remote)
    await followed.take(await followed.newest())
    git(remote.path, "update-ref", "refs/heads/main", old)
    back = await followed.take(await followed.newest())
    assert (back.commit, tree(back.folder)) == (old, {"values-hub.yaml": b"a: 1\n"})
    assert dry.read(back.folder, "overrides").sha == old


async def test_remote_that_is_away_or_has_no_such_branch_is_told_and_what_is_in_force_stays(remote: Remote) -> None:
    remote.commit({"values-hub.yaml": b"a: 1\n"})
    followed = checkouts(remote)
    held = await followed.take(await followed.newest())
    remote.path.rename(remote.path.with_suffix(".away"))
    with pytest.raises(RemoteFailed):
        await followed.newest()
    assert (followed.current(), tree(held.folder)) == (held, {"values-hub.yaml": b"a: 1\n"})
    remote.path.with_suffix(".away").rename(remote.path)
    assert (await followed.newest()).commit == held.commit
    with pytest.raises(RemoteFailed, match="has no branch nowhere"):
        await checkouts(remote, branch="nowhere").newest()


async def test_half_a_checkout_and_a_lost_cache_are_made_anew(remote: Remote) -> None:
    sha = remote.commit({"values-hub.yaml": b"a: 1\n", "clusters/a.yaml": b"a\n"})
    home = remote.path.parent / "state/config"
    half = home / "at" / sha
    half.mkdir(parents=True)
    (half / "values-hub.yaml").write_text("half")
    followed = checkouts(remote)
    whole = {"values-hub.yaml": b"a: 1\n", "clusters/a.yaml": b"a\n"}
    assert tree((await followed.take(await followed.newest())).folder) == whole
    (home / "repository.git/HEAD").write_text("nonsense")
    again = checkouts(remote)
    assert tree((await again.take(await again.newest())).folder) == whole
    assert dry.read(again.folder, "overrides").sha == sha


@pytest.mark.parametrize("path", ["/etc", "a/../../b"])
async def test_folder_outside_of_the_repository_is_refused(remote: Remote, path: str) -> None:
    with pytest.raises(InputError, match="the path of the inputs"):
        checkouts(remote, path=path)


async def test_credentials_that_do_not_go_together_are_refused_by_their_variables(remote: Remote) -> None:
    with pytest.raises(InputError, match="HUBCTL_CONFIG_"):
        checkouts(remote, files={"username_file": "user"})
