from pathlib import Path

import pytest

from hubctl.demo import remote
from hubctl.errors import RemoteFailed


@pytest.fixture
async def bare(tmp_path: Path) -> Path:
    return await remote.make_remote(tmp_path / "fleet remote.git", "trunk")


@pytest.fixture
async def clone(bare: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "clone"
    (folder / "clusters").mkdir(parents=True)
    (folder / "clusters" / "a.yaml").write_bytes(b"name: a\n")
    (folder / ".gitignore").write_text("features/\n")
    await remote.push_inputs(folder, bare, "trunk")
    return folder


async def test_remote_without_a_commit_has_no_tip(bare: Path) -> None:
    assert await remote.tip(bare, "trunk") == ""


@pytest.mark.usefixtures("clone")
async def test_pushed_inputs_are_the_tip(bare: Path) -> None:
    tip = await remote.tip(bare, "trunk")
    assert await remote.read_folder(bare, tip, "clusters") == {"a.yaml": b"name: a\n"}
    assert await remote.read_folder(bare, tip, "rendered/spokes") == {}


async def test_change_is_pushed_on_top_of_what_another_clone_pushed(bare: Path, clone: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    await remote.run(tmp_path, "clone", "--quiet", str(bare), str(other))
    (other / "rendered").mkdir()
    (other / "rendered" / "b.yaml").write_bytes(b"b: 1\n")
    await remote.push_change(other, "Render")
    (clone / "clusters" / "a.yaml").write_bytes(b"name: b\n")
    commit = await remote.push_change(clone, "Rename")
    assert commit == await remote.tip(bare, "trunk")
    assert await remote.read_folder(bare, commit, "rendered") == {"b.yaml": b"b: 1\n"}
    assert await remote.read_folder(bare, commit, "clusters") == {"a.yaml": b"name: b\n"}


async def test_nothing_to_push_is_an_error_that_says_so(clone: Path) -> None:
    with pytest.raises(RemoteFailed, match="nothing to commit"):
        await remote.push_change(clone, "Nothing")


async def test_folder_that_is_no_repository_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(RemoteFailed, match="not a git repository") as caught:
        await remote.tip(tmp_path, "main")
    assert caught.value.where == str(tmp_path)
