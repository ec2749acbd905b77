"""Engines: what makes rounds, as the values say: this process, or the workers of a Dask cluster for one that stays.

Apart from ``hub``, so that Dask's room is loaded only where a flag or the values name a scheduler.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from hubctl.errors import InputError
from hubctl.model.fleet import HubInputs, services
from hubctl.model.observing import Observe
from hubctl.model.scaling import PROCESS, EngineSection
from hubctl.model.values import HubValues
from hubctl.observe import capacity, schedule
from hubctl.settings import Settings

if TYPE_CHECKING:
    from hubctl.model.apiserver import HubReader
    from hubctl.model.turn import Engine, Heard, OpenEngine
    from hubctl.rounds import Rounds
    from hubctl.shards.address import Address


def scheduler(settings: Settings, section: EngineSection, observe: Observe) -> Address | None:
    """The Dask scheduler whose workers make the rounds; None: they are made here.

    Raises:
        InputError: it cannot be used as the values say.
    """
    if not elsewhere(settings.engine, section):
        return None
    from hubctl.shards import address  # noqa: PLC0415 - see the module's docstring

    where = address.chosen(settings.engine, section)
    if where is not None:
        address.refuse_tokens(where, observe)
    return where


def observing(values: HubValues, interval: float | None = None) -> Observe:
    """How polling goes: the section of the values, with what other sections and the command line say of it.

    Args:
        values: the hub's.
        interval: seconds between two rounds; None: as the values say.
    """
    observe, rules = values.hubctl.observe, values.hubctl.aggregate
    # Nobody is left alone before it is a finding, or that would come later for it.
    failures = max(observe.breaker.failures, rules.raise_after)
    breaker = observe.breaker.model_copy(update={"failures": failures})
    return observe.model_copy(update={"interval": interval or observe.interval, "breaker": breaker})


def elsewhere(flag: str, section: EngineSection) -> bool:
    """Whether a process that stays polls on workers: as the flag says, else the values."""
    return (flag or section.url or PROCESS) != PROCESS


def fits(inputs: HubInputs, interval: float | None = None, flag: str = "") -> None:
    """See that the fleet can be polled as the values say; workers are as many as it takes.

    Args:
        inputs: the fleet.
        interval: seconds between two rounds; None: as the values say.
        flag: where the process was told to poll.

    Raises:
        InputError: it cannot; the message holds the arithmetic.
    """
    if elsewhere(flag, inputs.values.hubctl.engine):
        return
    refusal = capacity.refusal(len(services(inputs)), observing(inputs.values, interval))
    if refusal:
        raise InputError(refusal, where="values-hub.yaml hubctl.observe", hint=capacity.HINT)


def opener(
    settings: Settings,
    environ: Mapping[str, str],
    observe: Observe,
    api: HubReader | None,
    section: EngineSection | None,
) -> OpenEngine:
    """Opens the engine that makes the rounds.

    Args:
        settings: where this process was told to poll, and the folder of the inputs.
        environ: holds the token's variable.
        observe: how polling goes.
        api: the hub's own API, for polls that are made here.
        section: what the values say of polling elsewhere, for a process that stays; None: rounds are made here.

    Raises:
        InputError: as ``scheduler``.
    """
    where = scheduler(settings, section, observe) if section is not None else None
    if where is None or section is None:
        return partial(_here, settings, environ, observe, api)
    from hubctl.observe.rows import of_sources  # noqa: PLC0415 - as above
    from hubctl.observe.tokens import Tokens  # noqa: PLC0415 - as above
    from hubctl.shards.engine import opened  # noqa: PLC0415 - as above

    tokens = Tokens(observe, environ, settings.directory, api)
    rows = partial(of_sources, observe, settings.directory, environ, tokens)
    return partial(opened, where, observe, settings.directory, rows, section.shards, tokens.begin)


@asynccontextmanager
async def beside(
    open_engine: OpenEngine,
    observe: Observe,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    identity: str,
    api: HubReader | None,
    bounded: bool = True,
) -> AsyncIterator[Rounds]:
    """Rounds beside the passes, until the end.

    Args:
        open_engine: opens what makes them.
        observe: how polling goes.
        settings: where the inputs lie.
        environ: holds the variables that the values name.
        identity: what tells this hub from others.
        api: the hub's own API, for routes that come from there.
        bounded: whether what does not fit into this process is left out.
    """
    from hubctl.observe.controls import Controls  # noqa: PLC0415 - as above
    from hubctl.rounds import Rounds  # noqa: PLC0415 - as above

    controls = Controls(observe, settings.directory, environ, api)
    rounds = Rounds(open_engine, observe, controls, seed=schedule.seed_of(identity), bounded=bounded)
    rounds.start()
    try:
        yield rounds
    finally:
        await rounds.close()


def _here(
    settings: Settings, environ: Mapping[str, str], observe: Observe, api: HubReader | None, heard: Heard | None
) -> AbstractAsyncContextManager[Engine]:
    from hubctl.observe.poll import Poller  # noqa: PLC0415 - publish and diff start without HTTP

    return Poller(observe, settings.directory, environ, seen=heard, api=api)
