"""Inputs from a repository: followed commit by commit, and never left for ones that are wrong."""

import json
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.test_e2e_run import NEW, passes
from tests.e2e.world import MODEL, Running, World, git, until


@pytest.fixture
def inputs(healthy: World) -> Path:
    """A person's clone of a repository with the world's inputs in its folder ``fleets/one``."""
    git(healthy.home, "init", "--quiet", "--bare", "--initial-branch=main", "inputs.git")
    git(healthy.home, "clone", "--quiet", "inputs.git", "inputs")
    clone = healthy.home / "inputs"

    def elsewhere(hubctl: dict[str, object]) -> None:
        hubctl["gitops"] = {"remote": str(healthy.remote), "repoURL": "https://git.example.com/fleet.git"}
        hubctl["store"] = {"url": f"sqlite:///{healthy.store}"}
        observe = hubctl["observe"]
        assert isinstance(observe, dict)
        observe["tokenFile"] = str(healthy.fleet / "token")
        models = hubctl["models"]
        assert isinstance(models, dict)
        models[NEW] = models[MODEL]

    healthy.edit_values(elsewhere)
    for spoke in healthy.spokes:
        rows = (healthy.fleet / f"features/{spoke}/{MODEL}.json").read_bytes()
        (healthy.fleet / f"features/{spoke}/{NEW}.json").write_bytes(rows)
    for name in ("values-hub.yaml", "clusters", "features"):
        (clone / "fleets/one" / name).parent.mkdir(parents=True, exist_ok=True)
        (healthy.fleet / name).rename(clone / "fleets/one" / name)
    push(clone, "Begin")
    healthy.environ |= {
        "HUBCTL_STATE": str(healthy.home / "state"),
        "HUBCTL_CONFIG_REPO": str(healthy.home / "inputs.git"),
        "HUBCTL_CONFIG_PATH": "fleets/one",
    }
    return clone


def push(clone: Path, message: str, *options: str) -> str:
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--allow-empty", "-m", message)
    git(clone, "push", "--quiet", *options, "origin", "HEAD:main")
    return git(clone, "rev-parse", "HEAD")


def command(*arguments: str) -> list[str]:
    """Without a folder: where the inputs are is said by the environment alone, as in a pod."""
    return [sys.executable, "-m", "hubctl", *arguments]


def status(world: World) -> Any:
    done = subprocess.run(command("status", "-o", "json"), env=world.environment(), capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def last_pass(world: World) -> tuple[str, str]:
    """The commit that the latest pass worked from, and what it had to say against a newer one."""
    with closing(sqlite3.connect(f"file:{world.store}?mode=ro", uri=True)) as store:
        found: tuple[str, str] = store.execute(
            "select configuration, complaint from pass order by id desc limit 1"
        ).fetchone()
    return found


@contextmanager
def following(world: World) -> Iterator[Running]:
    """A controller that follows the repository, until told to stop."""
    log = world.home / f"log-{time.monotonic_ns()}"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command("run", "--interval", "0.1s"),
            env=world.environment(),
            stdout=sink,
            stderr=sink,
            start_new_session=True,
        )
    running = Running(process, log)
    try:
        yield running
        process.terminate()
        assert running.ended() == 0
        assert "Traceback" not in running.said
    finally:
        running.kill()


def test_controller_follows_the_repository_and_keeps_the_last_good_commit(healthy: World, inputs: Path) -> None:
    values, north = inputs / "fleets/one/values-hub.yaml", inputs / "fleets/one/clusters/north.yaml"
    good, first = values.read_text(), git(inputs, "rev-parse", "HEAD")
    with following(healthy) as running:
        until(lambda: last_pass(healthy) == (first, ""), "the first pass")
        values.write_text(good.replace("raiseAfter", "riseAfter"))
        bad = push(inputs, "Misspell a key")
        until(lambda: bad[:12] in running.said, "the refusal")
        passes(healthy)
        assert running.said.count(bad[:12]) == 1, "told once, not in every pass"
        told = status(healthy)
        assert (told["configuration"], bad[:12] in told["complaint"]) == (first, True)
        assert "values-hub.yaml" in told["complaint"]

        # Mended and a new model, in two quick commits.
        values.write_text(good)
        push(inputs, "Spell it")
        found = yaml.safe_load(good)
        found["coordinationEngine"]["kserve"]["models"].append({"name": NEW})
        values.write_text(yaml.safe_dump(found))
        cluster = yaml.safe_load(north.read_text())
        cluster["spec"]["models"].append({"name": NEW, "version": "v1"})
        north.write_text(yaml.safe_dump(cluster))
        healthy.predictors.serving["north", NEW] = "v1"
        mended = push(inputs, "Register a model")
        passes(healthy, NEW)
        assert f"rendered/spokes/north/inferenceservice-{NEW}.yaml" in healthy.files()
        assert last_pass(healthy) == (mended, "")

        (healthy.home / "inputs.git").rename(healthy.home / "away.git")
        until(lambda: last_pass(healthy)[1] != "", "a pass without the repository")
        assert last_pass(healthy)[0] == mended


def test_hydrated_branch_stands_for_the_commit_of_the_repository(healthy: World, inputs: Path) -> None:
    values = inputs / "fleets/one/values-hub.yaml"
    found = yaml.safe_load(values.read_text())
    found["hubctl"]["gitops"] |= {"branch": "env/one", "publishing": {"mode": "hydrated"}}
    del found["hubctl"]["remediation"]["policies"]
    values.write_text(yaml.safe_dump(found))
    commit = push(inputs, "Hydrate")
    with following(healthy) as running:
        until(lambda: running.said.count('"event": "pass"') >= 2, "two passes")
        assert '"level": "error"' not in running.said
    metadata = json.loads(git(healthy.remote, "show", "env/one-next:hydrator.metadata"))
    assert (metadata["drySha"], metadata["subject"]) == (commit, "Hydrate")


def test_commit_refused_for_a_store_that_was_away_comes_into_force_once_it_is_there(
    healthy: World, inputs: Path
) -> None:
    values, folder = inputs / "fleets/one/values-hub.yaml", healthy.home / "stores"
    folder.write_text("a file where a folder is to be")
    with following(healthy) as running:
        until(lambda: '"event": "pass"' in running.said, "the first pass")
        found = yaml.safe_load(values.read_text())
        found["hubctl"]["store"] = {"url": f"sqlite:///{folder}/hubctl.db"}
        values.write_text(yaml.safe_dump(found))
        commit = push(inputs, "Move the store")
        until(lambda: f"commit {commit[:12]}" in running.said, "the refusal")
        folder.unlink()
        until((folder / "hubctl.db").is_file, "the new store", 15)
