"""From the files to the branch: render, diff, publish, their refusals, other writers, and old values files."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.predictors import Loop
from tests.e2e.world import MODEL, OTHER, SPOKES, World, git, until


def spokes(ran_json: Any) -> dict[str, list[str]]:
    """Which spokes a diff or publish changes."""
    found: dict[str, list[str]] = ran_json["spokes"]
    return {word: names for word, names in found.items() if names}


def test_fresh_fleet_publishes_and_then_nothing_differs(fresh: World) -> None:
    made = fresh.hubctl("publish", "-m", "First", "-o", "json").json
    assert (made["commit"], spokes(made)) == (fresh.tip(), {"added": list(SPOKES)})
    assert git(fresh.remote, "log", "-1", "--format=%s", "main") == "First"
    same = fresh.inside("diff", "-o", "json", expect=0).json
    assert spokes(same) == {}


def test_change_is_shown_by_diff_and_by_nothing_else_done(healthy: World) -> None:
    healthy.set_version("v2", "north")
    before = healthy.tip()
    shown = healthy.hubctl("diff", expect=1).out
    assert f"spokes/north/inferenceservice-{MODEL}.yaml" in shown
    assert any(line.startswith("+") and f"{MODEL}/v2" in line for line in shown.splitlines())
    assert any(line.startswith("-") and f"{MODEL}/v1" in line for line in shown.splitlines())
    data = healthy.inside("diff", "--summary", "-o", "json", expect=1).json
    assert spokes(data) == {"changed": ["north"]}
    assert healthy.tip() == before


def test_diff_and_poll_of_one_spoke_leave_the_others_out(healthy: World) -> None:
    healthy.set_version("v2", "north", "west")
    shown = healthy.inside("diff", "--cluster", "north", expect=1).out
    assert ("spokes/north/" in shown, "spokes/west/" in shown) == (True, False)
    seen = healthy.inside("poll", "--cluster", "north", "-o", "json").json["observations"]
    assert {one["cluster"] for one in seen} == {"north"}


def test_dry_run_of_publish_writes_nothing(fresh: World) -> None:
    made = fresh.hubctl("publish", "--dry-run", "-o", "json").json
    assert (made["commit"], made["dryRun"], spokes(made)) == ("", True, {"added": list(SPOKES)})
    assert fresh.count() == 0


def test_second_publish_makes_no_commit(healthy: World) -> None:
    before = healthy.tip()
    made = healthy.hubctl("publish", "-o", "json").json
    assert (made["commit"], healthy.tip()) == ("", before)


def test_other_files_in_the_repository_are_left_alone(healthy: World) -> None:
    clone = healthy.clone("person")
    ours = {path for path in healthy.files() if path.startswith("rendered/")}
    for path in ("README.md", "rendering/notes.txt", "apps/rendered/x.yaml"):
        healthy.commit(clone, path, "mine\n")
    healthy.set_version("v2", "north")
    healthy.inside("publish")
    assert set(healthy.files()) == ours | {"README.md", "rendering/notes.txt", "apps/rendered/x.yaml"}
    assert all(path.startswith("rendered/spokes/north/") for path in healthy.touched("main"))


def test_stray_file_in_the_rendered_folder_is_taken_out(healthy: World) -> None:
    healthy.commit(healthy.clone("person"), "rendered/spokes/north/stray.yaml", "kind: Stray\n")
    healthy.inside("publish")
    assert "rendered/spokes/north/stray.yaml" not in healthy.files()


def test_removed_spoke_is_pruned_and_no_other(healthy: World) -> None:
    before = set(healthy.files())
    healthy.inside("clusters", "remove", "south")
    made = healthy.hubctl("publish", "-o", "json").json
    assert spokes(made) == {"removed": ["south"]}
    gone = {path for path in before if path.startswith("rendered/spokes/south/")}
    assert gone
    assert before - set(healthy.files()) == gone


@pytest.fixture
def five(tmp_path: Path, loop: Loop) -> Iterator[World]:
    """A fleet of five spokes, not published yet."""
    world = World.made(tmp_path, loop, ("a", "b", "c", "d", "e"))
    yield world
    world.predictors.close()


def test_removing_three_of_five_spokes_needs_to_be_confirmed(five: World) -> None:
    world = five
    world.inside("publish")
    before = world.tip()
    for spoke in ("a", "b", "c"):
        world.cluster_file(spoke).unlink()
    refused = world.hubctl("publish", expect=4)
    assert "--allow-removing" in refused.err
    assert world.tip() == before
    assert "error" in world.inside("reconcile", expect=4).err
    assert world.tip() == before
    world.inside("publish", "--allow-removing", "2", expect=4)
    world.inside("publish", "--allow-removing", "3")
    assert {path.split("/")[2] for path in world.files() if path.startswith("rendered/spokes/")} == {"d", "e"}


def test_render_swaps_its_folder_whole_and_refuses_a_foreign_one(fresh: World) -> None:
    build = fresh.home / "build"
    fresh.hubctl("render", "--output", str(build))
    fresh.cluster_file("south").unlink()
    fresh.hubctl("render", "--output", str(build))
    assert {path.name for path in (build / "spokes").iterdir()} == {"east", "north", "west"}
    foreign = fresh.home / "foreign"
    foreign.mkdir()
    (foreign / "mine.txt").write_text("mine")
    fresh.hubctl("render", "--output", str(foreign), expect=2)
    assert [path.name for path in foreign.iterdir()] == ["mine.txt"]
    assert [path.name for path in fresh.home.iterdir() if path.name.startswith(".hubctl")] == []


def test_render_prints_what_publish_commits(fresh: World) -> None:
    shown = fresh.hubctl("render").out
    build = fresh.home / "build"
    fresh.hubctl("render", "--output", str(build))
    fresh.inside("publish")
    documents = [document for document in yaml.safe_load_all(shown) if document]
    paths = [path for path in fresh.files() if path.startswith("rendered/")]
    assert len(documents) >= len(paths)
    for path in paths:
        assert (build / path.removeprefix("rendered/")).read_text().strip() == fresh.file(path)


@pytest.mark.parametrize("command", ["render", "publish", "poll", "diff", "reconcile", "clusters list"])
def test_error_in_one_cluster_file_stops_every_command_with_its_line(fresh: World, command: str) -> None:
    path = fresh.cluster_file("south")
    lines = path.read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "platform:" in text)
    path.write_text(path.read_text().replace("platform: openshift", "platform: opnshift"))
    ran = fresh.inside(*command.split(), expect=2)
    assert f"clusters/south.yaml:{line}" in ran.err
    assert ran.out == ""
    assert fresh.count() == 0


def test_every_problem_is_shown_at_once(fresh: World) -> None:
    for spoke, old, new in (("south", "openshift", "opnshift"), ("east", "version: v1", "version: -")):
        path = fresh.cluster_file(spoke)
        path.write_text(path.read_text().replace(old, new))
    ran = fresh.inside("validate", expect=2)
    assert "clusters/south.yaml:" in ran.err
    assert "clusters/east.yaml:" in ran.err


OLD = """\
# Our hub.
global:
  pattern: industrial-edge  # kept
