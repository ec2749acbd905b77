"""Reloading: the inputs as they are now, of a folder or of a repository's branch; wrong ones never come into force.

Apart from ``controller``, which knows when to ask. What keeps newer inputs out of force is said once, not in each pass.
"""

from collections.abc import Mapping
from dataclasses import replace

import structlog

from hubctl import discovery, engines, hub, leading, outlet
from hubctl.conform import cache
from hubctl.errors import HubctlError
from hubctl.inputs import load
from hubctl.publish.checkout import Checkout, Checkouts
from hubctl.render.templates import load_templates
from hubctl.settings import Settings
from hubctl.store.schema import open_store

log = structlog.get_logger("hubctl")


class Reloader:
    """Reads the inputs again and again.

    Attributes:
        problem: why the newest inputs are not in force; None when they are.
    """

    def __init__(self, settings: Settings, environ: Mapping[str, str], interval: float | None = None) -> None:
        """Take where the inputs are, and the variables that they name; nothing is read yet.

        Args:
            settings: where the inputs are.
            environ: holds the variables that they name.
            interval: seconds between two rounds; None: as the values say.

        Raises:
            InputError: the settings of the configuration repository are wrong.
        """
        self._settings, self._environ, self._interval = settings, environ, interval
        self._checkouts = Checkouts(settings.state, settings.config) if settings.config else None
        self._told = ""
        self.problem: HubctlError | None = None

    async def first(self) -> tuple[Settings, load.Sources]:
        """What is in force at the start: the newest inputs, or those of the run before if they are wrong.

        Raises:
            InputError: they are wrong, and there are no earlier ones.
            RemoteFailed: the configuration repository did not answer, and nothing of it is here.
        """
        if self._checkouts is None:
            sources = load.read_sources(self._settings)
            _fits(self._settings, sources, self._interval)
            return self._settings, sources
        try:
            found = await self._checkouts.newest()
            sources = load.read_sources(self._at(found))
            load_templates(found.folder / "templates")
            _check(self._at(found), sources, self._environ)
            _fits(self._settings, sources, self._interval)
        except HubctlError as error:
            kept = self._checkouts.current()
            if kept is None:
                raise
            self._complaint(error)
            return self._at(kept), load.read_sources(self._at(kept))
        return self._at(await self._checkouts.take(found)), sources

    async def again(self, opened: hub.Hub) -> hub.Hub:
        """The hub with what the inputs say now; with what they said before, and why, when they are wrong now."""
        try:
            fresh = await self._fresh(opened)
        except HubctlError as error:
            return replace(opened, complaint=self._complaint(error))
        if self._told:
            log.info("the inputs are right again")
            self._told = ""
        self.problem = None
        if fresh.settings.commit != opened.settings.commit:
            log.info("another configuration", commit=fresh.settings.commit, before=opened.settings.commit)
        return replace(fresh, complaint="")

    async def _fresh(self, opened: hub.Hub) -> hub.Hub:
        if self._checkouts is None:
            return _read(opened, opened.settings, self._interval)
        found = await self._checkouts.newest()
        if found.commit == opened.settings.commit:
            return _read(opened, opened.settings, self._interval)
        try:
            fresh = _read(opened, self._at(found), self._interval)
        except HubctlError as error:
            error.where = f"commit {found.commit[:12]}: {error.where}" if error.where else f"commit {found.commit[:12]}"
            raise
        return replace(fresh, settings=self._at(await self._checkouts.take(found)))

    def _at(self, checkout: Checkout) -> Settings:
        return replace(self._settings, directory=checkout.folder, commit=checkout.commit)

    def _complaint(self, error: HubctlError) -> str:
        self.problem = error
        if str(error) != self._told:
            log.warning(
                "the changed inputs are not in force; the last good ones stay", error=str(error), hint=error.hint
            )
            self._told = str(error)
        return self._told


def need_reopening(before: load.Sources, after: load.Sources) -> bool:
    """Whether these inputs take other parts than those that a hub was opened with for the ones before."""
    return _opened_by(before) != _opened_by(after)


def _opened_by(sources: load.Sources) -> tuple[object, ...]:
    section = sources.values.hubctl
    parts = section.observe, section.engine, section.store, section.gitops, section.controller.leader_election
    return (*parts, hub.needs_of(sources))


def _read(opened: hub.Hub, settings: Settings, interval: float | None) -> hub.Hub:
    """The hub with the inputs of some settings.

    Raises:
        HubctlError: they are wrong.
    """
    sources = load.read_sources(settings)
    discovery.still_fits(sources, opened.store.inventories)
    templates = load_templates(settings.directory / "templates")
    if _asked(opened.sources) != _asked(sources):
        _fits(settings, sources, interval)
    if need_reopening(opened.sources, sources):
        _check(settings, sources, opened.environ)
        open_store(hub.store_url(settings, sources, opened.environ)).close()
    validators = cache.validators_of(settings, sources.values)
    to = opened.outlet
    if validators.digest != to.validators.digest:  # the same ones are compiled already
        to = replace(to, validators=validators)
    return replace(opened, settings=settings, sources=sources, templates=templates, outlet=to)


def _asked(sources: load.Sources) -> tuple[object, ...]:
    """What says how many predictors there are, and how they are polled."""
    section = sources.values.hubctl
    return section.observe, section.groups, section.fleet, [spoke for _, spoke in sources.described]


def _fits(settings: Settings, sources: load.Sources, interval: float | None) -> None:
    """See that the fleet can be polled in time; of spokes that the hub names the rounds find out themselves.

    Raises:
        InputError: it cannot.
    """
    if sources.is_whole:
        engines.fits(load.reload(sources, {}), interval, settings.engine)


def _check(settings: Settings, sources: load.Sources, environ: Mapping[str, str]) -> None:
    """See that what the values name can be opened; nobody is asked.

    Raises:
        InputError: it cannot.
    """
    outlet.open_repository(settings, sources)
    outlet.open_forge(settings, sources)
    hub.store_url(settings, sources, environ)
    hub.open_api(settings, sources)
    section = sources.values.hubctl
    engines.scheduler(settings, section.engine, section.observe)
    leading.check(sources.values.hubctl.controller.leader_election, environ)
