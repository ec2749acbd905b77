"""A real Dask cluster of processes, and predictors that a test can hold back; both for a whole module."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from hubctl.shards import address
from hubctl.shards.cluster import Cluster
from tests.observe.faultserver import Exchange, FaultServer
from tests.shards.fleets import varied

_PATIENCE = 90.0
"""Seconds for a process to start on a machine that does much else."""


@dataclass
class Predictors:
    """The fleet's predictors, served by one thread; each spoke has a port.

    Attributes:
        spokes: how many.
        free: while it is not set, nobody is answered.
        waiting: spokes whose requests are held back.
        connections: of each spoke, whence its requests came.
    """

    spokes: int
    free: threading.Event = field(default_factory=threading.Event)
    waiting: set[str] = field(default_factory=set)
    connections: defaultdict[str, set[object]] = field(default_factory=lambda: defaultdict(set))
    urls: list[str] = field(default_factory=list)
    _ready: threading.Event = field(default_factory=threading.Event)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.free.set()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(_PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self.free.set()
        self._over.set()
        assert self._thread is not None
        self._thread.join()

    async def held(self, spokes: set[str]) -> None:
        """Wait until a request to one of them is held back."""
        async with asyncio.timeout(_PATIENCE):
            while not self.waiting & spokes:  # noqa: ASYNC110 - another thread's
                await asyncio.sleep(0.02)

    async def _serve(self) -> None:
        async with AsyncExitStack() as stack:
            servers = [await stack.enter_async_context(FaultServer(self._answer)) for _ in range(self.spokes)]
            self.urls = [server.url for server in servers]
            self._ready.set()
            while not self._over.is_set():  # noqa: ASYNC110 - another thread's
                await asyncio.sleep(0.02)

    async def _answer(self, exchange: Exchange) -> None:
        spoke = exchange.path.split("/")[1]
        self.connections[spoke].add(exchange.writer.get_extra_info("peername"))
        self.waiting.add(spoke)
        while not self.free.is_set():  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.02)
        self.waiting.discard(spoke)
        await varied(exchange)


@dataclass
class Processes:
    """A scheduler and workers, each a process."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    where: address.Address = field(default_factory=lambda: address.Address(""))

    def __enter__(self) -> Self:
        said = self.folder / "scheduler.json"
        command = ["distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--dashboard-address", ":0"]
        self._start("scheduler", [*command, "--no-dashboard", "--scheduler-file", str(said)])
        self.where = address.address_of(self._scheduler(said), None, "")
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            process.wait(_PATIENCE)

    def work(self, *names: str) -> None:
        """Start workers."""
        for name in names:
            self._start(
                name, ["hubctl", "worker", "--scheduler", self.where.shown, "--name", name, "--listen", "127.0.0.1"]
            )

    def kill(self, name: str) -> None:
        """End one as a machine does that loses power."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    async def gathered(self, cluster: Cluster) -> None:
        """Wait until all of them are ready."""
        async with asyncio.timeout(_PATIENCE):
            while set((await cluster.crew()).ready) != self.running.keys() - {"scheduler"}:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    def _start(self, name: str, command: Iterable[str]) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            environ = {**os.environ, "HUBCTL_DIRECTORY": str(self.folder)}
            self.running[name] = subprocess.Popen(
                [sys.executable, "-m", *command], stdout=log, stderr=log, env=environ, cwd=self.folder
            )

    def _scheduler(self, said: Path) -> str:
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            try:
                return str(json.loads(said.read_text())["address"])
            except (OSError, ValueError):
                assert self.running["scheduler"].poll() is None, (self.folder / "scheduler.log").read_text()
                time.sleep(0.1)
        raise AssertionError((self.folder / "scheduler.log").read_text())
