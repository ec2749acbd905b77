"""Publishing onto a branch that nobody else writes to."""

import os
import tempfile
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubctl.errors import GuardRefused, InputError, RemoteFailed
from hubctl.model import tree
from hubctl.publish import branch
from hubctl.publish.repository import Repository
from tests.publish.remotes import NOW, OPTIONS, Remote, fleet, git, publish, wanted


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
async def test_first_publish_makes_the_branch_and_the_second_changes_it(tmp_path: Path, object_format: str) -> None:
    remote = Remote.made(tmp_path / object_format, object_format)
    first = await publish(remote.repository(), fleet("a", "b"))
    assert first is not None
    assert (first.parent, first.id) == ("", remote.tip())
    second = await publish(remote.repository(), fleet("a", "b", text="a: 2\n"))
    assert second is not None
    assert (second.parent, second.id) == (first.id, remote.tip())
    assert second.changes.spokes.changed == ("a", "b")
    assert remote.files() == fleet("a", "b", text="a: 2\n")
    git(remote.path, "fsck", "--strict")


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
async def test_no_change_makes_no_commit_and_sends_no_object(tmp_path: Path, object_format: str) -> None:
    remote = Remote.made(tmp_path / object_format, object_format)
    first = await publish(remote.repository(), fleet("a"))
    objects = remote.object_count()
    assert await publish(remote.repository(), fleet("a")) is None
    assert await publish(remote.repository("another-state"), fleet("a")) is None
    assert first is not None
    assert (remote.tip(), remote.object_count()) == (first.id, objects)


async def test_other_peoples_files_keep_their_bytes_and_modes(remote: Remote, tmp_path: Path) -> None:
    clone = tmp_path / "person"
    git(tmp_path, "clone", "--quiet", str(remote.path), str(clone))
    (clone / "run.sh").write_bytes(b"#!/bin/sh\r\n\xff")
    (clone / "run.sh").chmod(0o755)
    (clone / "link").symlink_to("run.sh")
    (clone / "rendered-notes").write_text("mine")
    git(clone, "add", "-A")
    git(clone, "commit", "--quiet", "-m", "By hand")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    before = remote.entries()
    await publish(remote.repository(), fleet("a"))
    assert {path: entry for path, entry in remote.entries().items() if path in before} == before
    assert before["run.sh"] == ("100755", b"#!/bin/sh\r\n\xff")
    assert before["link"] == ("120000", b"run.sh")


async def test_executables_links_and_strangers_in_our_folder_become_what_is_wanted(
    remote: Remote, tmp_path: Path
) -> None:
    await publish(remote.repository(), fleet("a"))
    clone = tmp_path / "person"
    git(tmp_path, "clone", "--quiet", str(remote.path), str(clone))
    spoke = clone / "rendered/spokes/a"
    (spoke / "model.yaml").chmod(0o755)
    (spoke / "storage.yaml").unlink()
    (spoke / "storage.yaml").symlink_to("model.yaml")
    (spoke / "by-hand.yaml").write_text("x")
    git(clone, "add", "-A")
    git(clone, "commit", "--quiet", "-m", "By hand")
    git(clone, "push", "--quiet", "origin", "HEAD:main")
    await publish(remote.repository(), fleet("a"))
    assert remote.entries() == {path: ("100644", data) for path, data in fleet("a").items()}


async def test_file_and_folder_change_places(remote: Remote) -> None:
    for files in ({"rendered/x": b"1", "rendered/y/z": b"2"}, {"rendered/x/w": b"3", "rendered/y": b"4"}):
        await publish(remote.repository(), files)
        assert remote.files() == files


async def test_removed_spoke_is_pruned(remote: Remote) -> None:
    await publish(remote.repository(), fleet("a", "b"))
    commit = await publish(remote.repository(), fleet("a"))
    assert commit is not None
    assert commit.changes.spokes.removed == ("b",)
    assert remote.files() == fleet("a")


async def test_brake_stops_before_anything_is_written(remote: Remote) -> None:
    await publish(remote.repository(), fleet("a", "b", "c"))
    tip, objects = remote.tip(), remote.object_count()
    with pytest.raises(GuardRefused, match="a, b"):
        await publish(remote.repository(), fleet("c"))
    assert (remote.tip(), remote.object_count()) == (tip, objects)


async def test_confirmed_removal_of_every_spoke_passes(remote: Remote) -> None:
    await publish(remote.repository(), fleet("a", "b"))
    await publish(remote.repository(), fleet(), replace(OPTIONS, confirmed=2))
    assert remote.files() == fleet()


async def test_dry_run_says_what_would_change_and_changes_nothing(remote: Remote) -> None:
    await publish(remote.repository(), fleet("a"))
    tip = remote.tip()
    commit = await publish(remote.repository(), fleet("a", "b"), replace(OPTIONS, dry_run=True))
    assert commit is not None
    assert (commit.id, commit.parent, commit.changes.spokes.added) == ("", tip, ("b",))
    assert remote.tip() == tip


