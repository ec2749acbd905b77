"""A worker: this process polls what a leader gives it, until the scheduler or a signal ends it.

One thread: polls run in the worker's own event loop, beside its heartbeats, and keep their connections there.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

import hubctl
from hubctl import looping
from hubctl.errors import InputError, RemoteFailed
from hubctl.fleet.cluster import connect
from hubctl.fleet.hubapi import HubApi
from hubctl.settings import Settings
from hubctl.shards.address import Address, security
from hubctl.shards.station import NAME, Station

if TYPE_CHECKING:
    from distributed import Worker

log = structlog.get_logger("hubctl")

_GRACE = 30.0
"""Seconds for a clean end."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a worker stands.

    Attributes:
        name: unique among the workers; the shards follow it. Empty: its address.
        listen: address of this machine at which the scheduler reaches it; empty: as Dask finds it.
        port: 0: any that is free.
        patience: seconds for which a scheduler is waited for at the start.
    """

    name: str = ""
    listen: str = ""
    port: int = 0
    patience: float = 60.0


def run(settings: Settings, environ: Mapping[str, str], scheduler: Address, place: Place) -> None:
    """Work until SIGTERM, SIGINT or the scheduler's end.

    Raises:
        InputError: Dask is not installed, or a certificate is not there.
        RemoteFailed: the scheduler is away, or went away.
    """
    _load()
    _forward_logs()
    with asyncio.Runner(loop_factory=looping.factory()) as runner:
        runner.run(worked(settings, environ, scheduler, place))


async def worked(settings: Settings, environ: Mapping[str, str], scheduler: Address, place: Place) -> None:
    """The same in a loop that runs; logs stay as they are."""
    worker = _made(settings, environ, scheduler, place)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await worker
    except (OSError, TimeoutError, ValueError) as error:  # ValueError: another worker has this name
        raise RemoteFailed(
            f"no place with the Dask scheduler: {error}",
            where=scheduler.shown,
            hint="is it running, and this name free?",
        ) from error
    log.info("ready", scheduler=scheduler.shown, worker=str(worker.name), address=worker.address)
    told, ended = asyncio.create_task(stop.wait()), asyncio.create_task(worker.finished())
    await asyncio.wait((told, ended), return_when=asyncio.FIRST_COMPLETED)
    asked = told.done()
    told.cancel()
    if asked:
        log.info("stopping")
        await worker.close(timeout=_GRACE, reason="signal")
    await ended
    if not asked:
        raise RemoteFailed("the Dask scheduler went away or let this worker go", where=scheduler.shown)
    log.info("stopped")


def _load() -> None:
    try:
        import distributed  # noqa: F401, PLC0415 - loads slowly, and is not installed everywhere
    except ImportError as error:
        raise InputError(
            "a worker needs the package distributed", hint="pip install 'hubctl[dask]'; the image has it"
        ) from error


def _made(settings: Settings, environ: Mapping[str, str], scheduler: Address, place: Place) -> Worker:
    _load()
    import dask  # noqa: PLC0415 - loads slowly
    from distributed import Worker  # noqa: PLC0415 - as above

    dask.config.set({"distributed.worker.profile.enabled": False})
    return Worker(
        scheduler.url,
        nthreads=1,
        name=place.name or None,
        host=place.listen or None,
        port=place.port or None,
        security=security(scheduler.tls, settings.directory),
        death_timeout=place.patience,
        memory_limit=0,
        dashboard=False,
        extensions={NAME: partial(_station, settings, environ)},
        startup_information={NAME: _said},
    )


def _station(settings: Settings, environ: Mapping[str, str], worker: Worker) -> Station:  # noqa: ARG001 - Dask's signature
    return Station(settings.directory, environ, _Hub(settings))


async def _said(worker: Worker) -> Mapping[str, str]:  # noqa: ARG001 - Dask's signature
    return {"version": hubctl.__version__}


class _Hub:
    """The hub's API, opened when something is read there: most fleets need nothing of it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._api: HubApi | None = None

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """As ``HubReader``."""
        return await self._opened().secret(namespace, name)

    async def read(self, path: str) -> Mapping[str, Any] | None:
        """As ``HubReader``."""
        return await self._opened().read(path)

    def _opened(self) -> HubApi:
        if self._api is None:
            try:
                self._api = HubApi(connect(self._settings.kubeconfig, self._settings.context), ())
            except InputError as error:
                raise RemoteFailed(f"this worker has no way to the hub's API: {error}", hint=error.hint) from error
        return self._api


class _Forward(logging.Handler):
    """What Dask and Tornado log, as lines like all others."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it again."""
        structlog.get_logger("hubctl").log(record.levelno, record.getMessage(), logger=record.name)


def _forward_logs() -> None:
    """As Dask was loaded, it gave its loggers handlers of their own."""
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(logging.WARNING)
    for name, logger in logging.root.manager.loggerDict.items():
        if isinstance(logger, logging.Logger) and name.partition(".")[0] in ("distributed", "tornado", "bokeh"):
            logger.handlers.clear()
            logger.setLevel(logging.NOTSET)
            logger.propagate = True
