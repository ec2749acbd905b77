"""When passes run: the interval, signals, reloading, terms of leadership and a clean end. The only clock.

A pass that is under way is finished before the process ends, so that an action is never cut in two by a signal; a
second signal ends it at once, which the next pass can mend.
"""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import structlog

from hubctl import hub, leading
from hubctl.errors import Fenced, Held, HubctlError, InputError, StoreUnavailable
from hubctl.fleet.election import Election
from hubctl.inputs import load
from hubctl.model.base import parse_duration
from hubctl.model.controlling import LeaderElection
from hubctl.model.inventory import Look
from hubctl.model.turn import merged
from hubctl.passes import Pass
from hubctl.reconcile import reconcile
from hubctl.reloading import Reloader, need_reopening
from hubctl.report.reporter import Reporter
from hubctl.settings import Settings
from hubctl.web import app, server

log = structlog.get_logger("hubctl")

_PATIENCE = 2.0
"""Intervals after which a pass begins although no round has ended."""

_TURN = 1.0
"""Seconds between two signs of life of the loop."""


@dataclass(frozen=True, slots=True)
class _Running:
    """What passes go by.

    Attributes:
        pause: seconds between two passes; None: as the values say.
    """

    stop: asyncio.Event
    pause: float | None
    reloader: Reloader
    reporter: Reporter


async def run(
    settings: Settings, environ: Mapping[str, str], *, interval: str | None = None, listen: str = server.OFF
) -> None:
    """Run passes until SIGTERM or SIGINT; where there is an election, whenever this process leads.

    Args:
        settings: where this run looks and writes.
        environ: holds the variables that the values name.
        interval: between two passes; None: as the values say.
        listen: where health and metrics are answered, or ``off``.

    Raises:
        InputError: the inputs are wrong at the start, or nobody can listen there; later ones only keep the last good
            inputs in force.
        StoreUnavailable: without an election, another process is at work on the state folder, or the store cannot be
            opened.
    """
    pause = _pause(interval)
    stop = asyncio.Event()
    _listen(stop)
    async with _watched(listen, settings.namespace) as reporter:
        running = _Running(stop, pause, Reloader(settings, environ, pause), reporter)
        settings, sources = await running.reloader.first()
        reporter.read(running.reloader.problem)
        while not stop.is_set():
            settings, sources = await _term(settings, environ, sources, running)
    log.info("stopped")


async def _term(
    settings: Settings, environ: Mapping[str, str], sources: load.Sources, running: _Running
) -> tuple[Settings, load.Sources]:
    """One candidacy and the passes of its term, if there is one; where the inputs are then, and what they say."""
    stop, reporter = running.stop, running.reporter
    reporter.leads(leading=not leading.takes_part(_election(sources), environ))
    async with leading.term(settings, _election(sources), environ, stop) as term:
        leads = term is not None or not leading.takes_part(_election(sources), environ)
        reporter.leads(term, leading=leads)
        while leads and not stop.is_set() and not _is_over(term):
            after = await _opened(settings, environ, sources, term, running)
            if after is None:
                break
            leads = _election(after.sources) == _election(sources)
            settings, sources = after.settings, after.sources
    return settings, sources


@asynccontextmanager
async def _watched(listen: str, namespace: str) -> AsyncIterator[Reporter]:
    """A reporter, and whoever asks answered from it."""
    reporter = Reporter.fresh(namespace)

    async def turn() -> None:
        while True:
            reporter.beat()
            await asyncio.sleep(_TURN)

    turning = asyncio.create_task(turn())
    try:
        if listen == server.OFF:
            yield reporter
            return
        with server.serving(listen, app.application(reporter.pulse, reporter.registry)) as address:
            log.info("listening", address=address)
            yield reporter
    finally:
        turning.cancel()


async def _opened(
    settings: Settings, environ: Mapping[str, str], sources: load.Sources, term: Election | None, running: _Running
) -> hub.Hub | None:
    """Passes with a hub that is opened for these inputs; None when the elected one cannot open its store now."""
    try:
        # Opened anew when how to poll or where to store changes; kept else, with its connections.
        watch = _interval(sources, running)
        async with hub.open_hub(settings, environ, sources=sources, term=term, watch=watch) as opened:
            running.reporter.opened()
            return await _led(opened, running)
    except StoreUnavailable as error:
        if term is None:
            raise
        # Another replica may have more luck; ending would only make this one wait longer and longer.
        log.error("the store cannot be opened", error=str(error), hint=error.hint)  # noqa: TRY400 - as below
        await leading.sleep(term.candidate.retry_period, running.stop, term.over)
        return None


