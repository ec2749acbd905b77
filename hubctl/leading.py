"""Leading: when this process may act, because it holds the Lease, or because nobody else is asked.

Apart from ``controller``, which knows when passes run. Until a replica leads, it opens neither store nor state folder.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from hubctl.errors import Fenced, InputError, RemoteFailed, StoreUnavailable
from hubctl.fleet.election import Election
from hubctl.model.controlling import LeaderElection
from hubctl.settings import POD_NAMESPACE, Settings, hub_login, namespace_of_pod
from hubctl.store.lock import hold

if TYPE_CHECKING:  # publish and diff start without them
    from hubctl.fleet.cluster import Cluster
    from hubctl.fleet.lease import Candidate
    from hubctl.store.schema import Store

RIGHTS = "see that the API server is up, and that this account may get, create and update leases in that namespace"

_PROCESS = secrets.token_hex(4)
"""Tells this process from the one before it in the same pod."""

log = structlog.get_logger("hubctl")


def takes_part(wanted: LeaderElection, environ: Mapping[str, str]) -> bool:
    """Whether this process needs the Lease to act: as the values say, else in a pod."""
    return bool(environ.get("KUBERNETES_SERVICE_HOST")) if wanted.enabled is None else wanted.enabled


def identity(environ: Mapping[str, str]) -> str:
    """A name that no other process has; it begins as people know this one."""
    known = environ.get("POD_NAME") or (
        socket.gethostname() if environ.get("KUBERNETES_SERVICE_HOST") else f"{socket.gethostname()}-{os.getpid()}"
    )
    return f"{known}_{_PROCESS}"


def candidate_of(wanted: LeaderElection, environ: Mapping[str, str], file: Path = POD_NAMESPACE) -> "Candidate":
    """Who stands for which Lease.

    Raises:
        InputError: nothing says in which namespace it is.
    """
    from hubctl.fleet.lease import Candidate  # noqa: PLC0415 - imports the Kubernetes client

    namespace = wanted.namespace or environ.get("POD_NAMESPACE", "") or namespace_of_pod(file)
    if not namespace:
        raise InputError(
            "nothing says in which namespace the Lease is",
            where="values-hub.yaml hubctl.controller.leaderElection.namespace",
            hint="set it; only a pod knows its own",
        )
    return Candidate(
        namespace,
        wanted.name,
        identity(environ),
        int(wanted.lease_duration),
        int(wanted.renew_deadline),
        int(wanted.retry_period),
    )


def check(wanted: LeaderElection, environ: Mapping[str, str]) -> None:
    """See that this process can stand, if it has to; nobody is asked.

    Raises:
        InputError: nothing says which Lease, or which cluster.
    """
    if takes_part(wanted, environ):
        _standing(wanted, environ)


@asynccontextmanager
async def term(
    settings: Settings, wanted: LeaderElection, environ: Mapping[str, str], stop: asyncio.Event
) -> AsyncIterator[Election | None]:
    """One term, alone on the state folder; at its end the Lease is given back.

    Yields:
        Our term; None where there is no election, and when ``stop`` was set first.

    Raises:
        InputError: nothing says which Lease, or which cluster.
        StoreUnavailable: without an election, another process is at work on the state folder.
    """
    if not takes_part(wanted, environ):
        with hold(settings.state):
            yield None
        return
    election = _election(wanted, environ)
    election.begin()
    try:
        await _won(election, stop)
        if stop.is_set() or election.over.is_set():
            yield None
            await sleep(election.candidate.retry_period, stop)  # before the next candidacy
            return
        log.info("leading", lease=election.candidate.lease, identity=election.candidate.identity, epoch=election.epoch)
        async with _alone(settings.state, election, stop) as alone:
            yield election if alone else None
        log.info("leading no more", lease=election.candidate.lease, epoch=election.epoch, leader=election.holder)
    finally:
        await election.resign()


@asynccontextmanager
async def turn(
    settings: Settings, wanted: LeaderElection, environ: Mapping[str, str]
) -> AsyncIterator[Election | None]:
    """A short term, for one command: it does not wait for another replica's end.

    Raises:
        Fenced: another one leads.
        RemoteFailed: the Lease cannot be had.
        StoreUnavailable: another process is at work on the state folder.
    """
    if not takes_part(wanted, environ):
        with hold(settings.state):
            yield None
        return
    election = _election(wanted, environ)
    election.begin()
    try:
        await sleep(2.0 * election.candidate.retry_period, election.won, election.over)
        if not election.won.is_set() and election.problem:
            raise RemoteFailed(election.problem, where=f"Lease {election.candidate.lease}", hint=RIGHTS)
        if not election.won.is_set():
            raise Fenced(
                f"{election.holder or 'another process'} leads, and it alone acts",
                where=f"Lease {election.candidate.lease}",
                hint="leave it to its next pass; what is approved is carried out by it",
            )
        with hold(settings.state):
            yield election
    finally:
        await election.resign()


async def claim(store: "Store", election: Election | None, now: datetime) -> None:
    """Let the store take what this term writes, and nothing of an older one any more.

    Raises:
        Fenced: another replica leads by now, or the Lease cannot be asked.
        StoreUnavailable: the database failed.
    """
    if election is None:
        return
    mine = election.candidate.identity
    last = store.terms.latest()
    if last is not None and last.epoch >= election.epoch and (last.epoch, last.holder) != (election.epoch, mine):
        # Somebody removed the Lease, or brought an older one back; the store remembers more.
        await election.raise_to(last.epoch + 1)
    store.terms.enter(election.epoch, mine, now)


async def sleep(seconds: float, *wake: asyncio.Event) -> None:
    """Sleep, but wake when one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in wake]
    try:
        await asyncio.wait(waits, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


def _election(wanted: LeaderElection, environ: Mapping[str, str]) -> Election:
    return Election(*_standing(wanted, environ))


def _standing(wanted: LeaderElection, environ: Mapping[str, str]) -> "tuple[Cluster, Candidate]":
    """Where this process stands, and as whom."""
    from hubctl.fleet.cluster import connect  # noqa: PLC0415 - as above

    candidate = candidate_of(wanted, environ)
    return connect(*hub_login(environ), seconds=float(candidate.retry_period), patient=False), candidate


async def _won(election: Election, stop: asyncio.Event) -> None:
    """Wait for the Lease, and say what for, each thing once."""
    seen, problem = "", ""
    while not (stop.is_set() or election.won.is_set() or election.over.is_set()):
        await sleep(election.candidate.retry_period, stop, election.won, election.over)
        if election.won.is_set():
            return
        if election.problem != problem:
            problem = election.problem
            if problem:
                log.warning("no lease", lease=election.candidate.lease, error=problem, hint=RIGHTS)
        if election.holder != seen:
            seen = election.holder
            log.info("standing by", lease=election.candidate.lease, leader=seen)


@asynccontextmanager
async def _alone(state: Path, election: Election, stop: asyncio.Event) -> AsyncIterator[bool]:
    """The state folder held; where replicas share it, the last leader may need a moment to let go."""
    told = False
    while not (stop.is_set() or election.over.is_set()):
        with _held(state) as problem:
            if problem is None:
                yield True
                return
        if not told:
            log.warning("the state folder is not free yet", error=str(problem), hint=problem.hint)
            told = True
        await sleep(1.0, stop, election.over)
    yield False


@contextmanager
def _held(state: Path) -> Iterator[StoreUnavailable | None]:
    """The state folder held, or why not."""
    held = hold(state)
    try:
        held.__enter__()
    except StoreUnavailable as error:
        yield error
        return
    try:
        yield None
    finally:
        held.__exit__(None, None, None)
