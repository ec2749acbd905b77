"""The demo's story: every step a command that a person could type, on real model servers and a real Git remote.

hubctl runs as a program of its own here, so that what is shown is what a user gets. The person who edits, commits and
repairs, and the stand-in for Argo CD and the kubelets, are played by this process.
"""

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import sys
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hubctl.demo import delivery, fleet, monitoring, receiver, remote, training
from hubctl.errors import RemoteFailed

MODEL = "anomaly-detector"
GOOD, BAD = "v1", "v2"
ROLLED_OUT = ("cloud-west", "edge-north")
"""Spokes that get the bad version."""

BROKEN = "edge-south"
"""The spoke whose nodes break at the same time."""

ROUNDS = 6
"""Passes at most until what should be concluded is concluded."""

Say = Callable[[str], None]


@dataclass(slots=True)
class Stage:
    """Where the story plays: folders, the servers, and how it is told.

    Attributes:
        home: holds ``remote.git``, ``fleet`` (the person's clone, hubctl's folder), ``models``, ``logs``
            and ``prometheus``.
        round: the number of the next window.
        measured: the Prometheus that metrics come from; None for files.
    """

    home: Path
    say: Say
    servers: delivery.Delivery
    heard: receiver.Receiver
    measured: monitoring.Monitoring | None = None
    began: float = field(default_factory=time.monotonic)
    round: int = 1

    @property
    def clone(self) -> Path:
        """The person's clone of the fleet's repository."""
        return self.home / "fleet"

    def chapter(self, text: str) -> None:
        """A heading with the time since the beginning."""
        self.say(f"\n== {text}  [{time.monotonic() - self.began:.0f} s]")

    async def hubctl(self, *arguments: str, show: bool = True, expect: tuple[int, ...] = (0,)) -> str:
        """Run hubctl on the clone; its standard output.

        Raises:
            RemoteFailed: it exited with a code that the story does not expect.
        """
        if show:
            self.say(f"$ hubctl {shlex.join(arguments)}")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hubctl", "-C", str(self.clone), *arguments,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        out, err = (part.decode() for part in await process.communicate())
        if show:
            for line in (err + out).splitlines():
                self.say(f"  {line}")
        if process.returncode not in expect:
            raise RemoteFailed(
                f"`hubctl {' '.join(arguments)}` exited with {process.returncode}, expected {expect}: {err.strip()}",
                hint=f"look into {self.home}",
            )
        return out

    async def sync(self) -> None:
        """Let the spokes follow the branch, as Argo CD would."""
        for change in (await self.servers.sync()).changes:
            self.say(f"  spoke: {change}")

    async def look(self, *, broken: tuple[str, ...] = (), show: bool = False) -> dict[str, Any]:
        """A new window of metrics on every spoke, one pass of hubctl, and the status after it."""
        await self.measure(broken)
        await self.hubctl("reconcile", show=show)
        for notification in self.heard.take():
            self.say(f"  webhook: {notification['incident']['state']}: {notification['incident']['summary']}")
        status: dict[str, Any] = json.loads(await self.hubctl("status", "-o", "json", show=False, expect=(0, 1)))
        return status

    async def measure(self, broken: tuple[str, ...] = ()) -> None:
        """Let there be a new window, in which the nodes of some spokes are broken."""
        if self.measured is None:
            fleet.write_windows(self.clone, number=self.round, broken=broken)
            self.round += 1
            return
        self.measured.exporter.set_broken(broken)
        await self.measured.settled()

    async def until(
        self, what: str, reached: Callable[[dict[str, Any]], bool], *, broken: tuple[str, ...] = (), show: bool = True
    ) -> dict[str, Any]:
        """Passes until the status says so.

        Raises:
            RemoteFailed: it did not within ``ROUNDS``.
        """
        for _ in range(ROUNDS):
            status = await self.look(broken=broken, show=show)
            if reached(status):
                return status
        raise RemoteFailed(f"after {ROUNDS} passes still not: {what}", hint=f"look into {self.home}")


async def play(home: Path, say: Say, *, keep: bool) -> None:
    """Tell the whole story in an empty folder; with ``keep``, the fleet then stays up until this is cancelled.

    Raises:
        RemoteFailed: something did not come out as it should.
    """
    began = time.monotonic()
    say("== Train the models and write the fleet's files  [0 s]")
    training.train_all(home / "models", seed=7)
    bare = await remote.make_remote(home / "remote.git")
    ports = delivery.ports(fleet.KEYS)
    clone = home / "fleet"
    clone.mkdir()
    async with (
        receiver.Receiver() as heard,
        metrics(home, say) as measured,
        delivery.Delivery(bare, models=home / "models", logs=home / "logs", ports=ports) as servers,
    ):
        source = measured.url if measured else None
        fleet.write_fleet(clone, remote=bare, ports=ports, mode="auto", webhook=heard.url, metrics=source)
        await remote.push_inputs(clone, bare)
        names = ", ".join(spoke.name for spoke in fleet.SPOKES)
        say(f"  four spokes ({names}), {len(fleet.KEYS)} predictors, a webhook, a Git remote in {bare}")
        stage = Stage(home, say, servers, heard, measured, began)
        await publish_first(stage)
        await break_things(stage)
        commit = await find_and_act(stage)
        await recover(stage)
        await epilogue(stage, commit)
        if keep:
            await stay_up(stage)


