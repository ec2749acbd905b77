"""Mode hydrated: a checkout of the inputs, the proposed branch, its metadata and notes, and a promoter's merges."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import MODEL, OTHER, SPOKES, World, git
from tests.effort import times

ACTIVE, NEXT = "environment/production", "environment/production-next"
NOTED = times(6, 12)
NOTES = "refs/notes/hydrator.metadata"


class Hydrator:
    """A world whose inputs are a checkout, and what a promoter sees of its output."""

    def __init__(self, world: World, **publishing: Any) -> None:
        self.world = world
        (world.fleet / ".gitignore").write_text(".hubctl/\nfeatures/\ntoken\n")
        git(world.fleet, "init", "--quiet", "--initial-branch=main")
        git(world.fleet, "remote", "add", "origin", "https://someone:secret@git.example.com/inputs.git")

        def change(hubctl: dict[str, Any]) -> None:
            hubctl["gitops"]["branch"] = ACTIVE
            hubctl["gitops"]["publishing"] = {"mode": "hydrated", **publishing}
            hubctl["remediation"]["policies"] = [{"name": "tell", "on": "model-anomaly", "action": "notify"}]

        world.edit_values(change)
        self.sha = self.commit("Describe the fleet\n\nAll of it.")

    def commit(self, message: str) -> str:
        git(self.world.fleet, "add", "--all")
        git(self.world.fleet, "commit", "--quiet", "--allow-empty", "-m", message)
        self.sha = git(self.world.fleet, "rev-parse", "HEAD")
        return self.sha

    def publish(self, *arguments: str, expect: int = 0) -> Any:
        return self.world.inside("publish", "-o", "json", *arguments, expect=expect).json

    def refused(self, expect: int) -> str:
        return self.world.inside("publish", expect=expect).err

    def tip(self, branch: str = NEXT) -> str:
        return git(self.world.remote, "rev-parse", branch)

    def metadata(self, branch: str = NEXT, path: str = "hydrator.metadata") -> Any:
        return json.loads(git(self.world.remote, "show", f"{branch}:{path}"))

    def note(self, commit: str) -> Any:
        """What the promoter reads: the note on a commit, from a clone."""
        return json.loads(git(self.world.remote, "notes", f"--ref={NOTES}", "show", commit))

    def merge(self) -> str:
        """What the promoter's pull request does: a merge commit on the active branch; its id."""
        tree = git(self.world.remote, "rev-parse", f"{NEXT}^{{tree}}")
        parents = ("-p", self.tip(ACTIVE), "-p", self.tip())
        merged = git(self.world.remote, "commit-tree", tree, *parents, "-m", "Promote")
        git(self.world.remote, "update-ref", f"refs/heads/{ACTIVE}", merged)
        return merged


@pytest.fixture
def hydrator(fresh: World) -> Hydrator:
    return Hydrator(fresh)


def test_first_publish_makes_both_branches_the_metadata_and_the_note(hydrator: Hydrator) -> None:
    made = hydrator.publish()
    assert (made["branch"], made["drySha"], made["noted"]) == (NEXT, hydrator.sha, True)
    assert made["commit"] == hydrator.tip()
    assert git(hydrator.world.remote, "ls-tree", "-r", "--name-only", ACTIVE) == ""
    assert git(hydrator.world.remote, "merge-base", ACTIVE, NEXT) == hydrator.tip(ACTIVE)
    found = hydrator.metadata()
    assert found.pop("author") == git(hydrator.world.fleet, "show", "-s", "--format=%an <%ae>", "HEAD")
    assert found.pop("date") == git(hydrator.world.fleet, "show", "-s", "--format=%aI", "HEAD")
    assert found == {
        "repoURL": "https://git.example.com/inputs.git",
        "drySha": hydrator.sha,
        "subject": "Describe the fleet",
        "body": "All of it.",
    }
    assert hydrator.note(made["commit"]) == {"drySha": hydrator.sha}
    shown = git(hydrator.world.remote, "log", "-1", "--format=%s|%(trailers:key=Hubctl-Dry-Commit,valueonly)", NEXT)
    assert shown.strip() == f"{hydrator.sha[:7]}: Describe the fleet|{hydrator.sha}"


def test_commit_of_the_inputs_that_renders_the_same_gets_a_note_and_no_commit(hydrator: Hydrator) -> None:
    first = hydrator.publish()
    before = hydrator.sha
    (hydrator.world.fleet / "README.md").write_text("changes nothing\n")
    hydrator.commit("Say what this is")
    made = hydrator.publish()
    assert (made["commit"], made["noted"]) == ("", True)
    assert hydrator.tip() == first["commit"]
    assert hydrator.note(first["commit"]) == {"drySha": hydrator.sha}
    assert hydrator.metadata()["drySha"] == before