async def test_pending_gives_the_bytes_that_stand_where_it_would_write(remote: Remote) -> None:
    await publish(remote.repository(), fleet("a", "b"))
    after = {**fleet("a", "c"), "rendered/hub/set.yaml": b"new"}
    found, old = await branch.pending(remote.repository(), lambda _: wanted(after), OPTIONS)
    assert found.added == ("rendered/spokes/c/model.yaml", "rendered/spokes/c/storage.yaml")
    assert old == {path: fleet("a", "b")[path] for path in (*found.changed, *found.removed)}
    assert len(old) == 3


async def test_overrides_at_the_tip_reach_the_rendering(remote: Remote) -> None:
    files: dict[str, bytes | None] = {"overrides/b.yaml": b"b", "overrides/README.md": b"", "overrides/x/c.yaml": b""}
    tip = remote.commit({**files, "overrides/a.yaml": b"a"})
    found = await branch.published(remote.repository(), "overrides")
    assert found == tree.Published(tip, {"a.yaml": b"a", "b.yaml": b"b"})


async def test_what_was_fetched_last_is_remembered_without_the_remote(remote: Remote) -> None:
    tip = remote.commit({"overrides/a.yaml": b"a"})
    repository = remote.repository()
    assert await branch.remembered(repository, "overrides") == tree.Published()
    await repository.fetch()
    remote.path.rename(remote.path.with_name("away.git"))
    for each in (repository, remote.repository()):
        assert await branch.remembered(each, "overrides") == tree.Published(tip, {"a.yaml": b"a"})


async def test_broken_cache_is_not_taken_for_an_empty_branch(remote: Remote) -> None:
    remote.commit({"overrides/a.yaml": b"a"})
    repository = remote.repository()
    await repository.fetch()
    remote.path.rename(remote.path.with_name("away.git"))
    (remote.path.parent / "state" / "repository.git" / "HEAD").write_bytes(b"garbage")
    with pytest.raises(RemoteFailed):
        await branch.remembered(repository, "overrides")


async def test_override_and_tree_land_in_one_commit(remote: Remote) -> None:
    remote.commit({"overrides/a.yaml": b"old", "overrides/README.md": b"mine"})
    files = {**fleet("a"), "overrides/a.yaml": b"new"}
    await publish(remote.repository(), files)
    assert remote.files() == {**files, "overrides/README.md": b"mine"}
    assert remote.count() == 2


async def test_branch_that_does_not_exist_is_empty_not_an_error(remote: Remote) -> None:
    assert await branch.published(remote.repository(), "overrides") == tree.Published()
    remote.commit({"a": b""})
    assert (await branch.published(Repository(remote.path.parent / "s", str(remote.path), "other"), "o")).commit == ""


async def test_commit_is_a_function_of_content_author_and_now(tmp_path: Path) -> None:
    made = [await publish(Remote.made(tmp_path / name / "r.git").repository(), fleet("a")) for name in ("x", "y")]
    assert made[0] == made[1]


def _always(plan: tree.Wanted, _: tree.Published) -> tree.Wanted:
    return plan


async def test_commit_found_by_its_exact_trailer(remote: Remote) -> None:
    repository = remote.repository()
    for number in (1, 2, 12):
        plan = wanted(fleet("a", text=f"{number}"), ("Hubctl-Action-Id", f"act-{number}"))
        await branch.publish(repository, partial(_always, plan), OPTIONS, now=NOW + timedelta(hours=number))
    newest = await repository.history.log(limit=1)
    assert await repository.history.find("Hubctl-Action-Id", "act-12") == newest[0].commit == remote.tip()
    assert await repository.history.find("Hubctl-Action-Id", "act-1") == git(remote.path, "rev-parse", "main~2")
    assert await repository.history.find("Hubctl-Action-Id", "act") == ""
    assert await repository.history.find("Hubctl-Action-Id", "act-3") == ""


async def test_trailer_quoted_in_a_body_is_not_found(remote: Remote) -> None:
    remote.commit({"a": b""}, "Talk\n\nHubctl-Action-Id: act-1\n\nwas a mistake, and this is the last paragraph")
    repository = remote.repository()
    await repository.fetch()
    assert await repository.history.find("Hubctl-Action-Id", "act-1") == ""


async def test_log_tells_of_the_commits_that_touch_a_spoke(remote: Remote) -> None:
    repository = remote.repository()
    await publish(repository, fleet("a"))
    await publish(repository, fleet("a", "b"))
    records = await repository.history.log(["rendered/spokes/a"])
    assert [(record.subject, record.date) for record in records] == [("Publish the fleet", NOW)]
    assert records[0].trailers == (("Hubctl-Version", "1.2.3"),)
    assert records[0].author == "hubctl <hubctl@localhost>"
    assert len(await repository.history.log()) == 2


