"""Discovery: the spokes that the hub names, added to what the files say; what is believed is remembered in the store.

The one place where a look at the hub, the memory of it and the files come together. Where the values say that files
alone count, nothing here is done and nothing is imported for it.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hubctl.errors import GuardRefused, InputError, RemoteFailed
from hubctl.inputs import discover, load
from hubctl.model import watching
from hubctl.model.fleet import HubInputs
from hubctl.model.inventory import Inventory, Look, Trouble
from hubctl.model.snapshot import MANAGED_CLUSTERS, Snapshot
from hubctl.settings import Settings

if TYPE_CHECKING:  # fleets of files start without SQL
    from hubctl.hub import Hub
    from hubctl.store.inventories import Inventories

_HINT = "see whether `kubectl get managedclusters` works; HUBCTL_KUBECONFIG and HUBCTL_CONTEXT say how to reach the hub"


@dataclass(frozen=True, slots=True)
class Discovered:
    """The fleet after one look: the sources with every spoke in force, and what the look came to."""

    sources: load.Sources
    look: Look


def discovered(
    sources: load.Sources,
    inventories: "Inventories",
    snapshot: Snapshot,
    *,
    remember: bool = True,
    only: str | None = None,
) -> Discovered:
    """What a look at the hub makes of the fleet.

    Args:
        sources: as they were read, the values discovering.
        inventories: the memory of earlier looks.
        snapshot: what was found, and when.
        remember: whether this look counts for later ones.
        only: as ``load.enlisted`` takes it.

    Raises:
        InputError: a spoke does not fit the values, or a file is wrong with what the hub says.
        GuardRefused: the hub names no spoke and named none before.
        RemoteFailed: the hub cannot be read, and nothing is remembered of it.
        StoreUnavailable: the memory cannot be read or written.
    """
    fleet = sources.values.hubctl.fleet
    before = inventories.load()
    look = discover.take(before, snapshot, fleet, snapshot.at)
    if look.inventory is None:
        raise RemoteFailed(f"nothing is known of the fleet: {look.detail}", hint=_HINT)
    found = load.enlisted(sources, look.inventory, look.changes.joined, only)
    inventory = found.inventory or look.inventory
    if fleet.source == "acm" and not inventory.members:
        told = f": {'; '.join(look.notes[:3])}" if look.notes else ""
        raise GuardRefused(
            f"no ManagedCluster is a spoke of this fleet{told}",
            hint="see `kubectl get managedclusters` and hubctl.fleet in values-hub.yaml",
        )
    admitted = {one.name for one in inventory.members}
    joined = tuple(name for name in look.changes.joined if name in admitted)
    look = replace(look, inventory=inventory, changes=replace(look.changes, joined=joined))
    if remember and (look.trouble is None or inventory != before):
        inventories.save(inventory)
    return Discovered(replace(found, warnings=(*found.warnings, *_told(look, snapshot.at))), look)


def read_sources(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    only: str | None = None,
    offline: bool = False,
    remember: bool = True,
) -> load.Sources:
    """The hub's values and every spoke, for one command: the hub is listed once, if the values say so.

    Args:
        settings: where the files are, and the hub.
        environ: holds the variables that the values name.
        only: a spoke; nothing is said about the fleet as a whole then.
        offline: ask nobody; what the hub said last counts.
        remember: whether this look counts for later ones.

    Raises:
        HubctlError: as :func:`load.read_sources` and :func:`discovered`.
    """
    sources = load.read_sources(settings, only)
    return _complete(sources, settings, environ, only=only, offline=offline, remember=remember)


def load_inputs(settings: Settings, environ: Mapping[str, str], *, offline: bool = False) -> HubInputs:
    """Everything from the folder, with its own overrides, and every spoke.

    Raises:
        HubctlError: as :func:`load.load_inputs` and :func:`discovered`.
    """
    return load.load_inputs(settings, discover=lambda sources: _complete(sources, settings, environ, offline=offline))


def files_warnings(settings: Settings) -> tuple[str, ...]:
    """Check the files alone, whichever spokes the hub names; warnings for people.

    Raises:
        InputError: a file is wrong.
    """
    sources = load.read_sources(settings)
    return sources.warnings if sources.values.hubctl.fleet.discovers else load.load_inputs(settings).warnings


async def look(hub: "Hub", now: datetime, *, remember: bool) -> tuple["Hub", Snapshot | None, Look | None]:
    """The hub with every spoke that it names, its own objects, and what they make of the fleet; for a pass.

    Raises:
        HubctlError: as :func:`discovered`.
    """
    if hub.api is None:
        return hub, None, None
    snapshot = await hub.api.snapshot(now)
    if not hub.sources.values.hubctl.fleet.discovers:
        return hub, snapshot, None
    found = discovered(hub.sources, hub.store.inventories, snapshot, remember=remember)
    return replace(hub, sources=found.sources), snapshot, found.look


def unread(look: Look | None) -> tuple[RemoteFailed, ...]:
    """The failure of a look that had no answer; the fleet is as it was then."""
    if look is None or look.trouble is not Trouble.UNREAD:
        return ()
    return (RemoteFailed(look.detail, hint=_HINT),)


def still_fits(sources: load.Sources, inventories: "Inventories") -> None:
    """Check changed files against the spokes that are known.

    Raises:
        InputError: one does not fit.
    """
    if sources.values.hubctl.fleet.discovers and (known := inventories.load()):
        load.enlisted(sources, known)


def confirm(settings: Settings, environ: Mapping[str, str], removing: int, *, dry_run: bool) -> tuple[str, ...]:
    """Let the spokes go that the hub does not name, because a person says so; their names.

    Raises:
        InputError: the fleet does not come from the hub, or nothing is remembered of it.
        GuardRefused: others are missing than the person thinks, or the hub cannot be read.
    """
    from hubctl.store.schema import open_store  # noqa: PLC0415 - see the module's docstring

    sources = load.read_sources(settings)
    fleet = sources.values.hubctl.fleet
    if not fleet.discovers:
        raise InputError("the fleet comes from files", hint="remove one with `hubctl clusters remove NAME`")
    snapshot = _look(settings, sources, offline=False)
    with open_store(_url(settings, sources, environ)) as store:
        before = store.inventories.load()
        if before is None:
            raise InputError("nothing is remembered of the fleet yet", hint="there is nothing to confirm")
        look = discover.take(before, snapshot, fleet, snapshot.at)
        after = discover.confirmed(before, look, removing, snapshot.at)
        if not dry_run:
            store.inventories.save(after)
    return look.absent


def managed_clusters(settings: Settings) -> tuple[Mapping[str, Any], ...]:
    """The hub's ManagedClusters as its API has them now.

    Raises:
        InputError: nothing says where the hub is.
        RemoteFailed: it cannot be read.
    """
    from hubctl.fleet.cluster import connect  # noqa: PLC0415 - loads slowly
    from hubctl.fleet.hubapi import HubApi  # noqa: PLC0415 - as above

    api = HubApi(connect(settings.kubeconfig, settings.context), (MANAGED_CLUSTERS,))
    snapshot = asyncio.run(api.snapshot(datetime.now(UTC)))
    found = snapshot.of(MANAGED_CLUSTERS)
    if found is None:
        raise RemoteFailed(snapshot.unread[MANAGED_CLUSTERS], hint=_HINT)
    return found


def _complete(
    sources: load.Sources,
    settings: Settings,
    environ: Mapping[str, str],
    *,
    only: str | None = None,
    offline: bool = False,
    remember: bool = True,
) -> load.Sources:
    if not sources.values.hubctl.fleet.discovers:
        return sources
    if not sources.values.kserve.enabled:  # nothing is rendered or polled, so nobody is asked
        return replace(sources, inventory=Inventory(datetime.now(UTC)))
    from hubctl.store.schema import open_store  # noqa: PLC0415 - see the module's docstring

    snapshot = _look(settings, sources, offline=offline)
    with open_store(_url(settings, sources, environ)) as store:
        return discovered(sources, store.inventories, snapshot, remember=remember, only=only).sources


def _look(settings: Settings, sources: load.Sources, *, offline: bool) -> Snapshot:
    """The kinds that say which spokes there are, listed now."""
    now = datetime.now(UTC)
    if offline:
        return Snapshot(now, {}, {MANAGED_CLUSTERS: "--offline was given"})
    from hubctl.fleet.cluster import connect  # noqa: PLC0415 - loads slowly
    from hubctl.fleet.hubapi import HubApi  # noqa: PLC0415 - as above

    try:
        api = HubApi(connect(settings.kubeconfig, settings.context), watching.of_fleet(sources.values.hubctl.fleet))
    except InputError as error:
        if settings.kubeconfig or settings.context:
            raise
        return Snapshot(now, {}, {MANAGED_CLUSTERS: error.message})
    return asyncio.run(api.snapshot(now))


def _url(settings: Settings, sources: load.Sources, environ: Mapping[str, str]) -> str:
    from hubctl.hub import store_url  # noqa: PLC0415 - loads Git

    return store_url(settings, sources, environ)


def _told(look: Look, now: datetime) -> tuple[str, ...]:
    """Warnings for people."""
    trouble: tuple[str, ...] = ()
    if look.trouble is Trouble.UNREAD and look.inventory:
        minutes = (now - look.inventory.at).total_seconds() / 60
        trouble = (f"the fleet is as the hub told it {minutes:.0f} minutes ago: {look.detail}",)
    elif look.trouble:
        hint = f"`hubctl clusters confirm --removing {len(look.absent)}` lets them go"
        trouble = (f"the fleet stays as it was: {look.detail}; {hint}",)
    kept = [one.name for one in look.inventory.members if one.missing_since] if look.inventory else []
    told = [f"kept for now, although the hub does not name them: {', '.join(kept)}"] if kept else []
    return (*look.notes, *told, *trouble)