coordinationEngine:
  replicas: 1  # not hubctl's
  mlService:
    enabled: true
"""


@pytest.fixture
def old(fresh: World) -> World:
    """A fleet whose values still hold the retired section."""
    path = fresh.fleet / "values-hub.yaml"
    values = yaml.safe_load(path.read_text())
    values["hubctl"]["models"] = {MODEL: values["hubctl"]["models"][MODEL]}
    path.write_text(OLD + yaml.safe_dump({"hubctl": values["hubctl"]}, sort_keys=False))
    for spoke in SPOKES:
        text = fresh.cluster_file(spoke).read_text()
        fresh.cluster_file(spoke).write_text(text.replace(OTHER, "predictive-analytics"))
    return fresh


def test_retired_section_is_refused_with_the_way_out(old: World) -> None:
    ran = old.hubctl("publish", expect=2)
    assert "values-hub.yaml:6" in ran.err
    assert "hubctl migrate" in ran.err
    assert old.count() == 0


def test_migrate_shows_the_difference_and_writes_only_when_told(old: World) -> None:
    path = old.fleet / "values-hub.yaml"
    before = path.read_text()
    shown = old.hubctl("migrate", expect=1)
    assert any(line.startswith("-  mlService") for line in shown.out.splitlines())
    assert path.read_text() == before
    old.hubctl("migrate", "--write")
    after = path.read_text()
    assert "mlService" not in yaml.safe_load(after)["coordinationEngine"]
    assert all(comment in after for comment in ("# Our hub.", "# kept", "# not hubctl's"))
    assert yaml.safe_load(after)["global"] == {"pattern": "industrial-edge"}
    old.inside("publish")
    old.inside("migrate", expect=0)


def test_writer_who_pushes_during_a_publish_loses_nothing_and_nor_does_hubctl(healthy: World) -> None:
    clone = healthy.clone("person")
    (clone / "README.md").write_text("mine\n")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "-m", "By hand")
    # The first push of hubctl lets the person's go first, then goes on.
    once, push = healthy.home / "once", f'env -i PATH="$PATH" git -C {clone} push --quiet'
    healthy.hook("pre-receive", f"if mkdir {once} 2>/dev/null; then {push} >&2; fi")
    healthy.set_version("v2", "north")
    made = healthy.hubctl("publish", "-o", "json").json
    assert once.exists()
    assert (healthy.tip(), healthy.count()) == (made["commit"], 3)
    assert healthy.file("README.md") == "mine"
    assert f"{MODEL}/v2" in healthy.file(f"rendered/spokes/north/inferenceservice-{MODEL}.yaml")


def test_two_publishes_at_once_make_one_commit(fresh: World) -> None:
    def publish(number: int) -> Any:
        state = str(fresh.home / f"state-{number % 2}")
        return fresh.hubctl("publish", "-o", "json", HUBCTL_STATE=state).json["commit"]

    with ThreadPoolExecutor(4) as pool:
        commits = list(pool.map(publish, range(4)))
    assert fresh.count() == 1
    # In the same second the same content on the same parent is the same commit, so two may rightly claim it.
    assert set(filter(None, commits)) == {fresh.tip()}


def test_reader_who_closes_the_pipe_early_gets_no_traceback(fresh: World) -> None:
    command = f"{sys.executable} -m hubctl -C {fresh.fleet} render | head -n 1"
    done = subprocess.run(
        ["bash", "-c", command], env=fresh.environment(), capture_output=True, check=False, timeout=60
    )
    said = [line for line in done.stderr.decode().splitlines() if not line.startswith("warning:")]
    assert said == []


def test_switched_off_integration_publishes_and_polls_nothing(fresh: World) -> None:
    path = fresh.fleet / "values-hub.yaml"
    values = yaml.safe_load(path.read_text())
    values["coordinationEngine"]["kserve"]["enabled"] = False
    path.write_text(json.dumps(values))
    for command in ("render", "diff", "publish", "poll", "reconcile"):
        assert fresh.inside(command).out == ""
    assert fresh.count() == 0
    assert fresh.predictors.polls("north", MODEL) == 0


def test_switch_of_the_environment_stops_rendering_publishing_and_polling_and_says_so(fresh: World) -> None:
    fresh.environ["ENABLE_KSERVE_INTEGRATION"] = "false"
    for command in ("render", "diff", "publish", "poll", "reconcile"):
        ran = fresh.inside(command)
        assert ran.out == ""
        assert "ENABLE_KSERVE_INTEGRATION is false: nothing is rendered, published or polled" in ran.err
    with fresh.started("run", "--interval", "0.1s") as running:
        until(lambda: running.said.count("switched off") > 1, "two passes that do nothing")
        assert '"key": "ENABLE_KSERVE_INTEGRATION"' in running.said
        running.process.terminate()
        assert running.ended() == 0
    assert fresh.count() == 0
    assert fresh.predictors.polls("north", MODEL) == 0


def test_variables_of_the_engine_register_models_and_validate_says_so(fresh: World) -> None:
    path = fresh.fleet / "values-hub.yaml"
    values = yaml.safe_load(path.read_text())
    del values["coordinationEngine"]["kserve"]["models"][0]
    path.write_text(json.dumps(values))
    assert MODEL in fresh.inside("validate", expect=2).err
    fresh.environ |= {"KSERVE_ANOMALY_DETECTOR_SERVICE": "stable", "KSERVE_NAMESPACE": "edge-models"}
    said = fresh.inside("validate").err
    assert "coordinationEngine.kserve.services.anomaly_detector is stable: the variable" in said
    assert '  namespace: "edge-models"' in fresh.inside("render", "--cluster", "north").out
    explained = fresh.inside(
        "render", "--explain", "spokes/north/coordination-engine.yaml:data.KSERVE_NAMESPACE", "-o", "json"
    ).json
    (origin,) = explained["objects"][0]["fields"][0]["origins"]
    assert (origin["kind"], origin["file"]) == ("environment", "KSERVE_NAMESPACE")