async def test_each_commit_says_what_it_did_to_a_spokes_files(remote: Remote) -> None:
    repository = remote.repository()
    await publish(repository, fleet("a", "b"))
    first = remote.tip()
    await publish(repository, {**fleet("a", "b"), "rendered/spokes/a/model.yaml": b"new"})
    gone = {path: data for path, data in fleet("a", "b").items() if path != "rendered/spokes/a/model.yaml"}
    await publish(repository, gone)
    commits = [record.commit for record in await repository.history.log(["rendered/spokes/a"])]
    found = await repository.history.touched(commits, "rendered/spokes/a")
    model, storage = "rendered/spokes/a/model.yaml", "rendered/spokes/a/storage.yaml"
    assert [found[commit] for commit in commits] == [{model: "removed"}, {model: "changed"}, found[first]]
    assert found[first] == {model: "added", storage: "added"}


async def test_merge_that_settles_a_file_itself_is_told_as_a_change_of_it(remote: Remote) -> None:
    texts = (b"1", b"2", b"3", b"4")
    first, ours, theirs, settled = [remote.commit({"rendered/spokes/a/x": text}) for text in texts]
    side = git(remote.path, "commit-tree", f"{theirs}^{{tree}}", "-p", first, "-m", "side")
    merge = git(remote.path, "commit-tree", f"{settled}^{{tree}}", "-p", ours, "-p", side, "-m", "merge")
    git(remote.path, "update-ref", "refs/heads/main", merge)
    repository = remote.repository()
    await repository.fetch()
    commits = [record.commit for record in await repository.history.log(["rendered/spokes/a"])]
    assert set(commits) == {merge, ours, side, first}
    found = await repository.history.touched(commits, "rendered/spokes/a")
    assert found[merge] == found[side] == {"rendered/spokes/a/x": "changed"}
    assert await repository.history.touched([], "rendered/spokes/a") == {}


async def test_state_folder_with_another_remotes_cache_is_no_obstacle(tmp_path: Path) -> None:
    for object_format in ("sha1", "sha256"):
        remote = Remote.made(tmp_path / object_format, object_format)
        await publish(remote.repository(f"seed-{object_format}"), fleet("a"))
        await publish(remote.repository("shared"), fleet("a", "b"))
        assert remote.files() == fleet("a", "b")


async def test_hooks_and_settings_of_a_person_are_not_for_our_pushes(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("pre-push", "reference-transaction"):
        # The server on this machine reads the same settings; only our side is to stay free of them.
        (hooks / name).write_text('#!/bin/sh\ncase "$PWD" in *repository.git) exit 1;; esac\n')
        (hooks / name).chmod(0o755)
    settings = tmp_path / "gitconfig"
    sections = (
        f"[core]\nhooksPath = {hooks}",
        "[safe]\nbareRepository = explicit",
        "[push]\ngpgSign = true\nfollowTags = true",
        "[log]\nshowSignature = true\n",
    )
    settings.write_text("\n".join(sections))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    repository = remote.repository()
    assert await publish(repository, fleet("a")) is not None
    assert len(await repository.history.log()) == 1
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("name", ["a..b", "a/", "/a", "-x", "a/.b", "a.lock"])
def test_name_that_is_no_branch_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="no branch name"):
        Repository(tmp_path, "x", name)


NAMES = st.text(st.sampled_from("ab é\"\\\n\t'*:"), min_size=1, max_size=4)
PATHS = st.builds("/".join, st.lists(NAMES, min_size=1, max_size=3))


def _no_file_is_a_folder(paths: frozenset[str]) -> bool:
    return not any(other.startswith(f"{path}/") for path in paths for other in paths)


TREES = st.dictionaries(PATHS, st.binary(max_size=40), max_size=5).filter(
    lambda files: _no_file_is_a_folder(frozenset(files))
)


@settings(max_examples=8, deadline=None)
@given(st.lists(TREES, min_size=2, max_size=2), TREES)
async def test_clone_holds_what_is_wanted_and_the_untouched_rest(
    trees: list[dict[str, bytes]], rest: dict[str, bytes]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        remote = Remote.made(Path(folder) / "r.git")
        theirs = {f"by-hand/{path}": data for path, data in rest.items()}
        remote.commit({"by-hand.txt": b"", **theirs})
        for files in trees:
            ours = {f"rendered/{path}": data for path, data in files.items()}
            await publish(remote.repository(), ours)
            clone = Path(folder) / "clone" / os.urandom(4).hex()
            git(Path(folder), "clone", "--quiet", str(remote.path), str(clone))
            found = {path for path in clone.rglob("*") if path.is_file() and ".git" not in path.parts}
            read = {str(path.relative_to(clone)): path.read_bytes() for path in found}
            assert read == {"by-hand.txt": b"", **theirs, **ours}
