"""Where inputs and output live: two repositories, two branches, two folders of one branch; and what is refused."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import SPOKES, World, git

HERE = "teams/anomaly"
"""Folder of the inputs in a repository that holds other things too."""


class Home:
    """A repository of people with a fleet's inputs in a folder of it, checked out."""

    def __init__(self, world: World, name: str = "inputs.git") -> None:
        self.world = world
        self.bare = world.home / name
        if not self.bare.exists():
            git(world.home, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        self.clone = world.home / "checkout"
        git(world.home, "clone", "--quiet", str(self.bare), str(self.clone))
        folder = self.clone / HERE
        folder.mkdir(parents=True)
        for path in ("values-hub.yaml", "clusters"):
            move = shutil.copytree if (world.fleet / path).is_dir() else shutil.copy2
            move(world.fleet / path, folder / path)
        (self.clone / ".gitignore").write_text(".hubctl/\n")
        (self.clone / "README.md").write_text("ours\n")
        (folder / "rendered-notes.txt").write_text("ours\n")
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "-m", "Describe the fleet")
        git(self.clone, "push", "--quiet", "origin", "HEAD:main")
        shutil.rmtree(world.fleet)
        world.fleet.symlink_to(folder)

    def publish(self, *arguments: str, expect: int = 0) -> Any:
        return self.world.inside("publish", "-o", "json", *arguments, expect=expect)

    def paths(self, branch: str = "main", bare: Path | None = None) -> set[str]:
        return set(git(bare or self.bare, "ls-tree", "-r", "--name-only", branch).splitlines())


def at_home(world: World, **gitops: Any) -> Home:
    """The fleet's inputs committed with these keys of ``hubctl.gitops``."""
    world.edit_values(lambda hubctl: hubctl["gitops"].update(gitops))
    return Home(world)


def test_inputs_and_output_in_two_repositories(fresh: World) -> None:
    clone = fresh.clone("others")
    fresh.commit(clone, "apps/rendered.txt", "another team's\n")
    fresh.commit(clone, "apps/kserve/README.md", "another team's\n")
    home = at_home(fresh, remote=str(fresh.remote), path="apps/kserve/rendered", overrides="apps/kserve/overrides")
    inputs = git(home.bare, "rev-parse", "main")
    made = home.publish().json
    assert made["commit"] == fresh.tip()
    touched = fresh.touched(made["commit"])
    assert touched
    assert all(path.startswith("apps/kserve/rendered/") for path in touched)
    assert {"apps/rendered.txt", "apps/kserve/README.md"} <= set(fresh.files())
    assert "path: 'apps/kserve/rendered/spokes/*/delivery.yaml'" in fresh.file(
        "apps/kserve/rendered/hub/applicationset-openshift.yaml"
    ).replace('"', "'")
    assert git(home.bare, "rev-parse", "main") == inputs
    assert fresh.inside("diff", "-o", "json", expect=0).json["files"]["changed"] == []


def test_output_on_another_branch_of_the_inputs_repository(fresh: World) -> None:
    home = at_home(fresh, remote=str(fresh.home / "inputs.git"), branch="delivered", path="clusters")
    before = git(home.bare, "rev-parse", "main")
    made = home.publish().json
    assert made["commit"] == git(home.bare, "rev-parse", "delivered")
    assert git(home.bare, "rev-parse", "main") == before
    assert {path.split("/")[0] for path in home.paths("delivered")} == {"clusters"}
    assert home.publish().json["commit"] == ""


def test_output_in_a_folder_beside_the_inputs_on_their_own_branch(fresh: World) -> None:
    home = at_home(fresh, remote=str(fresh.home / "inputs.git"), path=f"{HERE}/rendered", overrides=f"{HERE}/overrides")
    before = home.paths()
    made = home.publish().json
    added = home.paths() - before
    assert before < home.paths()
    assert all(path.startswith(f"{HERE}/rendered/") for path in added)
    git(home.clone, "pull", "--quiet", "--ff-only")
    assert (home.clone / HERE / "rendered/spokes" / SPOKES[0] / "delivery.yaml").is_file()
    assert git(home.clone, "rev-parse", "HEAD") == made["commit"]
    assert home.publish().json["commit"] == ""
    (home.clone / HERE / "clusters" / f"{SPOKES[0]}.yaml").unlink()
    assert home.publish("--allow-removing", "1").json["spokes"]["removed"] == [SPOKES[0]]


@pytest.mark.parametrize(
    ("key", "folder"),
    [
        ("path", f"{HERE}/clusters"),
        ("path", f"{HERE}/clusters/rendered"),
        ("path", f"{HERE}/templates"),
        ("path", HERE),
        ("path", "teams"),
        ("path", f"{HERE}/values-hub.yaml"),
        ("overrides", f"{HERE}/clusters"),
    ],
)
def test_output_is_never_written_over_the_inputs_of_its_branch(fresh: World, key: str, folder: str) -> None:
    home = at_home(fresh, remote=str(fresh.home / "inputs.git"), **{key: folder})
    before = git(home.bare, "rev-parse", "main")
    for command in (("publish",), ("publish", "--dry-run")):
        said = fresh.inside(*command, expect=4).err
        assert f"{HERE}/values-hub.yaml" in said
        assert f"hint: set hubctl.gitops.{key} to a folder of its own" in said
    assert git(home.bare, "rev-parse", "main") == before


def test_inputs_of_another_fleet_on_the_branch_are_as_safe(fresh: World) -> None:
    clone = fresh.clone("others")
    fresh.commit(clone, "theirs/values-hub.yaml", "hubctl: {}\n")
    at_home(fresh, remote=str(fresh.remote), path="theirs")
    assert "theirs/values-hub.yaml" in fresh.inside("publish", expect=4).err
    assert fresh.file("theirs/values-hub.yaml") == "hubctl: {}"


def test_remote_that_has_the_branch_checked_out_says_what_to_do(fresh: World) -> None:
    home = at_home(fresh, remote=str(fresh.home / "checkout"), path=f"{HERE}/rendered", overrides=f"{HERE}/overrides")
    before = git(home.clone, "rev-parse", "HEAD")
    said = fresh.inside("publish", expect=3).err
    assert "checked out" in said
    assert "hint: push to a bare repository, or set hubctl.gitops.branch" in said
    assert git(home.clone, "rev-parse", "HEAD") == before
