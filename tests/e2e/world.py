"""A whole world for one test: a fleet's folder, its bare remote, model servers, and hubctl as a program.

A world can be copied with all that its past left behind, so that a test begins in the middle of a story.
"""

import asyncio
import io
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from hubctl.cli import main
from hubctl.demo import delivery, remote
from tests.e2e.predictors import Loop, Predictors

MARK = "HUBCTL_E2E_RUN"
"""Variable that every process of a test run carries."""

STORY = "HUBCTL_E2E_STORY"
"""Variable that every process of the demo carries."""

SECRET = "kept-secret-4711"
MODEL, OTHER = "anomaly-detector", "network-anomaly"
SPOKES = ("east", "north", "south", "west")
SICK = ("north", "west")
"""Spokes that get the bad version."""

VALUES = {
    "global": {"pattern": "not hubctl's"},
    "coordinationEngine": {"kserve": {"models": [{"name": MODEL}, {"name": OTHER}]}},
    "hubctl": {
        "gitops": {"remote": "../remote.git", "repoURL": "https://git.example.com/fleet.git"},
        "observe": {"deadline": "5s", "tokenFile": "token"},
        "models": {
            MODEL: {"features": {"file": "features/{cluster}/{model}.json"}},
            OTHER: {"features": {"file": "features/{cluster}/{model}.json"}},
        },
        # A world is copied minutes after its votes were given.
        "aggregate": {"raiseAfter": 1, "clearAfter": 1, "minVotes": 1, "settle": 0, "staleAfter": "1h"},
        "remediation": {
            "mode": "approve",
            "cooldown": "1s",
            "maxActionsPerHour": 20,
            "maxSpokesAtOnce": 2,
            "policies": [{"name": "back", "on": "model-anomaly", "action": "rollback-model"}],
        },
    },
}


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run of hubctl left on the screen."""

    arguments: tuple[str, ...]
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    def checked(self, expect: int | None) -> "Ran":
        """Itself, if it exited as expected; whatever happens, there is no traceback and no secret."""
        assert expect is None or self.code == expect, self
        assert "Traceback" not in self.err + self.out, self
        assert SECRET not in self.err + self.out, self
        return self

    def __str__(self) -> str:
        return f"hubctl {' '.join(self.arguments)} exited with {self.code}\n{self.out}\n{self.err}"


@dataclass
class World:
    """Folders, remote and model servers.

    Attributes:
        home: holds ``fleet``, hubctl's directory, and ``remote.git``.
        window: number of the window that was written last.
        environ: variables for hubctl beside the usual ones.
    """

    home: Path
    predictors: Predictors
    spokes: tuple[str, ...] = SPOKES
    window: int = 0
    environ: dict[str, str] = field(default_factory=dict)

    @classmethod
    def made(cls, home: Path, loop: Loop, spokes: tuple[str, ...] = SPOKES) -> "World":
        """A fleet as a person would write it, and a remote without commits."""
        world = cls(home, Predictors(loop, spokes), spokes)
        (world.fleet / "clusters").mkdir(parents=True)
        git(home, "init", "--quiet", "--bare", "--initial-branch=main", str(world.remote))
        world.predictors.open()
        world.predictors.serving = {(spoke, model): "v1" for spoke in spokes for model in (MODEL, OTHER)}
        (world.fleet / "values-hub.yaml").write_text(yaml.safe_dump(VALUES, sort_keys=False))
        (world.fleet / "token").write_text(SECRET)
        for spoke in spokes:
            world.write_cluster(spoke)
        world.new_window()
        return world

    def copied(self, home: Path) -> "World":
        """The same world once more, past and all, with model servers of its own."""
        shutil.copytree(self.home, home, dirs_exist_ok=True)
        mine = self.predictors
        other = Predictors(mine.loop, self.spokes, dict(mine.serving), set(mine.bad), set(mine.ill), dict(mine.faults))
        other.open()
        world = World(home, other, self.spokes, self.window, dict(self.environ))
        for spoke in self.spokes:
            path = world.cluster_file(spoke)
            url = f"http://127.0.0.1:{other.listeners[spoke].port}"
            path.write_text(re.sub(r"http://127\.0\.0\.1:\d+", url, path.read_text()))
        return world

    @property
    def fleet(self) -> Path:
        return self.home / "fleet"

    @property
    def remote(self) -> Path:
        return self.home / "remote.git"

    @property
    def store(self) -> Path:
        return self.fleet / ".hubctl" / "hubctl.db"

    def cluster_file(self, spoke: str) -> Path:
        return self.fleet / "clusters" / f"{spoke}.yaml"

    def write_cluster(self, spoke: str, port: int | None = None) -> None:
        """A spoke with both models at v1."""
        port = port or self.predictors.listeners[spoke].port
        models = [{"name": model, "version": "v1"} for model in (MODEL, OTHER)]
        spec = {
            "platform": "openshift",
            "version": "4.18",
            "route": {"type": "url", "url": f"http://127.0.0.1:{port}"},
            "models": models,
        }
        head = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": spoke}}
        self.cluster_file(spoke).write_text(yaml.safe_dump({**head, "spec": spec}, sort_keys=False))

    def edit_values(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Change ``hubctl`` in the values file, as an editor that writes a file whole would."""
        path = self.fleet / "values-hub.yaml"
        values = yaml.safe_load(path.read_text())
        change(values["hubctl"])
        fresh = path.with_suffix(".new")
        fresh.write_text(yaml.safe_dump(values, sort_keys=False))
        fresh.replace(path)

    def set_mode(self, mode: str) -> None:
        self.edit_values(lambda hubctl: hubctl["remediation"].update(mode=mode))

    def set_policies(self, *policies: Mapping[str, str]) -> None:
        self.edit_values(lambda hubctl: hubctl["remediation"].update(policies=[dict(each) for each in policies]))

    def set_version(self, version: str, *spokes: str, model: str = MODEL) -> None:
        """Another version in the cluster files."""
        for spoke in spokes:
            path = self.cluster_file(spoke)
            found = yaml.safe_load(path.read_text())
            next(each for each in found["spec"]["models"] if each["name"] == model)["version"] = version
            path.write_text(yaml.safe_dump(found, sort_keys=False))

    def roll_out(self, version: str, *spokes: str, bad: bool = True) -> None:
        """Another version in the cluster files and on the spokes, with rows of its own to look at."""
        self.set_version(version, *spokes)
        self.predictors.serving |= {(spoke, MODEL): version for spoke in spokes}
        if bad:
            self.predictors.bad.add((MODEL, version))
        self.new_window()

    def new_window(self) -> None:
        """New rows for every predictor."""
        self.window += 1
        for spoke in self.spokes:
            for model in (MODEL, OTHER):
                path = self.fleet / "features" / spoke / f"{model}.json"
                path.parent.mkdir(parents=True, exist_ok=True)
                rows = [[float(self.window), float(row)] for row in range(10)]
                path.with_suffix(".new").write_text(json.dumps({"window": f"w{self.window}", "instances": rows}))
                path.with_suffix(".new").replace(path)

    def sync(self) -> None:
        """Let the model servers serve what the branch says, as Argo CD and KServe would."""
        files = asyncio.run(remote.read_folder(self.remote, "main", "rendered/spokes"))
        for (spoke, model), place in delivery.read_desired(files).models.items():
            self.predictors.serving[spoke, model] = place.rpartition("/")[2]
        self.new_window()

    def hubctl(self, *arguments: str, expect: int | None = 0, **environ: str) -> Ran:
        """Run hubctl as a program, to its end."""
        done = subprocess.run(
            self._command(arguments), env=self.environment() | environ, capture_output=True, check=False, timeout=60
        )
        return Ran(arguments, done.returncode, done.stdout.decode(), done.stderr.decode()).checked(expect)

    def inside(self, *arguments: str, expect: int | None = 0) -> Ran:
        """The same in this process: all parts are as real, and starting Python over and over is saved."""
        out, err, before = io.StringIO(), io.StringIO(), dict(os.environ)
        os.environ.update(self.environment())
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = main.run(["-C", str(self.fleet), *arguments])
        finally:
            os.environ.clear()
            os.environ.update(before)
        return Ran(arguments, code, out.getvalue(), err.getvalue()).checked(expect)

    @contextmanager
    def started(self, *arguments: str, **environ: str) -> Iterator["Running"]:
        """Run hubctl in a process group of its own, which is gone afterwards."""
        log = self.home / f"log-{time.monotonic_ns()}"
        with log.open("wb") as sink:
            process = subprocess.Popen(
                self._command(arguments),
                env=self.environment() | environ,
                stdout=sink,
                stderr=sink,
                start_new_session=True,
            )
        running = Running(process, log)
        try:
            yield running
        finally:
            running.kill()

    def reconcile(self, expect: int = 0) -> Any:
        """One pass, as data."""
        return self.inside("reconcile", "-o", "json", expect=expect).json

    def status(self) -> Any:
        return self.inside("status", "-o", "json", expect=None).json

    def incidents(self) -> list[dict[str, Any]]:
        """Every incident, resolved ones too, oldest first; read from SQLite itself, which is quicker than asking."""
        return self._documents("select document from incident order by json_extract(document, '$.opened_at'), id")

    def remediations(self) -> list[dict[str, Any]]:
        """Every remediation, oldest first."""
        return self._documents("select document from remediation order by json_extract(document, '$.created_at'), id")

    def open_keys(self) -> list[str]:
        """Keys of the incidents that are not resolved."""
        return sorted(one["key"] for one in self.incidents() if one["state"] != "resolved")

    def environment(self) -> dict[str, str]:
        """Nothing of the person who runs the tests, and the mark of this run."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "USER": "tester",
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            MARK: os.environ[MARK],
            **self.environ,
        }

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "hubctl", "-C", str(self.fleet), *arguments]

    def tip(self) -> str:
        return git(self.remote, "rev-parse", "main")

    def count(self) -> int:
        """Commits on the branch; none before the first publish."""
        return int(git(self.remote, "rev-list", "--count", "--all"))

    def file(self, path: str) -> str:
        """A file at the branch's tip."""
        return git(self.remote, "show", f"main:{path}")

    def files(self) -> list[str]:
        return git(self.remote, "ls-tree", "-r", "--name-only", "main").splitlines()

    def touched(self, commit: str) -> set[str]:
        """Paths that a commit changes."""
        return set(git(self.remote, "show", "--format=", "--name-only", commit).splitlines())

    def actions(self) -> list[str]:
        """The action ids of all commits on the branch, newest first, each as often as it is there."""
        shown = git(self.remote, "log", "--format=%(trailers:key=Hubctl-Action-Id,valueonly,separator=%x2C)", "main")
        return [line for line in shown.splitlines() if line]

    def clone(self, name: str) -> Path:
        """A person's clone of the remote."""
        git(self.home, "clone", "--quiet", str(self.remote), name)
        return self.home / name

    def commit(self, clone: Path, path: str, text: str, *, push: bool = True) -> None:
        """A commit of another writer."""
        (clone / path).parent.mkdir(parents=True, exist_ok=True)
        (clone / path).write_text(text)
        git(clone, "add", "--all")
        git(clone, "commit", "--quiet", "-m", f"By hand: {path}")
        if push:
            git(clone, "push", "--quiet")

    def hook(self, name: str, script: str) -> None:
        """A hook of the remote."""
        path = self.remote / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def states(self) -> dict[str, str]:
        """Remediations and their states."""
        return {one["id"]: one["state"] for one in self.remediations()}

    def _documents(self, question: str) -> list[dict[str, Any]]:
        if not self.store.exists():
            return []
        with closing(sqlite3.connect(f"file:{self.store}?mode=ro", uri=True)) as store:
            try:
                return [json.loads(row[0]) for row in store.execute(question)]
            except sqlite3.OperationalError as error:
                # A hubctl that makes its first table just now, or was killed while it did.
                if "no such table" not in str(error):
                    raise
                return []

    def check_sound(self) -> None:
        """Remote, cache and store are whole and agree: each action that was done is there once."""
        git(self.remote, "fsck", "--strict")
        git(self.fleet / ".hubctl" / "repository.git", "fsck", "--strict")
        with closing(sqlite3.connect(self.store)) as store:
            assert store.execute("pragma integrity_check").fetchall() == [("ok",)]
            assert store.execute("pragma foreign_key_check").fetchall() == []
        done = [one for one in self.remediations() if one["action"] != "notify"]
        assert sorted(self.actions()) == sorted(one["id"] for one in done if one["commit"])
        assert {one["state"] for one in done} <= {"applied", "succeeded"}, done
        for one in done:
            assert f"Hubctl-Action-Id: {one['id']}" in git(self.remote, "show", "--format=%B", one["commit"])


@dataclass(frozen=True, slots=True)
class Running:
    """A hubctl that runs."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        return self.log.read_text()

    def kill(self, *, group: bool = True) -> None:
        """SIGKILL, to its children too unless told otherwise."""
        with suppress(ProcessLookupError):
            if group:
                os.killpg(self.process.pid, signal.SIGKILL)
            else:
                os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(timeout=20)

    def ended(self, seconds: float = 60) -> int:
        """Its exit code."""
        return self.process.wait(timeout=seconds)


def until(reached: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until something is so."""
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end, f"after {seconds:g} s still not: {what}"
        time.sleep(0.01)


def git(folder: Path, *arguments: str) -> str:
    """What git prints; fails the test when git fails."""
    person = {
        f"GIT_{role}_{what}": "person@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environ = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **person}
    done = subprocess.run(["git", "-C", str(folder), *arguments], env=environ, capture_output=True, check=False)
    assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr.decode()}"
    return done.stdout.decode().strip()


def marked(name: str, value: str) -> list[str]:
    """Command lines of living processes that carry a variable."""
    mark, found = f"{name}={value}".encode(), []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int(folder.name) != os.getpid() and mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append((folder / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # It ended, or is nobody's but another user's.
    return found
