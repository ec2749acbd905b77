"""The loop from a bad version to its end, in every mode, and everything that must not set it going."""

from typing import Any

from tests.e2e.world import MODEL, SICK, SPOKES, World, git, until

KEY = f"model-anomaly:{MODEL}@v2"


def versions(world: World) -> dict[str, str]:
    """The version that the branch delivers to each spoke."""
    files = {spoke: world.file(f"rendered/spokes/{spoke}/inferenceservice-{MODEL}.yaml") for spoke in SPOKES}
    return {spoke: "v2" if f"/{MODEL}/v2" in text else "v1" for spoke, text in files.items()}


def reasons(made: Any, action: str) -> set[str]:
    """Why the pass did not act."""
    found = [one for one in made["decisions"] if one["action"] == action and one["verdict"] == "refrain"]
    return {reason for one in found for reason in one["reasons"]}


def test_fleet_that_answers_well_is_healthy_and_has_no_incident(healthy: World) -> None:
    status = healthy.inside("status", "-o", "json").json
    assert [cluster["name"] for cluster in status["clusters"]] == list(SPOKES)
    assert {cluster["health"] for cluster in status["clusters"]} == {"healthy"}
    assert status["incidents"] == []


def test_bad_version_on_two_of_four_spokes_is_one_incident_of_the_model(pending: World) -> None:
    status = pending.inside("status", "-o", "json", expect=1).json
    assert [(one["key"], one["clusters"]) for one in status["incidents"]] == [(KEY, list(SICK))]
    health = {cluster["name"]: cluster["health"] for cluster in status["clusters"]}
    assert health == {"east": "healthy", "north": "anomalous", "south": "healthy", "west": "anomalous"}


def test_proposal_changes_nothing_until_it_is_approved_and_lands_after(pending: World) -> None:
    (waiting,) = pending.remediations()
    assert (waiting["action"], waiting["state"], waiting["commit"]) == ("rollback-model", "pending", "")
    assert versions(pending) == {"east": "v1", "north": "v2", "south": "v1", "west": "v2"}
    pending.inside("remediations", "approve", waiting["id"])
    assert pending.actions() == []
    pending.reconcile()
    assert pending.actions() == [waiting["id"]]
    assert set(versions(pending).values()) == {"v1"}
    (done,) = pending.remediations()
    assert (done["state"], done["by"], done["commit"]) == ("applied", "tester", pending.tip())


def test_approval_with_now_lands_at_once(pending: World) -> None:
    (waiting,) = pending.remediations()
    pending.inside("remediations", "approve", waiting["id"], "--now")
    assert pending.actions() == [waiting["id"]]


def test_rejected_rollback_does_not_come_back(pending: World) -> None:
    pending.edit_values(lambda hubctl: hubctl["remediation"].update(cooldown="1h"))
    (waiting,) = pending.remediations()
    pending.inside("remediations", "reject", waiting["id"], "--note", "v2 is needed")
    pending.new_window()
    made = pending.reconcile()
    assert "rejected-by-a-person" in reasons(made, "rollback-model")
    assert [(one["id"], one["state"]) for one in pending.remediations()] == [(waiting["id"], "rejected")]
    assert pending.actions() == []


def test_mode_observe_opens_the_incident_and_proposes_nothing(poised: World) -> None:
    poised.set_mode("observe")
    made = poised.reconcile()
    assert "mode-observe" in reasons(made, "rollback-model")
    assert poised.open_keys() == [KEY]
    assert (poised.remediations(), poised.actions()) == ([], [])


def test_mode_auto_lands_by_itself_in_one_commit_with_overrides_and_manifests(rolled_back: World) -> None:
    (done,) = rolled_back.remediations()
    assert (done["state"], done["by"]) == ("applied", "policy")
    assert rolled_back.actions() == [done["id"]]
    touched = rolled_back.touched(done["commit"])
    assert {path for path in touched if path.startswith("overrides/")} == {
        f"overrides/{spoke}.{MODEL}.rollback.yaml" for spoke in SICK
    }
    assert {path.split("/")[2] for path in touched if path.startswith("rendered/spokes/")} == set(SICK)
    assert all(path.startswith(("overrides/", "rendered/spokes/")) for path in touched)


