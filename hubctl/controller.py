"""When passes run: the interval, signals, reloading and a clean end. The only clock.

A pass that is under way is finished before the process ends, so that an action is never cut in two by a signal; a
second signal ends it at once, which the next pass can mend.
"""

import asyncio
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from hubctl import hub
from hubctl.conform import cache
from hubctl.errors import HubctlError, InputError
from hubctl.inputs import load
from hubctl.model.base import parse_duration
from hubctl.reconcile import Pass, reconcile
from hubctl.render.templates import load_templates
from hubctl.settings import Settings

log = structlog.get_logger("hubctl")


async def run(settings: Settings, environ: Mapping[str, str], *, interval: str | None = None) -> None:
    """Run passes until SIGTERM or SIGINT.

    Raises:
        InputError: the inputs are wrong at the start; later ones only keep the last good inputs in force.
    """
    pause = _pause(interval)
    stop = asyncio.Event()
    _listen(stop)
    while not stop.is_set():
        # Opened anew when how to poll or where to store changes; kept else, with its connections.
        async with hub.open_hub(settings, environ) as opened:
            await _passes(opened, stop, pause)
    log.info("stopped")


async def _passes(opened: hub.Hub, stop: asyncio.Event, pause: float | None) -> None:
    """Passes with one hub, until told to stop or until the hub must be opened anew."""
    while not stop.is_set():
        began = time.monotonic()
        await _one(opened)
        wanted = pause if pause is not None else opened.sources.values.hubctl.observe.interval
        await _until(stop, wanted - (time.monotonic() - began))
        fresh = _reloaded(opened)
        if _needs_reopening(opened, fresh):
            return
        opened = fresh


async def _one(opened: hub.Hub) -> None:
    if not opened.sources.values.kserve.enabled:
        log.warning("switched off", key="coordinationEngine.kserve.enabled")
        return
    try:
        made = await reconcile(opened, datetime.now(UTC))
    except HubctlError as error:
        log.error("pass failed", error=str(error), hint=error.hint)  # noqa: TRY400 - a traceback would say no more
        return
    _report(made)


def _report(made: Pass) -> None:
    for problem in made.problems:
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
    )


async def _until(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but wake when told to stop."""
    try:
        await asyncio.wait_for(stop.wait(), max(0.0, seconds))
    except TimeoutError:
        return


def _reloaded(opened: hub.Hub) -> hub.Hub:
    """The hub with what the files say now; with what they said before when they are wrong now."""
    try:
        sources = load.read_sources(opened.settings)
        templates = load_templates(opened.settings.directory / "templates")
        validators = cache.validators_of(opened.settings, sources.values)
    except HubctlError as error:
        log.warning("the changed inputs are wrong; the last good ones stay", error=str(error), hint=error.hint)
        return opened
    to = opened.outlet
    if validators.digest != to.validators.digest:  # the same ones are compiled already
        to = replace(to, validators=validators)
    return replace(opened, sources=sources, templates=templates, outlet=to)


def _needs_reopening(before: hub.Hub, after: hub.Hub) -> bool:
    old, new = before.sources.values.hubctl, after.sources.values.hubctl
    changed = (old.observe, old.store, old.gitops) != (new.observe, new.store, new.gitops)
    return changed or hub.needs_of(before.sources) != hub.needs_of(after.sources)


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