def test_same_commit_again_sends_nothing(hydrator: Hydrator) -> None:
    hydrator.publish()
    refs = git(hydrator.world.remote, "for-each-ref")
    made = hydrator.publish()
    assert (made["commit"], made["noted"]) == ("", False)
    assert git(hydrator.world.remote, "for-each-ref") == refs


def test_dry_run_says_what_would_be_and_writes_nothing(hydrator: Hydrator) -> None:
    made = hydrator.publish("--dry-run")
    assert (made["commit"], made["noted"], made["spokes"]["added"]) == ("", True, list(SPOKES))
    assert git(hydrator.world.remote, "for-each-ref") == ""


def test_change_is_proposed_and_reaches_the_active_branch_by_merge_only(hydrator: Hydrator) -> None:
    hydrator.publish()
    merged = hydrator.merge()
    hydrator.world.set_version("v2", "north")
    hydrator.commit("Try v2 in the north")
    made = hydrator.publish()
    assert made["spokes"]["changed"] == ["north"]
    assert hydrator.tip(ACTIVE) == merged
    assert hydrator.metadata()["drySha"] == hydrator.sha
    touched = set(git(hydrator.world.remote, "diff", "--name-only", f"{NEXT}~", NEXT).splitlines())
    assert "hydrator.metadata" in touched
    assert all(path.startswith(("rendered/spokes/north/", "hydrator.metadata")) for path in touched)


def test_promoters_own_merge_on_the_proposed_branch_is_built_upon(hydrator: Hydrator) -> None:
    hydrator.publish()
    merged = hydrator.merge()
    git(hydrator.world.remote, "update-ref", f"refs/heads/{NEXT}", merged)
    hydrator.world.set_version("v2", "north")
    hydrator.commit("Try v2 in the north")
    assert hydrator.publish()["spokes"]["changed"] == ["north"]
    assert git(hydrator.world.remote, "rev-parse", f"{NEXT}~") == merged


def test_proposed_branch_that_was_deleted_is_begun_again_from_the_active_one(hydrator: Hydrator) -> None:
    hydrator.publish()
    merged = hydrator.merge()
    git(hydrator.world.remote, "update-ref", "-d", f"refs/heads/{NEXT}")
    made = hydrator.publish()
    assert (made["commit"], hydrator.tip()) == ("", merged)
    assert hydrator.note(merged) == {"drySha": hydrator.sha}


@pytest.mark.parametrize(
    ("path", "text"),
    [("clusters/north.yaml", "# mine\n"), ("clusters/new.YML", "# new\n"), ("templates/spoke/x.yaml.j2", "[# none #]")],
)
def test_inputs_that_are_in_no_commit_are_refused(hydrator: Hydrator, path: str, text: str) -> None:
    file = hydrator.world.fleet / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text if text.startswith("[#") else hydrator.world.cluster_file("north").read_text() + text)
    said = hydrator.refused(2)
    assert path in said
    assert f"the inputs differ from commit {hydrator.sha[:12]}" in said
    assert git(hydrator.world.remote, "for-each-ref") == ""


def test_inputs_that_git_ignores_are_in_no_commit_either(hydrator: Hydrator) -> None:
    with (hydrator.world.fleet / ".gitignore").open("a") as file:
        file.write("clusters/east.yaml\n")
    git(hydrator.world.fleet, "rm", "--quiet", "--cached", "clusters/east.yaml")
    hydrator.commit("Hide a spoke")
    assert "clusters/east.yaml" in hydrator.refused(2)


def test_what_hubctl_does_not_render_from_may_differ(hydrator: Hydrator) -> None:
    (hydrator.world.fleet / "notes.txt").write_text("mine")
    (hydrator.world.fleet / "clusters" / ".north.yaml.swp").write_text("an editor's")
    assert hydrator.publish()["drySha"] == hydrator.sha


def test_folder_without_a_commit_says_what_to_do(fresh: World) -> None:
    fresh.edit_values(lambda hubctl: hubctl["gitops"].update(publishing={"mode": "hydrated"}))
    fresh.set_policies()
    said = fresh.inside("publish", expect=2).err
    assert "is no checkout of a Git commit" in said
    assert "hint: in mode hydrated the inputs have to be committed" in said


