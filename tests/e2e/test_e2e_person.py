"""A person has the last word: reverts, newer versions in the files, acknowledged incidents."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import MODEL, SICK, World, git


def refrained(made: Any) -> set[str]:
    """Reasons for which a pass did not roll back."""
    found = [one for one in made["decisions"] if one["action"] == "rollback-model" and one["verdict"] == "refrain"]
    return {reason for one in found for reason in one["reasons"]}


def become_clone(world: World) -> Path:
    """hubctl's directory becomes a person's clone, its input files a commit of theirs."""
    git(world.fleet, "init", "--quiet", "--initial-branch=main")
    (world.fleet / ".gitignore").write_text("features/\n.hubctl/\ntoken\n")
    git(world.fleet, "remote", "add", "origin", str(world.remote))
    git(world.fleet, "fetch", "--quiet", "origin")
    git(world.fleet, "reset", "--quiet", "origin/main")
    git(world.fleet, "restore", "rendered", "overrides")
    git(world.fleet, "add", "--all")
    git(world.fleet, "commit", "--quiet", "-m", "Describe the fleet")
    git(world.fleet, "push", "--quiet", "--set-upstream", "origin", "main")
    return world.fleet


@pytest.fixture
def reverted(rolled_back: World) -> World:
    """A person took the rollback back, in a clone, and pushed that."""
    clone = rolled_back.clone("person")
    git(clone, "revert", "--no-edit", rolled_back.remediations()[0]["commit"])
    git(clone, "push", "--quiet")
    return rolled_back


def test_right_after_a_pushed_revert_nothing_differs(reverted: World) -> None:
    reverted.inside("diff", expect=0)
    assert not [path for path in reverted.files() if path.startswith("overrides/")]


def test_reverted_rollback_is_never_done_again_and_says_why(reverted: World) -> None:
    reverted.edit_values(lambda hubctl: hubctl["remediation"].update(cooldown="0s", maxAttempts=9))
    before = reverted.tip()
    reverted.new_window()
    made = reverted.reconcile()
    assert [one["state"] for one in reverted.remediations()] == ["reverted"]
    reverted.new_window()
    again = reverted.reconcile()
    assert "reverted-by-a-person" in refrained(made) | refrained(again)
    assert "reverted-by-a-person" in refrained(again)
    assert reverted.tip() == before
    assert reverted.open_keys() == [f"model-anomaly:{MODEL}@v2"]


def test_revert_that_is_not_pushed_does_not_count_and_diff_says_so(rolled_back: World) -> None:
    commit = rolled_back.remediations()[0]["commit"]
    clone = become_clone(rolled_back)
    assert "overrides/" not in rolled_back.inside("diff", expect=0).err
    git(clone, "revert", "--no-edit", commit)
    ran = rolled_back.inside("diff", expect=0)
    assert all(f"{spoke}.{MODEL}.rollback.yaml" in ran.err for spoke in SICK)
    git(clone, "push", "--quiet")
    assert "rollback.yaml" not in rolled_back.inside("diff", expect=0).err


def test_newer_version_in_the_cluster_file_makes_the_pin_lapse(rolled_back: World) -> None:
    rolled_back.set_version("v3", "north")
    ran = rolled_back.inside("diff", expect=1)
    assert any(line.startswith("+") and f"{MODEL}/v3" in line for line in ran.out.splitlines())
    assert f"north.{MODEL}.rollback.yaml" in ran.err
    assert "clusters/north.yaml" in ran.err
    assert "spokes/west/" not in ran.out
    rolled_back.inside("publish")
    assert f"{MODEL}/v3" in rolled_back.file(f"rendered/spokes/north/inferenceservice-{MODEL}.yaml")
    assert f"{MODEL}/v1" in rolled_back.file(f"rendered/spokes/west/inferenceservice-{MODEL}.yaml")


def test_bad_successor_of_a_lapsed_pin_is_rolled_back_in_its_turn(rolled_back: World) -> None:
    rolled_back.sync()
    rolled_back.reconcile()
    rolled_back.roll_out("v3", *SICK)
    rolled_back.edit_values(lambda hubctl: hubctl["remediation"].update(cooldown="0s"))
    made = rolled_back.reconcile()
    assert [one["targets"][0]["to"] for one in made["remediations"] if one["state"] == "applied"] == ["v1"]
    assert len(set(rolled_back.actions())) == len(rolled_back.actions()) == 2
    rolled_back.inside("diff", expect=0)


def test_acknowledged_incident_is_left_to_the_person(pending: World) -> None:
    (incident,) = pending.incidents()
    (waiting,) = pending.remediations()
    pending.inside("incidents", "ack", incident["id"][:6], "--note", "mine")
    pending.inside("remediations", "reject", waiting["id"])
    pending.edit_values(lambda hubctl: hubctl["remediation"].update(mode="auto", cooldown="0s"))
    pending.new_window()
    assert "acknowledged" in refrained(pending.reconcile())
    assert pending.actions() == []
    assert [(one["state"], one["note"]) for one in pending.incidents()] == [("acknowledged", "mine")]


def test_approved_rollback_expires_when_a_person_was_quicker(pending: World) -> None:
    (waiting,) = pending.remediations()
    pending.inside("remediations", "approve", waiting["id"])
    pending.roll_out("v3", *SICK, bad=False)
    pending.reconcile()
    assert pending.states() == {waiting["id"]: "expired"}
    assert pending.actions() == []


def test_moves_that_are_not_legal_are_refused(pending: World) -> None:
    (waiting,) = pending.remediations()
    pending.inside("remediations", "reject", waiting["id"])
    pending.inside("remediations", "approve", waiting["id"], expect=4)
    pending.inside("remediations", "approve", "rem-nothing", expect=2)
    assert pending.states() == {waiting["id"]: "rejected"}


def test_status_and_poll_know_the_version_that_the_branch_delivers(rolled_back: World) -> None:
    rolled_back.sync()
    seen = rolled_back.inside("poll", "--model", MODEL, "-o", "json").json["observations"]
    assert {one["version"] for one in seen} == {"v1"}
    status = rolled_back.status()
    assert {model["version"] for cluster in status["clusters"] for model in cluster["models"]} == {"v1"}
