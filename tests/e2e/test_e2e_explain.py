"""What hubctl can tell of what it did: evidence, decisions, commits; and what a quarantine leaves on the branch."""

from typing import Any

import pytest
import yaml

from tests.e2e.world import MODEL, OTHER, SICK, World, git


def explained(world: World, any_id: str) -> Any:
    return world.inside("explain", any_id, "-o", "json").json


def test_incident_and_its_remediation_tell_the_same_story(rolled_back: World) -> None:
    (incident,) = rolled_back.incidents()
    (done,) = rolled_back.remediations()
    story = explained(rolled_back, incident["id"])
    assert story == explained(rolled_back, done["id"]) == explained(rolled_back, done["id"][:8])
    assert story["incident"]["key"] == f"model-anomaly:{MODEL}@v2"
    rows = {(row["cluster"], row["version"], row["instances"], row["anomalies"]) for row in story["evidence"]}
    assert {row for row in rows if row[1] == "v2"} == {(spoke, "v2", 10, 8) for spoke in SICK}
    assert {row["model"] for row in story["evidence"]} == {MODEL}
    assert {"open", "act"} <= {decision["verdict"] for decision in story["decisions"]}
    assert [one["id"] for one in story["remediations"]] == [done["id"]]
    assert [commit["id"] for commit in story["commits"]] == [done["commit"]] == [rolled_back.tip()]


def test_story_for_people_names_evidence_reason_and_commit(rolled_back: World) -> None:
    (incident,) = rolled_back.incidents()
    shown = rolled_back.inside("explain", incident["id"]).out
    for word in (*SICK, MODEL, "v2", "8/10", "policy-matched", rolled_back.tip()):
        assert word in shown


def test_story_can_be_told_while_the_remote_is_away(rolled_back: World) -> None:
    (incident,) = rolled_back.incidents()
    rolled_back.remote.rename(rolled_back.home / "away.git")
    story = explained(rolled_back, incident["id"])
    assert len(story["evidence"]) >= 2
    assert story["remediations"][0]["state"] == "applied"


def test_story_of_a_finished_incident_ends_with_its_resolution(rolled_back: World) -> None:
    rolled_back.sync()
    rolled_back.reconcile()
    (incident,) = rolled_back.incidents()
    story = explained(rolled_back, incident["id"])
    assert (story["incident"]["state"], story["decisions"][-1]["verdict"]) == ("resolved", "resolve")
    assert story["remediations"][0]["state"] == "succeeded"


@pytest.fixture
def quarantined(healthy: World) -> World:
    """A spoke fell ill, and a policy took it out of delivery."""
    healthy.set_mode("auto")
    healthy.set_policies({"name": "isolate", "on": "spoke-anomaly", "action": "quarantine"})
    healthy.predictors.ill = {"south"}
    healthy.new_window()
    healthy.reconcile()
    return healthy


def test_quarantine_takes_the_spoke_out_of_delivery_in_one_commit_and_no_other(quarantined: World) -> None:
    (done,) = quarantined.remediations()
    assert (done["action"], done["state"], done["commit"]) == ("quarantine", "applied", quarantined.tip())
    files = quarantined.files()
    assert "rendered/spokes/south/delivery.yaml" not in files
    assert {f"rendered/spokes/{spoke}/delivery.yaml" for spoke in ("east", "north", "west")} <= set(files)
    assert f"rendered/spokes/south/inferenceservice-{OTHER}.yaml" in files
    touched = quarantined.touched("main")
    assert {"overrides/south.quarantine.yaml", "rendered/spokes/south/delivery.yaml"} <= touched
    assert all(path.startswith(("overrides/south.", "rendered/spokes/south/")) for path in touched)
    assert yaml.safe_load(quarantined.file("overrides/south.quarantine.yaml"))["spec"]["quarantine"] is True


def test_publish_keeps_a_quarantine_and_a_revert_ends_it_for_good(quarantined: World) -> None:
    quarantined.inside("diff", expect=0)
    assert quarantined.status()["clusters"][2]["quarantined"] is True
    clone = quarantined.clone("person")
    git(clone, "revert", "--no-edit", "HEAD")
    git(clone, "push", "--quiet")
    quarantined.inside("diff", expect=0)
    before = quarantined.tip()
    quarantined.edit_values(lambda hubctl: hubctl["remediation"].update(cooldown="0s"))
    quarantined.new_window()
    quarantined.reconcile()
    assert quarantined.tip() == before
    assert "rendered/spokes/south/delivery.yaml" in quarantined.files()