def test_older_commit_of_the_inputs_does_not_replace_a_newer_one(hydrator: Hydrator) -> None:
    older = hydrator.sha
    hydrator.world.set_version("v2", "north")
    hydrator.commit("Try v2 in the north")
    tip = hydrator.publish()["commit"]
    git(hydrator.world.fleet, "checkout", "--quiet", older)
    said = hydrator.refused(4)
    assert "newer than" in said
    assert "git pull" in said
    assert hydrator.tip() == tip


def test_branch_of_the_inputs_is_no_branch_to_promote_to(fresh: World) -> None:
    hydrator = Hydrator(fresh)
    git(fresh.fleet, "push", "--quiet", str(fresh.remote), f"HEAD:refs/heads/{ACTIVE}")
    said = hydrator.refused(4)
    assert "holds the inputs, values-hub.yaml" in said
    assert "hint: set hubctl.gitops.branch to a branch for the output alone" in said


def test_active_path_shares_a_branch_with_other_fleets(fresh: World) -> None:
    clone = fresh.clone("others")
    fresh.commit(clone, "app-b/hydrator.metadata", '{"drySha": "theirs"}')
    git(clone, "push", "--quiet", "origin", f"HEAD:refs/heads/{ACTIVE}")
    fresh.edit_values(lambda hubctl: hubctl["gitops"].update(path="app-a/rendered"))
    hydrator = Hydrator(fresh, hydrated={"activePath": "app-a", "repoURL": "https://git.example.com/other"})
    made = hydrator.publish()
    proposed = f"{NEXT}/app-a"
    assert (made["branch"], made["commit"]) == (proposed, hydrator.tip(proposed))
    found = hydrator.metadata(proposed, "app-a/hydrator.metadata")
    assert (found["drySha"], found["repoURL"]) == (hydrator.sha, "https://git.example.com/other")
    assert hydrator.metadata(proposed, "app-b/hydrator.metadata") == {"drySha": "theirs"}
    files = git(fresh.remote, "ls-tree", "-r", "--name-only", proposed).splitlines()
    assert {path.split("/")[0] for path in files} == {"app-a", "app-b"}


def test_reference_of_the_commit_is_told(hydrator: Hydrator) -> None:
    sha = "a" * 40
    hydrator.world.set_version("v2", "north")
    hydrator.commit(
        f"Bump\n\nArgocd-reference-commit-sha: {sha}\nArgocd-reference-commit-author: Jo <jo@example.com>\n"
        'Argocd-reference-commit-repourl: https://git.example.com/code\nArgocd-reference-commit-body: "a\\nb"\n'
        "Argocd-reference-commit-date: yesterday\n"
    )
    hydrator.publish()
    [reference] = hydrator.metadata()["references"]
    told = {"sha": sha, "repoURL": "https://git.example.com/code", "author": "Jo <jo@example.com>", "body": "a\nb"}
    assert reference == {"commit": told}


def test_notes_of_other_writers_are_kept_when_all_write_at_once(hydrator: Hydrator, tmp_path: Path) -> None:
    """Two environments of one repository are hydrated by two processes while a third writer notes things, too."""
    world = hydrator.world
    hydrator.publish()
    staging = tmp_path / "staging"
    git(tmp_path, "clone", "--quiet", str(world.fleet), str(staging))
    text = (staging / "values-hub.yaml").read_text().replace(ACTIVE, "environment/staging")
    (staging / "values-hub.yaml").write_text(text.replace("../remote.git", str(world.remote)))
    git(staging, "commit", "--quiet", "-am", "Staging")
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", str(world.remote), str(other), "--branch", NEXT)
    environment = world.environment()

    def hydrates(folder: Path) -> int:
        for round_ in range(times(2, 4)):
            git(folder, "commit", "--quiet", "--allow-empty", "-m", f"Round {round_}")
            command = [sys.executable, "-m", "hubctl", "-C", str(folder), "publish"]
            done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
            assert done.returncode == 0, done.stderr.decode()
        return 0

    def notes() -> int:
        written = 0
        while written < NOTED:
            subprocess.run(["git", "-C", str(other), "fetch", "-q", "origin", f"+{NOTES}:{NOTES}"], check=False)
            target = git(other, "commit-tree", "HEAD^{tree}", "-m", f"{written}")
            git(other, "notes", f"--ref={NOTES}", "add", "-f", "-m", '{"drySha": "x"}', target)
            pushed = subprocess.run(["git", "-C", str(other), "push", "-q", "origin", NOTES], check=False, stderr=-3)
            written += pushed.returncode == 0
        return written

    with ThreadPoolExecutor() as pool:
        jobs = [pool.submit(hydrates, world.fleet), pool.submit(hydrates, staging), pool.submit(notes)]
        assert [job.result() for job in jobs] == [0, 0, NOTED]
    for branch, folder in ((NEXT, world.fleet), ("environment/staging-next", staging)):
        assert hydrator.note(hydrator.tip(branch)) == {"drySha": git(folder, "rev-parse", "HEAD")}
    listed = git(world.remote, "notes", f"--ref={NOTES}", "list").splitlines()
    assert len(listed) == 2 + NOTED
    git(world.remote, "fsck", "--strict")


