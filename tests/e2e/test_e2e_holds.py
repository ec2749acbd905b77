"""Stops and pauses, thrown by commands, files and values, and heeded by passes and just before each effect."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.e2e.world import MODEL, SICK, World

SOON = (datetime.now(UTC) + timedelta(days=1)).isoformat()


def refusals(made: dict[str, Any]) -> set[str]:
    """The reasons of all actions that a pass did not take."""
    return {reason for one in made["decisions"] if one["verdict"] == "refrain" for reason in one["reasons"]}


def test_stopped_pass_looks_and_publishes_but_does_not_act_until_started_again(poised: World) -> None:
    poised.inside("stop", "--reason", "trying", "--dry-run")
    assert poised.status()["stopped"] == []
    poised.inside("stop", "--reason", "the proxy is mended")
    made = poised.reconcile()
    assert "stopped" in refusals(made)
    assert made["observations"]
    assert poised.open_keys() != []
    [said] = poised.status()["stopped"]
    assert (said["scope"], said["reason"], said["by"]) == ("actions", "the proxy is mended", "tester")
    poised.set_version("v3", "east")
    poised.inside("publish", "-m", "A change of a person's")

    assert "STOP" in poised.inside("start", "--dry-run").err
    poised.inside("start")
    poised.reconcile()
    assert "applied" in poised.states().values()


def test_stop_of_everything_keeps_people_from_publishing_too(poised: World) -> None:
    poised.edit_values(lambda hubctl: hubctl.update(stopped="everything"))
    poised.set_version("v3", "east")
    tip = poised.tip()
    assert "hubctl.stopped" in poised.inside("publish", expect=4).err
    made = poised.reconcile(expect=4)
    assert any("nothing is published" in problem for problem in made["problems"])
    assert made["observations"]
    assert poised.tip() == tip
    poised.edit_values(lambda hubctl: hubctl.pop("stopped"))
    poised.reconcile()
    assert poised.tip() != tip


def test_stop_needs_neither_values_nor_store(fresh: World) -> None:
    (fresh.fleet / "values-hub.yaml").write_text("{")
    switch = fresh.home / "elsewhere" / "switch"
    fresh.environ["HUBCTL_KILL_SWITCH"] = str(switch)
    fresh.inside("stop", "--everything", "--reason", "wrong values")
    assert "scope: everything" in switch.read_text()
    fresh.inside("start")
    assert not switch.exists()


def test_switch_that_is_thrown_in_mid_pass_keeps_that_pass_from_acting(poised: World) -> None:
    # The pass begins unheld and publishes a person's change; the remote's hook throws the switch.
    stop = poised.fleet / ".hubctl" / "STOP"
    poised.hook("post-receive", f"touch {stop}")
    poised.set_version("v3", "east")
    made = poised.reconcile()
    assert made["commit"]
    assert list(poised.states().values()) == ["approved"]
    assert poised.actions() == []
    stop.unlink()
    poised.reconcile()
    assert list(poised.states().values()) == ["applied"]


def test_lost_race_is_not_run_again_once_everything_is_stopped(healthy: World) -> None:
    stop, other = healthy.fleet / ".hubctl" / "STOP", healthy.clone("other")
    healthy.commit(other, "NOTES.md", "by a person", push=False)
    push = f'env -i PATH="$PATH" git -C {other} push --quiet'
    once = f"echo scope: everything > {stop}; {push} >&2"
    healthy.hook("pre-receive", f"if mkdir {healthy.home}/once 2>/dev/null; then {once}; fi")
    healthy.set_version("v2", "north")
    assert "nothing is published" in healthy.inside("publish", expect=4).err
    assert "by a person" in healthy.file("NOTES.md")
    assert f"{MODEL}/v1" in healthy.file(f"rendered/spokes/north/inferenceservice-{MODEL}.yaml")


@pytest.mark.parametrize("where", ["store", "values"])
def test_paused_spoke_is_left_alone_and_its_neighbour_is_not(poised: World, where: str) -> None:
    north, west = SICK
    if where == "store":
        poised.inside("pause", "add", "--cluster", north, "--for", "4h", "--owner", "ana", "--reason", "disk")
    else:
        planned = {"cluster": north, "owner": "ana", "reason": "disk", "until": SOON}
        poised.edit_values(lambda hubctl: hubctl["remediation"].update(pauses=[planned]))
    poised.reconcile()
    assert [each["cluster"] for one in poised.remediations() for each in one["targets"]] == [west]
    [shown] = poised.status()["pauses"]
    assert (shown["cluster"], shown["owner"], shown["state"]) == (north, "ana", "in-force")


def test_approved_action_waits_for_the_end_of_a_pause(pending: World) -> None:
    [waiting] = pending.states()
    add = ("pause", "add", "--fleet", "--owner", "ana", "--reason", "night", "--for", "8h")
    pending.inside(*add, "--dry-run")
    assert json.loads(pending.inside("pause", "list", "-o", "json").out)["pauses"] == []
    made = pending.inside(*add, "-o", "json").json
    ran = pending.inside("remediations", "approve", waiting, "--now")
    assert "paused by ana" in ran.err
    assert pending.states() == {waiting: "approved"}
    pending.inside("pause", "lift", made["id"][:8], "--note", "early")
    [over] = pending.inside("pause", "list", "--all", "-o", "json").json["pauses"]
    assert (over["state"], over["liftedBy"], over["note"]) == ("lifted", "tester", "early")
    pending.reconcile()
    assert pending.states() == {waiting: "applied"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--cluster", "north", "--owner", "ana", "--reason", "x"), "--for and --until"),
        (("--cluster", "north", "--owner", "ana", "--reason", " ", "--for", "1h"), "--reason is empty"),
        (("--owner", "ana", "--reason", "x", "--for", "1h"), "fleet: true"),
        (("--fleet", "--model", "m", "--owner", "ana", "--reason", "x", "--for", "1h"), "fleet: true"),
        (("--fleet", "--owner", "ana", "--reason", "x", "--for", "soon"), "no end of a pause"),
        (("--fleet", "--owner", "ana", "--reason", "x", "--until", "2020-01-01T00:00:00Z"), "not ahead"),
        (("--fleet", "--owner", "ana", "--reason", "x", "--until", "2090-01-01"), "no time zone"),
        (("--cluster", "Not/A/Name", "--owner", "ana", "--reason", "x", "--for", "1h"), "--cluster"),
        (("--fleet", "--reason", "x", "--for", "1h"), "--owner"),
    ],
)
def test_pause_without_reason_owner_end_or_anything_to_hold_is_refused(
    healthy: World, options: tuple[str, ...], said: str
) -> None:
    assert said in healthy.inside("pause", "add", *options, expect=2).err


def test_pause_of_a_misspelt_spoke_is_doubted(healthy: World) -> None:
    said = ("--for", "1h", "--owner", "ana", "--reason", "x")
    assert "did you mean north?" in healthy.inside("pause", "add", "--cluster", "nort", *said).err
    assert "warning" not in healthy.inside("pause", "add", "--cluster", "north", "--model", MODEL, *said).err


def test_lapsed_pause_of_the_values_holds_nothing(poised: World) -> None:
    planned = {"fleet": True, "owner": "ana", "reason": "over", "until": "2020-01-01T00:00:00Z"}
    poised.edit_values(lambda hubctl: hubctl["remediation"].update(pauses=[planned]))
    assert poised.status()["pauses"] == []
    poised.reconcile()
    assert "applied" in poised.states().values()


def test_silent_spoke_is_asked_less_often_and_at_once_when_a_person_asks(healthy: World) -> None:
    healthy.edit_values(lambda hubctl: hubctl["observe"].update(backoff={"after": 1}))
    healthy.predictors.down("south")
    healthy.reconcile()
    healthy.predictors.up("south")
    before = healthy.predictors.polls("south", MODEL)
    made = healthy.reconcile()
    assert {one["cluster"] for one in made["observations"]} == set(healthy.spokes) - {"south"}
    assert "spoke-unreachable:south" in {one["key"] for one in made["findings"]}
    shown = {one["name"]: one for one in healthy.status()["clusters"]}
    assert shown["south"]["nextPoll"] is not None
    assert (shown["south"]["health"], shown["north"]["nextPoll"]) == ("unknown", None)
    assert "next poll in" in healthy.inside("status", expect=1).out
    assert healthy.predictors.polls("south", MODEL) == before
    healthy.inside("poll", "--cluster", "south")
    assert healthy.predictors.polls("south", MODEL) == before + 1
    healthy.edit_values(lambda hubctl: hubctl["observe"].update(backoff={"most": 0}))
    healthy.reconcile()
    assert healthy.open_keys() == []