def test_incident_resolves_and_rollback_succeeds_once_the_spokes_follow(rolled_back: World) -> None:
    rolled_back.sync()
    made = rolled_back.reconcile()
    assert (made["commit"], made["findings"]) == ("", [])
    (incident,) = rolled_back.incidents()
    (done,) = rolled_back.remediations()
    assert (incident["state"], incident["by"]) == ("resolved", "hubctl")
    assert done["state"] == "succeeded"
    assert rolled_back.inside("status", "-o", "json").json["incidents"] == []


def test_rollback_is_not_repeated_while_the_spokes_do_not_follow_yet(rolled_back: World) -> None:
    before = rolled_back.tip()
    for _ in range(2):
        rolled_back.new_window()
        rolled_back.reconcile()
    assert rolled_back.tip() == before


def test_dry_run_of_a_pass_says_what_it_would_do_and_does_nothing(poised: World) -> None:
    before = poised.tip()
    made = poised.hubctl("reconcile", "--dry-run", "-o", "json").json
    assert [one["action"] for one in made["remediations"]] == ["rollback-model"]
    assert (poised.tip(), poised.incidents(), poised.remediations()) == (before, [], [])


def test_ill_spoke_is_blamed_and_not_the_version_that_others_serve_well(healthy: World) -> None:
    healthy.set_mode("auto")
    healthy.predictors.ill = {"south"}
    healthy.new_window()
    healthy.reconcile()
    assert healthy.open_keys() == ["spoke-anomaly:south"]
    assert healthy.actions() == []


def test_blind_hub_opens_one_incident_and_acts_on_nothing_until_it_sees_again(poised: World) -> None:
    before = poised.tip()
    poised.predictors.down(*SPOKES)
    made = poised.reconcile()
    assert {seen["outcome"] for seen in made["observations"]} == {"unreachable"}
    poised.new_window()
    poised.reconcile()
    assert poised.open_keys() == ["hub-unreachable"]
    assert (poised.remediations(), poised.tip()) == ([], before)
    assert {cluster["health"] for cluster in poised.status()["clusters"]} == {"unknown"}
    poised.predictors.up(*SPOKES)
    poised.set_mode("approve")
    poised.new_window()
    poised.reconcile()
    assert {one["key"]: one["state"] for one in poised.incidents()} == {"hub-unreachable": "resolved", KEY: "open"}


def test_blind_hub_carries_out_not_even_what_was_approved_before(pending: World) -> None:
    (waiting,) = pending.remediations()
    pending.inside("remediations", "approve", waiting["id"])
    pending.set_mode("auto")
    pending.predictors.down(*SPOKES)
    before = pending.tip()
    pending.reconcile()
    assert (pending.tip(), pending.states()) == (before, {waiting["id"]: "approved"})


def test_same_window_polled_often_is_one_vote_and_new_windows_are_more(poised: World) -> None:
    poised.set_mode("observe")
    poised.edit_values(lambda hubctl: hubctl["aggregate"].update(raiseAfter=3, minVotes=3))
    with poised.started("run", "--interval", "0.1s") as running:
        until(lambda: poised.predictors.polls("west", MODEL) >= 6, "six polls of one window")
        assert poised.open_keys() == []
        for _ in range(2):
            polls = poised.predictors.polls("west", MODEL)
            poised.new_window()
            until(lambda polls=polls: poised.predictors.polls("west", MODEL) >= polls + 2, "polls of it")  # type: ignore[misc]
        until(poised.open_keys, "a finding")
        running.process.terminate()
        assert running.ended() == 0
    assert poised.open_keys() == [KEY]


def test_version_with_a_hard_fault_everywhere_is_rolled_back_too(poised: World) -> None:
    poised.set_policies({"name": "broken", "on": "model-fault", "action": "rollback-model"})
    poised.predictors.faults = {(spoke, MODEL): "missing" for spoke in SICK}
    poised.reconcile()
    assert poised.open_keys() == [f"model-fault:{MODEL}@v2"]
    assert set(versions(poised).values()) == {"v1"}


def test_branch_log_tells_the_incident_of_a_rollback_and_how_to_undo_it(rolled_back: World) -> None:
    (incident,) = rolled_back.incidents()
    text = git(rolled_back.remote, "log", "-1", "--format=%B", "main")
    assert f"Hubctl-Incident: {incident['id']}" in text
    assert "git revert" in text
