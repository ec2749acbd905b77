"""The whole loop where a person's merge stands before the branch: publish, reconcile, status, remediations, doctor."""

from collections.abc import Iterator
from typing import Any

import pytest
import trustme

from tests.e2e.world import MODEL, SICK, SPOKES, World, git
from tests.publish import forges
from tests.publish.forges import FakeForge, Fault

HEAD = "hubctl/fleet"


def served(world: World) -> Iterator[FakeForge]:
    """A forge for the world's remote, and the world told to use it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(world.fleet / "ca.pem"))
    with forges.serving("github", world.remote, authority) as server:
        world.edit_values(lambda hubctl: hubctl["gitops"].update(publishing=server.settings()))
        yield server


@pytest.fixture
def forge(healthy: World) -> Iterator[FakeForge]:
    """Of the healthy world."""
    yield from served(healthy)


@pytest.fixture
def forge_of_poised(poised: World) -> Iterator[FakeForge]:
    """Of the world where a bad v2 runs and was not looked at yet."""
    yield from served(poised)


def versions(world: World) -> dict[str, str]:
    """The version of the model that ``status`` names, by spoke."""
    clusters = world.status()["clusters"]
    found = {one["name"]: [each["version"] for each in one["models"] if each["name"] == MODEL] for one in clusters}
    return {name: each[0] for name, each in found.items() if each}


def test_publish_opens_one_pull_request_and_leaves_the_branch_alone(healthy: World, forge: FakeForge) -> None:
    healthy.set_version("v2", "north")
    before = healthy.tip()
    made = healthy.hubctl("publish", "-m", "Try v2\n\nIn the north first.", "-o", "json").json
    assert healthy.tip() == before
    assert made["commit"] == git(healthy.remote, "rev-parse", HEAD)
    assert made["spokes"]["changed"] == ["north"]
    about = made["pullRequest"]
    assert (about["outcome"], about["number"], about["title"]) == ("opened", 1, "Try v2")
    assert about["url"].endswith("/pull/1")
    assert forge.items[0].text.startswith("In the north first.\n")
    again = healthy.inside("publish", "-o", "json").json
    assert (again["pullRequest"]["outcome"], again["pullRequest"]["url"]) == ("unchanged", about["url"])
    assert "pull request 1 (https://forge.example/platform/fleet/pull/1)" in healthy.inside("publish").err


def test_dry_run_shows_title_and_text_and_writes_nothing(healthy: World, forge: FakeForge) -> None:
    healthy.set_version("v2", "north")
    shown = healthy.inside("publish", "--dry-run", "-m", "Try v2").out
    assert shown.startswith("Try v2\n\n### hubctl diff: 1 spoke affected")
    data = healthy.inside("publish", "--dry-run", "-o", "json").json
    assert (data["dryRun"], data["commit"], data["pullRequest"]["outcome"]) == (True, "", "planned")
    assert "Hubctl-Inputs: sha256:" in data["pullRequest"]["text"]
    assert forge.writes == []
    assert git(healthy.remote, "branch", "--list", HEAD) == ""


def test_no_of_a_person_is_a_refusal_for_publish_and_none_for_a_pass(healthy: World, forge: FakeForge) -> None:
    healthy.set_version("v2", "north")
    healthy.inside("publish")
    forge.items[0].state = "closed"
    refused = healthy.inside("publish", expect=4)
    assert "pull/1" in refused.err
    assert "reopen" in refused.err
    assert healthy.reconcile()["pullRequest"]["outcome"] == "declined"
    assert len(forge.items) == 1


def test_pass_goes_by_what_is_merged_not_by_what_waits(healthy: World, forge: FakeForge) -> None:
    healthy.set_version("v2", "north")
    healthy.new_window()
    made = healthy.reconcile()
    assert made["pullRequest"]["outcome"] == "opened"
    assert {one["version"] for one in made["observations"] if one["model"] == MODEL} == {"v1"}
    assert versions(healthy) == dict.fromkeys(SPOKES, "v1")
    assert healthy.status()["waiting"] == [{"remediation": None, "url": made["pullRequest"]["url"]}]
    assert "the fleet waits to be merged: https://" in healthy.inside("status", expect=None).err
    polled = healthy.inside("poll", "--cluster", "north", "--model", MODEL, "-o", "json").json
    assert polled["observations"][0]["version"] == "v1"
    asked = len(forge.writes)
    assert healthy.reconcile()["pullRequest"]["outcome"] == "unchanged"
    assert len(forge.writes) == asked
    forge.merge(forge.items[0])
    healthy.sync()
    assert healthy.reconcile()["pullRequest"]["outcome"] == "nothing"
    assert versions(healthy)["north"] == "v2"


def test_spoke_that_waits_to_be_merged_is_not_polled(healthy: World, forge: FakeForge) -> None:
    text = healthy.cluster_file("north").read_text()
    healthy.cluster_file("far").write_text(text.replace("name: north", "name: far", 1))
    made = healthy.reconcile()
    assert "far" not in {one["cluster"] for one in made["observations"]}
    assert len(forge.items) == 1


def test_forge_that_is_down_keeps_no_pass_from_observing(healthy: World, forge: FakeForge) -> None:
    healthy.set_version("v2", "north")
    forge.faults += [("*", Fault(401, body={"message": "Bad credentials"}))] * 3
    made = healthy.reconcile(expect=3)
    assert "401" in made["problems"][0]
    assert made["pullRequest"] is None
    assert {one["version"] for one in made["observations"] if one["model"] == MODEL} == {"v1"}
    assert healthy.inside("publish", expect=3).err.count("hint: put a token") == 1


def test_doctor_asks_the_forge_for_the_repository(healthy: World, forge: FakeForge) -> None:
    def look() -> dict[str, str]:
        checks = healthy.inside("doctor", "--no-poll", "-o", "json", expect=None).json["checks"]
        found: dict[str, str] = next(one for one in checks if one["name"] == "forge")
        return found

    assert (look()["state"], look()["detail"][:14]) == ("ok", "platform/fleet")
    healthy.set_version("v2", "north")
    healthy.inside("publish")
    assert "pull request 1 is open" in look()["detail"]
    forge.repository = "platform/other"
    assert (look()["state"], "may see it" in look()["hint"]) == ("failed", True)


def test_rollback_is_a_commit_on_the_branch_and_waits_for_no_merge(poised: World, forge_of_poised: FakeForge) -> None:
    made = poised.reconcile()
    assert [one["state"] for one in made["remediations"]] == ["applied"]
    assert len(poised.actions()) == 1
    assert forge_of_poised.items == []
    assert all(f"{MODEL}/v1" in poised.file(f"rendered/spokes/{spoke}/inferenceservice-{MODEL}.yaml") for spoke in SICK)


@pytest.fixture
def reviewed(poised: World, forge_of_poised: FakeForge) -> World:
    """The poised world, whose remediations wait for a merge too."""

    def change(hubctl: Any) -> None:
        hubctl["gitops"]["publishing"]["pullRequest"]["remediations"] = "pull-request"

    poised.edit_values(change)
    assert forge_of_poised.items == []
    return poised


def rollback_of(world: World) -> dict[str, Any]:
    """The one remediation, as the store holds it."""
    [found] = world.remediations()
    return found


@pytest.mark.parametrize("squash", [False, True])
def test_rollback_waits_for_its_merge_and_is_applied_by_it(
    reviewed: World,
    forge_of_poised: FakeForge,
    squash: bool,  # noqa: FBT001 - a case
) -> None:
    before = reviewed.tip()
    reviewed.reconcile()
    [item] = forge_of_poised.items
    made = rollback_of(reviewed)
    assert (made["state"], reviewed.tip(), item.head) == ("executing", before, f"{HEAD}-{made['id']}")
    assert item.title == f"Roll back {MODEL} to v1 on north, west"
    assert "pull/1" in reviewed.inside("remediations", "show", made["id"]).out
    assert [one["remediation"] for one in reviewed.status()["waiting"]] == [made["id"]]
    asked = len(forge_of_poised.writes)
    reviewed.reconcile()
    assert (rollback_of(reviewed)["state"], len(forge_of_poised.writes)) == ("executing", asked)
    forge_of_poised.merge(item, squash=squash)
    reviewed.reconcile()
    made = rollback_of(reviewed)
    assert (made["state"], made["commit"] != before, bool(made["commit"])) == ("applied", True, True)
    reviewed.sync()
    reviewed.reconcile()
    assert rollback_of(reviewed)["state"] == "succeeded"
    assert git(reviewed.remote, "branch", "--list", f"{HEAD}-*") == ""


def test_rollback_that_waits_stays_what_it_is_while_everything_is_stopped_and_its_merge_is_seen(
    reviewed: World, forge_of_poised: FakeForge
) -> None:
    reviewed.reconcile()
    [item] = forge_of_poised.items
    waits = rollback_of(reviewed)
    reviewed.inside("stop", "--everything", "--reason", "trying")
    asked = len(forge_of_poised.writes)
    reviewed.reconcile(expect=4)
    assert (rollback_of(reviewed), item.state, len(forge_of_poised.writes)) == (waits, "open", asked)
    forge_of_poised.merge(item, squash=False)
    reviewed.reconcile(expect=4)
    assert rollback_of(reviewed)["state"] == "applied"


def test_rollback_that_a_person_closes_is_rejected(reviewed: World, forge_of_poised: FakeForge) -> None:
    reviewed.reconcile()
    forge_of_poised.items[0].state = "closed"
    reviewed.edit_values(lambda hubctl: hubctl["remediation"].update(cooldown="1h"))
    reviewed.reconcile()
    made = rollback_of(reviewed)
    assert made["state"] == "rejected"
    assert "pull/1" in made["detail"]
    reviewed.reconcile()
    assert len(reviewed.remediations()) == len(forge_of_poised.items) == 1
    assert git(reviewed.remote, "branch", "--list", f"{HEAD}-*") == ""


def test_rollback_whose_reason_is_gone_is_withdrawn(reviewed: World, forge_of_poised: FakeForge) -> None:
    reviewed.reconcile()
    reviewed.set_version("v1", *SICK)
    reviewed.inside("publish", "-m", "Back to v1")
    forge_of_poised.merge(forge_of_poised.items[1])
    reviewed.reconcile()
    item = forge_of_poised.items[0]
    assert (rollback_of(reviewed)["state"], item.state) == ("expired", "closed")
    assert "is over" in item.comments[0]
    assert git(reviewed.remote, "branch", "--list", f"{HEAD}-*") == ""


def test_branch_of_a_remediation_with_commits_of_others_stays(reviewed: World, forge_of_poised: FakeForge) -> None:
    reviewed.reconcile()
    head = forge_of_poised.items[0].head
    clone = reviewed.clone("person")
    git(clone, "checkout", "--quiet", head)
    reviewed.commit(clone, "notes.txt", "mine")
    reviewed.reconcile()
    assert rollback_of(reviewed)["state"] == "failed"
    assert "did not write" in rollback_of(reviewed)["detail"]
    assert git(reviewed.remote, "show", f"{head}:notes.txt") == "mine"
    assert forge_of_poised.items[0].state == "open"


def test_rollback_never_carries_unmerged_changes_past_review(poised: World, forge_of_poised: FakeForge) -> None:
    path = poised.cluster_file("north")
    path.write_text(
        path.read_text()
        .replace("version: '4.18'", "version: '4.19'")
        .replace("platform: openshift", "platform: openshift\n  kserveVersion: '0.16'")
    )
    before = poised.tip()
    made = poised.reconcile()
    [rollback] = made["remediations"]
    assert (rollback["state"], poised.tip()) == ("approved", before)
    assert "waits to be merged" in rollback["detail"]
    forge_of_poised.merge(forge_of_poised.items[0])
    made = poised.reconcile()
    assert [one["state"] for one in made["remediations"] if one["id"] == rollback["id"]] == ["applied"]
    assert len(poised.actions()) == 1