async def _led(opened: hub.Hub, running: _Running) -> hub.Hub:
    """Passes with one hub, until told to stop, the term ends or the hub must be opened anew; the hub as it is then."""
    wake = (running.stop,) if opened.term is None else (running.stop, opened.term.over)
    claimed = False
    while not any(event.is_set() for event in wake):
        began = time.monotonic()
        if opened.rounds is not None:
            opened.rounds.news.clear()  # a pass that fails takes nothing, and is not to begin again for that
        fresh = await running.reloader.again(opened)
        running.reporter.read(running.reloader.problem)
        if need_reopening(opened.sources, fresh.sources):
            return fresh
        opened = fresh
        # Not before the newest inputs are known: they may name another Lease. Again after a refusal.
        claimed = (claimed or await _claimed(opened, running.reporter)) and await _one(opened, running.reporter)
        await _until_next(opened, _interval(opened.sources, running), began, wake)
    return opened


async def _until_next(opened: hub.Hub, interval: float, began: float, wake: tuple[asyncio.Event, ...]) -> None:
    """Sleep until the next pass: until a round ended where there are rounds, else for what is left of the interval."""
    if opened.rounds is None:
        await leading.sleep(interval - (time.monotonic() - began), *wake)
        return
    # Rounds end once an interval; were a pass to begin by the clock too, every second one would see nothing.
    longest = _PATIENCE * interval + opened.sources.values.hubctl.observe.deadline if opened.rounds.aimed else interval
    await leading.sleep(longest - (time.monotonic() - began), *wake, opened.rounds.news)


def _interval(sources: load.Sources, running: _Running) -> float:
    """Seconds between two passes, and between two rounds."""
    return sources.values.hubctl.observe.interval if running.pause is None else running.pause


def _election(sources: load.Sources) -> LeaderElection:
    return sources.values.hubctl.controller.leader_election


def _is_over(term: Election | None) -> bool:
    return term is not None and term.over.is_set()


async def _claimed(opened: hub.Hub, reporter: Reporter) -> bool:
    """Whether the store takes what this term writes."""
    now = datetime.now(UTC)
    try:
        await leading.claim(opened.store, opened.term, now)
    except Fenced as error:
        log.warning("this process may not act", error=str(error), hint=error.hint)
    except StoreUnavailable as error:
        log.error("no pass", error=str(error), hint=error.hint)  # noqa: TRY400 - as below
        await reporter.failed(error, opened, 0.0, now)
    else:
        return True
    return False


async def _one(opened: hub.Hub, reporter: Reporter) -> bool:
    """One pass; False when this process was told that it may not act."""
    if not opened.sources.values.kserve.enabled:
        log.warning("switched off", key=opened.sources.values.switch)
        if opened.rounds is not None:
            opened.rounds.aim((), None)
        return True
    began, now = time.monotonic(), datetime.now(UTC)
    try:
        made = await reconcile(opened, now)
    except Fenced as error:
        log.warning("the pass ended: this process may not act", error=str(error), hint=error.hint)
        return False
    except HubctlError as error:
        log.error("pass failed", error=str(error), hint=error.hint)  # noqa: TRY400 - a traceback would say no more
        await reporter.failed(error, opened, time.monotonic() - began, now)
        return True
    _report(made)
    await reporter.passed(made, opened, time.monotonic() - began)
    return True


def _report(made: Pass) -> None:
    if made.looked:
        _report_fleet(made.looked)
    for stop in made.holds.stops:
        log.warning("stopped", scope=str(stop.reach), by=stop.by, reason=stop.reason, source=stop.source)
    for pause in made.holds.pauses:
        log.info("paused", id=pause.id, what=pause.what, owner=pause.owner, until=pause.until.isoformat())
    for problem in made.problems:
        if isinstance(problem, Held):
            continue  # told above
        log.error("part of the pass failed", error=str(problem), hint=problem.hint)
    for item in made.remediations:
        log.info(
            "remediation",
            id=item.id,
            action=str(item.action),
            state=str(item.state),
            commit=item.commit,
            detail=item.detail,
        )
    log.info(
        "pass",
        commit=made.commit.id if made.commit else "",
        pull_request=made.proposed.pull.url if made.proposed and made.proposed.pull else "",
        observations=len(made.observations),
        ok=sum(seen.outcome == "ok" for seen in made.observations),
        findings=[found.key for found in made.findings if not found.inhibited_by],
        skipped=dict(merged(one.tally for one in made.rounds).skipped),
    )


def _report_fleet(look: Look) -> None:
    if look.trouble:
        log.warning("the fleet stays as it was", trouble=str(look.trouble), detail=look.detail)
    changed = {name: names for name, names in asdict(look.changes).items() if names}
    if changed:
        log.info("fleet", **changed)


def _listen(stop: asyncio.Event) -> None:
    """The first signal asks for a clean end; the second has its default effect."""
    loop = asyncio.get_running_loop()

    def asked(number: signal.Signals) -> None:
        log.info("stopping after this pass", signal=number.name)
        stop.set()
        loop.remove_signal_handler(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked, number)


def _pause(interval: str | None) -> float | None:
    if interval is None:
        return None
    try:
        seconds = parse_duration(interval)
    except ValueError as error:
        raise InputError(f"--interval {interval!r}: {error}", hint="for example --interval 30s") from error
    if not 0 < seconds < float("inf"):
        raise InputError(f"--interval {interval!r}: expected more than nothing", hint="for example --interval 30s")
    return seconds