@contextlib.asynccontextmanager
async def metrics(home: Path, say: Say) -> AsyncIterator[monitoring.Monitoring | None]:
    """A real Prometheus if there is one, and the word for what is used instead."""
    found = monitoring.program()
    if found is None:
        say("  no prometheus on PATH: the metrics come from files, as a job would write them")
        yield None
        return
    async with monitoring.Monitoring(found, home / "prometheus", fleet.KEYS) as running:
        say(f"  the metrics come from a real Prometheus, {found}, which scrapes the spokes each second")
        yield running


async def publish_first(stage: Stage) -> None:
    """Render, publish, deliver, and learn what good looks like."""
    stage.chapter("Publish the fleet; the spokes start their model servers")
    await stage.hubctl("publish", "-m", "Render the fleet for the first time")
    await stage.sync()
    stage.chapter("Look at the fleet until every predictor is known")
    await stage.until("healthy", lambda status: conditions(status) == {"healthy"}, show=False)
    await stage.hubctl("poll")
    await stage.hubctl("status", expect=(0,))


async def break_things(stage: Stage) -> None:
    """Two things go wrong at once: a bad model version on two spokes, broken nodes on a third."""
    stage.chapter(f"A person rolls out {MODEL} {BAD} to two spokes; at the same time nodes of {BROKEN} break")
    if stage.measured is not None:
        stage.measured.exporter.set_broken((BROKEN,))
    chosen = [part for spoke in ROLLED_OUT for part in ("--cluster", spoke)]
    await stage.hubctl("models", "set-version", MODEL, BAD, *chosen)
    await remote.push_change(stage.clone, f"Roll out {MODEL} {BAD} to {' and '.join(ROLLED_OUT)}")
    await stage.hubctl("publish", "-m", f"Deliver {MODEL} {BAD}")
    await stage.sync()


async def find_and_act(stage: Stage) -> str:
    """Hubctl tells the two apart and rolls the model back; the commit that did it."""
    stage.chapter("hubctl looks, concludes and acts")
    status = await stage.until("two incidents", lambda status: len(blamed(status)) == 2, broken=(BROKEN,))  # noqa: PLR2004
    if blamed(status) != {f"model-anomaly:{MODEL}@{BAD}", f"spoke-anomaly:{BROKEN}"}:
        raise RemoteFailed(f"the wrong things were blamed: {sorted(blamed(status))}", hint=f"look into {stage.home}")
    listed = json.loads(await stage.hubctl("remediations", "list", "-o", "json", show=False))
    commits = [
        item["commit"] for item in listed["remediations"] if item["action"] == "rollback-model" and item["commit"]
    ]
    if len(commits) != 1:
        raise RemoteFailed(f"expected one rollback commit, found {len(commits)}", hint=f"look into {stage.home}")
    return str(commits[0])


async def recover(stage: Stage) -> None:
    """The spokes follow the rollback and the nodes are repaired; both incidents close on fresh evidence."""
    stage.chapter("The spokes follow the rollback; the model's incident closes, the spoke's stays")
    await stage.sync()
    await stage.until(
        "the model's incident closed", lambda status: blamed(status) == {f"spoke-anomaly:{BROKEN}"}, broken=(BROKEN,)
    )
    stage.chapter(f"A person repairs the nodes of {BROKEN}; its incident closes too")
    await stage.until("no incident", lambda status: not status["incidents"] and conditions(status) == {"healthy"})
    await stage.hubctl("status")


async def epilogue(stage: Stage, commit: str) -> None:
    """What happened, and where to look closer."""
    stage.chapter("What happened")
    listed = json.loads(await stage.hubctl("incidents", "list", "--all", "-o", "json", show=False))["incidents"]
    await stage.hubctl("incidents", "list", "--all")
    bare = stage.home / "remote.git"
    stage.say(f"$ git -C {bare} show --stat {commit[:12]}")
    shown = await remote.run(bare, "show", "--stat", "--format=commit %H%n%n%B", commit)
    for line in shown.decode().rstrip().splitlines():
        stage.say(f"  {line}".rstrip())
    model_incident = next(item["id"] for item in listed if item["kind"] == "model-anomaly")
    stage.chapter("Look closer")
    stage.say(f"  git -C {bare} log -p main          every commit, overrides and manifests together")
    stage.say(f"  {program()} -C {stage.clone} explain {model_incident}")
    stage.say(f"  {program()} -C {stage.clone} remediations list")
    stage.say(f"  rm -r {stage.home}          when you have seen enough")


async def stay_up(stage: Stage) -> None:
    """Keep the servers, fresh windows and delivery going until this is cancelled."""
    stage.chapter("The fleet stays up; play with it in another terminal, end it with Ctrl-C")
    stage.say(f"  {program()} -C {stage.clone} poll")
    stage.say(f"  {program()} -C {stage.clone} run")
    while True:
        await stage.measure()
        await stage.sync()
        await asyncio.sleep(5)


def program() -> str:
    """How this person calls hubctl: by name if it is on the PATH, else by the environment's own script."""
    return "hubctl" if shutil.which("hubctl") else os.path.relpath(Path(sys.executable).with_name("hubctl"))


def conditions(status: dict[str, Any]) -> set[str]:
    """Every condition that some spoke has."""
    return {cluster["health"] for cluster in status["clusters"]}


def blamed(status: dict[str, Any]) -> set[str]:
    """Keys of the open incidents that no wider one explains."""
    return {incident["key"] for incident in status["incidents"] if not incident["inhibitedBy"]}
