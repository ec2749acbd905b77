"""Where what a spoke gets came from: trailers on the branch, and ``hubctl why``."""

import shutil
from typing import Any

from tests.e2e.world import MODEL, SICK, World, git


def trailers(world: World) -> dict[str, str]:
    """Those of the newest commit."""
    shown = git(world.remote, "log", "-1", "--format=%(trailers:only,unfold)", "main")
    return dict(line.split(": ", 1) for line in shown.splitlines())


def why(world: World, spoke: str, *arguments: str) -> list[dict[str, Any]]:
    commits: list[dict[str, Any]] = world.inside("why", spoke, "-o", "json", *arguments).json["commits"]
    return commits


def test_new_inputs_have_a_new_digest_and_the_same_templates_the_same(healthy: World) -> None:
    seen = []
    for version in ("v2", "v3", "v2"):
        healthy.set_version(version, "north")
        healthy.inside("publish")
        seen.append(trailers(healthy))
    assert seen[0]["Hubctl-Inputs"] != seen[1]["Hubctl-Inputs"]
    assert seen[0]["Hubctl-Templates"] == seen[1]["Hubctl-Templates"]
    assert seen[2] == seen[0]


def test_other_digests_alone_make_no_commit(healthy: World) -> None:
    before = healthy.tip()
    healthy.edit_values(lambda hubctl: hubctl["remediation"].update(maxActionsPerHour=7))
    own = healthy.fleet / "templates" / "spoke" / "nothing.yaml.j2"
    own.parent.mkdir(parents=True)
    own.write_text("[# makes no file #]")
    assert healthy.inside("publish", "-o", "json").json["commit"] == ""
    assert healthy.tip() == before


def test_rollback_is_told_with_its_incident_action_and_files(rolled_back: World) -> None:
    (incident,), (done,) = rolled_back.incidents(), rolled_back.remediations()
    newest, delivered, first = why(rolled_back, SICK[0])
    assert (newest["id"], newest["action"], newest["incident"]) == (done["commit"], done["id"], incident["id"])
    assert {"path": f"rendered/spokes/{SICK[0]}/inferenceservice-{MODEL}.yaml", "change": "changed"} in newest["files"]
    assert (delivered["subject"], delivered["action"], delivered["incident"]) == ("Deliver v2", "", "")
    assert {one["change"] for one in first["files"]} == {"added"}
    assert newest["inputs"] != delivered["inputs"]
    assert newest["author"] == "hubctl <hubctl@localhost>"


def test_spoke_that_was_left_alone_names_only_its_own_commits(rolled_back: World) -> None:
    assert len(why(rolled_back, "south")) == 1
    assert len(why(rolled_back, SICK[0], "--limit", "2")) == 2


def test_commit_of_a_person_has_no_trailers_of_ours(healthy: World) -> None:
    healthy.commit(healthy.clone("person"), "rendered/spokes/north/by-hand.yaml", "a: 1\n")
    newest = why(healthy, "north")[0]
    assert (newest["subject"][:7], newest["inputs"], newest["trailers"]) == ("By hand", "", [])


def test_story_for_people_ends_with_what_to_look_at_next(rolled_back: World) -> None:
    (incident,) = rolled_back.incidents()
    shown = rolled_back.inside("why", SICK[0]).out
    for word in ("Deliver v2", "Hubctl-Inputs: sha256:", f"hubctl explain {incident['id']}", "changed rendered/"):
        assert word in shown


def test_removed_spoke_is_still_explained(healthy: World) -> None:
    healthy.inside("clusters", "remove", "south")
    healthy.inside("publish")
    assert {one["change"] for one in why(healthy, "south")[0]["files"]} == {"removed"}


def test_branch_is_read_as_fetched_last_while_the_remote_is_away(healthy: World) -> None:
    healthy.remote.rename(healthy.home / "away.git")
    ran = healthy.inside("why", "north", "-o", "json")
    assert len(ran.json["commits"]) == 1
    assert "fetched last" in ran.err


def test_unknown_spoke_is_refused_and_one_not_published_yet_is_not(fresh: World) -> None:
    for name in ("nort", "..", "", "-x"):
        assert "there is no spoke" in fresh.inside("why", "--", name, expect=2).err
    assert "nothing was published for north yet" in fresh.inside("why", "north").err


def test_history_is_fetched_when_somebody_asks_a_new_cache_for_it(rolled_back: World) -> None:
    known = why(rolled_back, SICK[0])
    cache = rolled_back.fleet / ".hubctl" / "repository.git"
    shutil.rmtree(cache)
    rolled_back.inside("diff", expect=None)
    assert git(cache, "rev-list", "--count", "--all") == "1"
    assert why(rolled_back, SICK[0]) == known


def test_new_cache_without_the_remote_shows_no_commit_for_what_it_is_not(rolled_back: World) -> None:
    shutil.rmtree(rolled_back.fleet / ".hubctl" / "repository.git")
    rolled_back.inside("diff", expect=None)
    rolled_back.remote.rename(rolled_back.remote.with_suffix(".gone"))
    ran = rolled_back.inside("why", SICK[0], "-o", "json")
    assert ran.json["commits"] == []
    assert "note: this is the branch as it was fetched last" in ran.err
    assert f"no commit for {SICK[0]} is in what was fetched of the branch" in ran.err
