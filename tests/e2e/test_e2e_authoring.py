"""The commands with which a person writes a fleet, and what every command has in common."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from hubctl.cli import main
from tests.e2e.world import MODEL, World, git

PRINTING = (
    "validate", "schemas list", "clusters list", "clusters show north", "models list", "diff", "publish --dry-run",
    "poll", "reconcile --dry-run", "status", "status --storage", "incidents list", "incidents show inc-",
    "remediations list", "remediations show rem-", "explain inc-", "doctor",
)  # fmt: skip


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command below a group, groups left out."""
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        if isinstance(found, click.Group):
            yield from commands(found, (*path, name))
        else:
            yield (*path, name)


@pytest.mark.parametrize("path", list(commands(main.cli)), ids=" ".join)
def test_help_of_a_command_holds_an_example_of_it(path: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run([*path, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "Example" in shown
    example = next(line for line in shown.splitlines() if line.strip().startswith("hubctl "))
    assert " ".join(path) in example


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory, began_pending: World) -> Iterator[World]:
    """A world with something of everything to print."""
    world = began_pending.copied(tmp_path_factory.mktemp("printed"))
    yield world
    world.predictors.close()


@pytest.mark.parametrize("command", PRINTING)
def test_json_and_yaml_of_a_command_parse_and_have_the_same_keys(printed: World, command: str) -> None:
    known = {"inc-": printed.incidents()[0]["id"], "rem-": printed.remediations()[0]["id"]}
    words = [known.get(word, word) for word in command.split()]
    ran = {shape: printed.inside(*words, "-o", shape, expect=None) for shape in ("json", "yaml", "table")}
    assert {one.code for one in ran.values()} in ({0}, {1}), ran
    as_json: dict[str, Any] = ran["json"].json
    assert as_json
    assert as_json.keys() == yaml.safe_load(ran["yaml"].out).keys()
    assert ran["table"].out + ran["table"].err


def test_fleet_can_be_begun_and_published_with_commands_alone(tmp_path: Path, began_fresh: World) -> None:
    world = World(tmp_path, began_fresh.predictors, ())
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", str(world.remote))
    world.fleet.mkdir()
    world.inside("init", str(world.fleet), "--remote", str(world.remote))
    world.inside("init", str(world.fleet), expect=2)
    world.inside("models", "register", "disk-anomaly", "--description", "failing disks")
    world.inside("clusters", "add", "edge", "--topology", "sno", "--model", f"{MODEL}@v1", "--model", "disk-anomaly@v3")
    world.inside("clusters", "add", "cloud", "--platform", "kubernetes", "--version", "1.33", "--bucket", "models")
    world.inside("publish")
    assert "pvc://" in world.file("rendered/spokes/edge/inferenceservice-disk-anomaly.yaml")
    world.inside("models", "set-version", MODEL, "v2", "--dry-run")
    world.inside("diff", expect=0)
    world.inside("models", "set-version", MODEL, "v2")
    world.inside("publish")
    assert f"{MODEL}/v2" in world.file(f"rendered/spokes/edge/inferenceservice-{MODEL}.yaml")
    assert git(world.remote, "rev-list", "--count", "main") == "2"
    versions = {one["name"]: one["versions"] for one in world.inside("models", "list", "-o", "json").json["models"]}
    assert versions[MODEL] == {"v2": 1}
    world.inside("clusters", "remove", "cloud", "--dry-run")
    names = [one["name"] for one in world.inside("clusters", "list", "-o", "json").json["clusters"]]
    assert names == ["cloud", "edge"]


def test_comments_of_a_person_survive_every_edit(healthy: World) -> None:
    path, values = healthy.cluster_file("north"), healthy.fleet / "values-hub.yaml"
    path.write_text("# The north.\n" + path.read_text().replace("version: v1", "version: v1  # pinned by Ann", 1))
    values.write_text("# Our hub.\n" + values.read_text())
    healthy.inside("models", "set-version", MODEL, "v2", "--cluster", "north")
    healthy.inside("models", "register", "disk-anomaly")
    assert "# The north." in path.read_text()
    assert "version: v2  # pinned by Ann" in path.read_text()
    assert values.read_text().startswith("# Our hub.")


def test_rollback_by_hand_goes_back_to_the_version_known_good(pending: World) -> None:
    pending.inside("models", "rollback", MODEL, "--cluster", "north", "--cluster", "west")
    pending.inside("publish")
    assert f"{MODEL}/v1" in pending.file(f"rendered/spokes/north/inferenceservice-{MODEL}.yaml")


def test_edit_that_would_break_the_inputs_is_taken_back(healthy: World) -> None:
    before = healthy.cluster_file("north").read_text()
    healthy.inside("models", "set-version", MODEL, "not a version", expect=2)
    assert healthy.cluster_file("north").read_text() == before


def test_schemas_are_written_for_editors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["schema", "--output", str(tmp_path / "schemas")]) == 0
    written = {path.name for path in (tmp_path / "schemas").iterdir()}
    inputs = {"spoke.schema.json", "override.schema.json", "values-hub.schema.json", "golden.schema.json"}
    assert written == inputs | {"diff.schema.json", "explanation.schema.json"}
    capsys.readouterr()
    assert main.run(["schema", "spoke"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads((tmp_path / "schemas" / "spoke.schema.json").read_text())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_script_is_printed(shell: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_HUBCTL_COMPLETE={shell}_complete" in script
    if shell == "bash":
        (tmp_path / "script").write_text(script)
        subprocess.run(["bash", "-n", str(tmp_path / "script")], check=True)


def test_completion_knows_commands_and_spokes_of_the_folder(healthy: World) -> None:
    words = f"hubctl -C {healthy.fleet} clusters show no"
    asked = {"_HUBCTL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "5"}
    assert healthy.hubctl(expect=None, **asked).out.split() == ["plain,north"]
    asked = {"_HUBCTL_COMPLETE": "bash_complete", "COMP_WORDS": "hubctl rec", "COMP_CWORD": "1"}
    assert healthy.hubctl(expect=None, **asked).out.split() == ["plain,reconcile"]


def test_doctor_finds_a_healthy_fleet_well_and_a_lost_remote_not(healthy: World) -> None:
    healthy.inside("doctor")
    healthy.remote.rename(healthy.home / "away.git")
    ran = healthy.inside("doctor", expect=None)
    assert ran.code != 0
    assert "remote" in ran.out + ran.err
