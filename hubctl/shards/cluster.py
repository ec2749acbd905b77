"""The Dask cluster as the leader sees it: one connection to the scheduler, which workers there are, and calls to them.

Apart from ``engine``, which knows rounds and nothing of Dask. A call is none of Dask's tasks: those are tried again
elsewhere when a worker dies, and would be polled twice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import structlog

import hubctl
from hubctl.errors import InputError, RemoteFailed
from hubctl.shards import station
from hubctl.shards.address import Address, security

if TYPE_CHECKING:
    from distributed import Client

log = structlog.get_logger("hubctl")

_PATIENCE = 10.0
"""Seconds."""

_FIRST, _MOST = 1.0, 60.0
"""Seconds until a scheduler that did not answer is asked again: the first time, and at most."""


@dataclass(frozen=True, slots=True)
class Crew:
    """The workers of a moment.

    Attributes:
        ready: name to address, of those that can poll.
        refused: those that cannot, each with why, in words for people.
    """

    ready: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()


class Lost(Exception):  # noqa: N818 - named after what happened
    """A worker gave no answer."""


class Cluster:
    """One Dask cluster; connected when it is needed."""

    def __init__(self, address: Address, folder: Path, patience: float = _PATIENCE) -> None:
        """Take where the scheduler is; nothing is opened yet.

        Args:
            address: of the scheduler.
            folder: which relative paths of certificates start from.
            patience: seconds for connecting, and for what the scheduler answers by itself.
        """
        self._address, self._folder, self._patience = address, folder, patience
        self._client: Client | None = None
        self._turn = asyncio.Lock()
        self._pause, self._not_before = 0.0, 0.0

    async def crew(self) -> Crew:
        """Who is there now.

        Raises:
            RemoteFailed: the scheduler does not answer.
            InputError: a certificate is not there, or Dask is not installed.
        """
        async with self._turn:  # rounds overlap, and one connection is enough
            if (left := self._not_before - time.monotonic()) > 0:
                raise self._away(f"asked again in {ceil(left)} s")
            try:
                said = await self._identity()
            except (OSError, TimeoutError) as error:
                await self.close()
                self._pause = min(max(2 * self._pause, _FIRST), _MOST)
                self._not_before = time.monotonic() + self._pause
                raise self._away(str(error) or type(error).__name__) from error
            self._pause = 0.0
        return crew_of(said["workers"])

    async def _identity(self) -> Mapping[str, Any]:
        """What the scheduler says of itself and its workers."""
        if self._client is not None and self._client.status not in ("running", "connecting"):
            await self.close()  # it tried to reconnect for long enough
        client = self._client or await self._connected()
        async with asyncio.timeout(self._patience):
            said: Mapping[str, Any] = await client.scheduler.identity(n_workers=-1)
        return said

    async def ask(self, worker: str, data: bytes) -> bytes:
        """What the worker at an address makes of a job.

        Raises:
            Lost: it ended, or could not be reached, or failed; ``str`` says which.
        """
        client = self._client
        if client is None or client.scheduler is None:
            raise Lost("the scheduler is away")
        try:
            answers = await client.run(station.work, data, workers=[worker], on_error="return")
        except (OSError, KeyError) as error:  # of the scheduler; KeyError: the worker left in between
            raise Lost(f"{type(error).__name__}: {error}") from error
        answer: object = answers.get(worker)
        if not isinstance(answer, bytes):
            raise Lost(f"{type(answer).__name__}: {answer}")
        return answer

    async def close(self) -> None:
        """Close the connection."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(OSError, TimeoutError):
                await client.close(timeout=self._patience)

    async def _connected(self) -> Client:
        try:
            from distributed import Client  # noqa: PLC0415 - loads slowly, and is not installed everywhere
        except ImportError as error:
            raise InputError(
                "polling on Dask needs the package distributed", hint="pip install 'hubctl[dask]'; the image has it"
            ) from error
        client = Client(
            self._address.url,
            security=security(self._address.tls, self._folder),
            asynchronous=True,
            set_as_default=False,
            timeout=self._patience,
            name="hubctl",
        )
        try:
            await client
        except BaseException:
            with suppress(OSError, TimeoutError):
                await client.close(timeout=1)
            raise
        self._client = client
        log.info("connected", scheduler=self._address.shown)
        return client

    def _away(self, why: str) -> RemoteFailed:
        return RemoteFailed(
            f"the Dask scheduler does not answer: {why}",
            where=self._address.shown,
            hint="nothing is polled until it does; `hubctl run --engine process` polls in this process",
        )


def crew_of(workers: Mapping[str, Mapping[str, Any]]) -> Crew:
    """Who can poll, of the workers by address as the scheduler describes them."""
    ready: dict[str, str] = {}
    refused = []
    for address, worker in workers.items():
        said = worker.get(station.NAME)
        version = said.get("version") if isinstance(said, Mapping) else None
        if version == hubctl.__version__:
            if worker.get("status") == "running":
                ready[str(worker["name"])] = address
            continue
        found = f"has hubctl {version}" if version else "was not started by `hubctl worker`"
        refused.append(f"worker {worker['name']} {found}, this is hubctl {hubctl.__version__}")
    return Crew(ready, tuple(sorted(refused)))
