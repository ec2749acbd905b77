"""Station: what a worker keeps between rounds: blobs, and a poller with its connections; and one round of it.

A station works for one leader and one configuration at a time. Rounds of that leader may overlap; those of another one
end when it asks for nothing more and a new one does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hubctl.model.apiserver import HubReader
from hubctl.model.observing import Observe
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


Rows = Mapping[tuple[str, str], Window | NoWindow]
"""By spoke and model."""


class GivenUp(Exception):  # noqa: N818 - named after what happened
    """A round ended before it was done, for another leader came or the worker ends."""


class Shipped:
    """Rows that the leader read; in the place of ``observe.rows.Rows``."""

    def __init__(self) -> None:
        self._now: Rows = {}
        self._before: Rows = {}

    def renew(self, rows: Rows) -> None:
        """Take the rows of a new round; polls of the one before may still be under way."""
        self._now, self._before = rows, self._now

    async def begin(self, services: Sequence[InferenceService], now: datetime) -> None:
        """Nothing: they are here."""

    async def of(self, service: InferenceService) -> Window | NoWindow:
        """The rows to send to a predictor, or why there are none."""
        key = service.cluster, service.name
        return self._now[key] if key in self._now else self._before[key]

    async def close(self) -> None:
        """Nothing: they hold no connection."""


class Station:
    """One worker's."""

    def __init__(self, folder: Path, environ: Mapping[str, str], api: HubReader) -> None:
        """Take what polls read here and not from the leader; nothing is opened yet.

        Args:
            folder: which relative paths of tokens and CAs start from.
            environ: holds the token's variable.
            api: the hub's API, as this worker reaches it.
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
        self._leader = ""
        self._under_way: set[asyncio.Task[parcel.Report]] = set()

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
            if (job.leader, job.setup) != (self._leader, self._setup):
                await self.stop()
                self._leader = job.leader
            polling = asyncio.create_task(self._polled(job, self._blobs, await self._ready(job)))
            self._under_way.add(polling)
            polling.add_done_callback(self._under_way.discard)
        try:
            return parcel.report_bytes(await polling)
        except asyncio.CancelledError:
            me = asyncio.current_task()
            if me is None or not me.cancelling():
                raise GivenUp("another leader came, or another configuration") from None
            raise

    async def stop(self) -> None:
        """End the rounds that are under way; their leader hears that they were given up."""
        ending = tuple(self._under_way)
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    async def close(self) -> None:
        """Close every connection."""
        await self.stop()
        await self._open.aclose()
        self._setup, self._poller = "", None

    async def _polled(self, job: parcel.Job, blobs: Mapping[str, bytes], poller: Poller) -> parcel.Report:
        services = tuple(one for name in job.services for one in self._services[name])
        snapshot = None if job.objects is None else parcel.snapshot_of(blobs[job.objects], job.now)
        async with asyncio.timeout(job.limit):
            gathered = await poller.round(Turn(services, job.begins, job.seconds, snapshot, job.seed))
        return parcel.Report((), gathered.tally, pack(gathered.observations))

    async def _ready(self, job: parcel.Job) -> Poller:
        """The poller for a job, with its predictors and rows; one of another configuration is closed."""
        blobs = self._blobs
        self._ahead = job.now - datetime.now(UTC)
        known, windows = self._services, self._windows
        self._services = {name: known.get(name) or parcel.services_of(blobs[name]) for name in job.services}
        self._windows = {name: windows.get(name) or parcel.rows_of(blobs[name]) for name in job.windows}
        services = (one for name in job.services for one in self._services[name])
        rows = zip(services, job.rows, strict=True)
        self._shipped.renew({(one.cluster, one.name): self._windows[job.windows[place]] for one, place in rows})
        if self._poller is None or self._setup != job.setup:
            await self._open.aclose()
            self._poller = await self._open.enter_async_context(self._made(parcel.setup_of(blobs[job.setup])))
            self._setup = job.setup
            log.info("a new configuration", digest=job.setup)
        return self._poller

    def _made(self, observe: Observe) -> Poller:
        clock, rows = self._leaders_time, self._shipped
        return Poller(observe, self._folder, self._environ, clock=clock, api=self._api, rows=rows)

    def _leaders_time(self) -> datetime:
        return datetime.now(UTC) + self._ahead


async def work(data: bytes, dask_worker: Worker) -> bytes:
    """One round on the worker that this is called on; Dask fills in which."""
    station: Station = dask_worker.extensions[NAME]
    try:
        return await station.round(data)
    except (GivenUp, parcel.Damaged, TimeoutError) as error:
        log.warning("a round ended early", why=str(error) or type(error).__name__)
        return parcel.report_bytes(parcel.Report(failed=str(error) or type(error).__name__))
