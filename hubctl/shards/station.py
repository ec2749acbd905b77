"""Station: what a worker keeps between rounds: blobs, and a poller with its connections; and one round of it.

A station works for one hub and one configuration at a time. A round that begins while another is under way takes its
place: the leader of that one has given it up, or leads no more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hubctl.errors import InputError
from hubctl.model.apiserver import HubReader
from hubctl.model.packed import pack
from hubctl.model.predictor import InferenceService, Window
from hubctl.model.turn import Turn
from hubctl.observe.features import NoWindow
from hubctl.observe.poll import Poller
from hubctl.shards import parcel

if TYPE_CHECKING:
    from distributed import Worker

log = structlog.get_logger("hubctl")

NAME = "hubctl"
"""Of the station among a worker's extensions, and of what it says of itself when it starts."""


class GivenUp(Exception):  # noqa: N818 - named after what happened
    """A round ended before it was done, for another one took its place or the worker ends."""


@dataclass(slots=True)
class Shipped:
    """Rows that the leader read; in the place of ``observe.rows.Rows``."""

    windows: Mapping[tuple[str, str], Window | NoWindow] = field(default_factory=dict)

    async def begin(self, services: Sequence[InferenceService], now: datetime) -> None:
        """Nothing: they are here."""

    async def of(self, service: InferenceService) -> Window | NoWindow:
        """The rows to send to a predictor, or why there are none."""
        return self.windows[service.cluster, service.name]


class Station:
    """One worker's."""

    def __init__(self, folder: Path, environ: Mapping[str, str], api: Callable[[], HubReader]) -> None:
        """Take what polls read here and not from the leader; nothing is opened yet.

        Args:
            folder: which relative paths of tokens and CAs start from.
            environ: holds the token's variable.
            api: opens the hub's API, where a configuration needs it.
        """
        self._folder, self._environ, self._api = folder, environ, api
        self._blobs: dict[str, bytes] = {}
        self._services: dict[str, tuple[InferenceService, ...]] = {}
        self._windows: dict[str, Window | NoWindow] = {}
        self._shipped = Shipped()
        self._ahead = timedelta(0)
        self._setup = ""
        self._poller: Poller | None = None
        self._open = AsyncExitStack()
        self._turn = asyncio.Lock()
        self._under_way: asyncio.Task[parcel.Report] | None = None

    async def round(self, data: bytes) -> bytes:
        """Poll what a job names.

        Raises:
            Damaged: the leader sent something else than a job; one of another release does.
            GivenUp: another round took the place of this one.
        """
        job, sent = parcel.job_of(data)
        async with self._turn:
            held = self._blobs | sent
            self._blobs = {name: held[name] for name in job.names if name in held}
            if missing := [name for name in dict.fromkeys(job.names) if name not in held]:
                return parcel.report_bytes(parcel.Report(missing=tuple(missing)))
            await self.stop()
            polling = self._under_way = asyncio.create_task(self._polled(job, self._blobs))
        try:
            return parcel.report_bytes(await polling)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is None or not me.cancelling():
                raise GivenUp("another round took the place of this one") from None
            raise

    async def stop(self) -> None:
        """End the round that is under way, if there is one; its leader hears that it was given up."""
        if self._under_way is not None and not self._under_way.done():
            self._under_way.cancel()
            await asyncio.wait([self._under_way])

    async def close(self) -> None:
        """Close every connection."""
        await self.stop()
        await self._open.aclose()
        self._setup, self._poller = "", None

    async def _polled(self, job: parcel.Job, blobs: Mapping[str, bytes]) -> parcel.Report:
        self._ahead = job.now - datetime.now(UTC)
        poller = await self._ready(job.setup, blobs[job.setup])
        self._services = {name: self._services.get(name) or parcel.services_of(blobs[name]) for name in job.services}
        self._windows = {
            name: self._windows.get(name) or parcel.rows_of(blobs[name]) for name in dict.fromkeys(job.windows)
        }
        services = tuple(one for name in job.services for one in self._services[name])
        self._shipped.windows = {
            (one.cluster, one.name): self._windows[job.windows[place]]
            for one, place in zip(services, job.rows, strict=True)
        }
        objects = job.objects
        snapshot = None if objects is None else parcel.snapshot_of((blobs[name] for name in objects), job.now)
        gathered = await poller.round(Turn(services, job.begins, job.seconds, snapshot))
        return parcel.Report((), gathered.tally, pack(gathered.observations))

    async def _ready(self, setup: str, blob: bytes) -> Poller:
        """The poller of a configuration; that of another one is closed with its connections."""
        if self._poller is None or self._setup != setup:
            await self._open.aclose()
            wanted = parcel.setup_of(blob)
            made = Poller(
                wanted.observe,
                self._folder,
                self._environ,
                clock=self._leaders_time,
                api=self._opened() if wanted.hub else None,
                rows=self._shipped,
            )
            self._poller = await self._open.enter_async_context(made)
            self._setup = setup
            log.info("a new configuration", digest=setup)
        return self._poller

    def _leaders_time(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def _opened(self) -> HubReader | None:
        try:
            return self._api()
        except InputError as error:  # each observation that needs it says so too
            log.error("no way to the hub's API", error=str(error), hint=error.hint)  # noqa: TRY400 - said whole
            return None


async def work(data: bytes, dask_worker: Worker) -> bytes:
    """One round on the worker that this is called on; Dask fills in which."""
    station: Station = dask_worker.extensions[NAME]
    return await station.round(data)