def test_refused_notes_are_an_error_that_names_them(hydrator: Hydrator) -> None:
    hydrator.world.hook("update", 'case "$1" in refs/notes/*) echo "no notes here" >&2; exit 1;; esac')
    said = hydrator.refused(3)
    assert NOTES in said
    assert "no notes here" in said
    (hydrator.world.remote / "hooks" / "update").unlink()
    assert hydrator.publish()["noted"] is True


def test_pass_observes_what_is_delivered_and_not_what_waits(hydrator: Hydrator) -> None:
    world = hydrator.world
    made = world.reconcile()
    assert (made["commit"], made["observations"]) == (hydrator.tip(), [])
    hydrator.merge()
    world.new_window()
    seen = {(one["cluster"], one["model"]): one["version"] for one in world.reconcile()["observations"]}
    assert seen == {(spoke, model): "v1" for spoke in SPOKES for model in (MODEL, OTHER)}
    world.set_version("v2", "north")
    hydrator.commit("Try v2 in the north")
    world.new_window()
    waiting = world.reconcile()["observations"]
    assert {one["version"] for one in waiting} == {"v1"}
    hydrator.merge()
    world.new_window()
    after = {(one["cluster"], one["model"]): one["version"] for one in world.reconcile()["observations"]}
    assert after["north", MODEL] == "v2"
    listed = world.inside("poll", "--cluster", "north", "-o", "json").json["observations"]
    assert {one["version"] for one in listed} == {"v1", "v2"}


def test_pass_without_the_remote_goes_by_what_was_delivered_last(hydrator: Hydrator) -> None:
    world = hydrator.world
    world.reconcile()
    hydrator.merge()
    world.reconcile()
    world.set_version("v2", "north")
    hydrator.commit("Try v2 in the north")
    world.remote.rename(world.remote.with_suffix(".gone"))
    world.new_window()
    seen = world.reconcile(expect=3)["observations"]
    assert {one["version"] for one in seen} == {"v1"}
    assert len(seen) == len(SPOKES) * 2


def test_pass_on_inputs_in_no_commit_fails_and_says_so(hydrator: Hydrator) -> None:
    hydrator.world.set_version("v2", "north")
    assert "the inputs differ" in hydrator.world.inside("reconcile", expect=2).err


def test_overrides_come_from_the_commit_of_the_inputs(hydrator: Hydrator) -> None:
    hydrator.publish()
    override = hydrator.world.fleet / "overrides" / "north.quarantine.yaml"
    override.parent.mkdir()
    override.write_text(
        "apiVersion: hubctl.io/v1alpha1\nkind: Override\nmetadata: {name: north.quarantine}\n"
        "spec: {cluster: north, quarantine: true}\n"
    )
    assert "overrides/north.quarantine.yaml" in hydrator.refused(2)
    hydrator.commit("Quarantine the north")
    hydrator.publish()
    files = git(hydrator.world.remote, "ls-tree", "-r", "--name-only", NEXT).splitlines()
    assert "rendered/spokes/north/delivery.yaml" not in files
    assert not any(path.startswith("overrides/") for path in files)


def test_policy_that_would_change_a_spoke_is_refused(hydrator: Hydrator) -> None:
    hydrator.world.set_policies({"name": "back", "on": "model-anomaly", "action": "rollback-model"})
    said = hydrator.world.inside("validate", expect=2).err
    assert "rollback-model needs publishing mode commit, found hydrated and policy 'back'" in said


def test_diff_doctor_and_why_read_the_proposed_branch(hydrator: Hydrator) -> None:
    world = hydrator.world
    hydrator.publish()
    assert world.inside("diff", "-o", "json", expect=0).json["files"]["added"] == []
    world.set_version("v2", "north")
    assert world.inside("diff", "-o", "json", expect=1).json["spokes"]["changed"] == ["north"]
    [commit] = world.inside("why", "north", "-o", "json").json["commits"]
    assert commit["id"] == hydrator.tip()
    checks = {one["name"]: one for one in world.inside("doctor", "--no-poll", "-o", "json", expect=3).json["checks"]}
    assert NEXT in checks["remote"]["detail"]
    assert checks["commit"]["state"] == "failed"
