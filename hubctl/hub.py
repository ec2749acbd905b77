"""Hub: the open parts of one hubctl process.

Opened at the edge (command line, controller), handed to ``reconcile``; apart from it so that ``reconcile`` is only the
order of a pass.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from hubctl import desired, engines, holding, outlet
from hubctl.conform.check import Checker
from hubctl.errors import GuardRefused, InputError, PublishConflict
from hubctl.inputs import load
from hubctl.model import incident as incidents
from hubctl.model import remediation as remediations
from hubctl.model import tree, watching
from hubctl.model.cluster import ManagedCluster
from hubctl.model.health import FindingKind, PredictorHealth
from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.snapshot import MANAGED_CLUSTERS, Resource, Snapshot
from hubctl.model.turn import Made, Taken, Turn
from hubctl.model.values import Aggregate, HubctlSection
from hubctl.observe import pace
from hubctl.publish import branch, pulls
from hubctl.publish.repository import anybody
from hubctl.remediate import actions, override
from hubctl.render.templates import Templates, load_templates
from hubctl.settings import Settings

if TYPE_CHECKING:  # publish and diff start without HTTP, SQL and the Kubernetes client
    from hubctl.fleet.election import Election
    from hubctl.fleet.hubapi import HubApi
    from hubctl.model.turn import Engine, OpenEngine
    from hubctl.rounds import Rounds
    from hubctl.store.schema import Store


_TELLING = 5.0
"""Seconds for one request that tells the hub how hubctl stands."""


@dataclass(frozen=True, slots=True)
class Hub:
    """What a pass works with.

    Attributes:
        sources: values and spokes as the folder holds them, before overrides.
        outlet: where a publish goes.
        store: health, incidents, remediations and the audit trail.
        engine: the only door to predictors, for one round at a time; None where there are rounds beside the passes.
        rounds: those.
        api: the hub's own API server; None when nothing in the values needs it.
        term: while which this process may act; None when it need not be elected.
        complaint: why what the files say now is not in force; empty when it is.
    """

    settings: Settings
    environ: Mapping[str, str]
    sources: load.Sources
    templates: Templates
    outlet: outlet.Outlet
    store: Store
    engine: Engine | None = None
    rounds: Rounds | None = None
    api: HubApi | None = None
    term: Election | None = None
    complaint: str = ""

    def check(self) -> None:
        """See that this process may go on.

        Raises:
            Fenced: its term is over.
        """
        if self.term is not None:
            self.term.check()

    def gate(self, now: datetime, clusters: Iterable[ManagedCluster], snapshot: Snapshot | None) -> holding.Gate:
        """What people hold back in the pass of ``now``, over these spokes."""
        section, sets = self.sources.values.hubctl, holding.sets_of(clusters, snapshot)
        blind = snapshot is not None and MANAGED_CLUSTERS in snapshot.unread
        return holding.Gate(self.settings, section, self.store.pauses, now, sets, blind)

    def waiting(
        self, services: Iterable[InferenceService], health: Iterable[PredictorHealth], now: datetime
    ) -> dict[str, datetime]:
        """Spokes that are not to be asked now, and when they are; none while the hub itself is out of sight."""
        blind = any(one.kind is FindingKind.HUB_UNREACHABLE for one in self.store.cases.unresolved())
        return {} if blind else pace.waiting(services, health, pace_of(self.sources.values.hubctl), now=now)

    async def look(
        self, services: tuple[InferenceService, ...], snapshot: Snapshot | None, blind: Mapping[str, str]
    ) -> Taken:
        """One turn at once; or, where there are rounds, what they saw since the last look, and whom they ask next.

        Args:
            services: who is asked.
            snapshot: the hub's own objects.
            blind: what the pass itself found out of the hub's reach, and why; counts where there are rounds.
        """
        if self.rounds is not None:
            self.rounds.aim(services, snapshot)
            return self.rounds.take(blind)
        assert self.engine is not None, "a hub without engine has rounds"  # noqa: S101 - a mistake of open_hub's
        began = datetime.now(UTC)
        gathered = await self.engine.round(Turn(services, began, snapshot=snapshot))
        seconds = (datetime.now(UTC) - began).total_seconds()
        return Taken(gathered.observations, (Made(began, seconds, 0.0, gathered.tally),), gathered.problems)

    def patient(self, rules: Aggregate) -> Aggregate:
        """The same, but that nothing is called stale only because rounds and passes are out of step."""
        if self.rounds is None or rules.stale_after >= self.rounds.patience:
            return rules
        return rules.model_copy(update={"stale_after": self.rounds.patience})

    def ports(self, gate: holding.Gate) -> actions.Ports:
        """The doors that actions may use in one pass, while they are open."""
        return actions.Ports(
            publish=partial(self.publish_overrides, gate=gate),
            check=gate.refuse,
            find=self.find_action,
            webhooks=self.sources.values.hubctl.notify.webhooks,
            environ=self.environ,
            directory=self.settings.directory,
            permit=self.term.confirm if self.term else anybody,
        )

    async def find_action(self, action_id: str) -> str:
        """The commit on the branch that carries this action, empty when there is none."""
        folder = self.sources.values.hubctl.gitops.overrides
        published = await branch.published(self.outlet.repository, folder)
        if found := await self.outlet.repository.history.find(actions.TRAILER, action_id):
            return found
        # A forge that squashes may drop trailers; the override itself says what made it.
        made = (name for name, data in published.overrides.items() if override.is_of(data, action_id))
        newest = [await self.outlet.repository.history.log([f"{folder}/{name}"], 1) for name in made]
        return next((records[0].commit for records in newest if records), "")

    async def publish_overrides(
        self,
        remediation: remediations.Remediation,
        incident: incidents.Incident,
        files: Mapping[str, bytes],
        *,
        gate: holding.Gate,
    ) -> actions.Effect:
        """Overrides and the spokes re-rendered with them, as one commit, on the branch or in a pull request of its own.

        Raises:
            GuardRefused: the branch moved on and no longer holds what the action is to change.
            Held: somebody stopped or paused it meanwhile.
            ManifestRefused: an object of the spokes concerned does not fit its schema.
            PublishConflict: the branch kept moving, or a spoke of this action differs from the branch by what waits
                to be merged.
            RemoteFailed: the remote did not take it.
        """
        if self.sources.overrides is not None:
            raise GuardRefused(
                "publishing mode hydrated takes no change that is not in a commit of the inputs",
                hint="commit the override to the inputs, or set hubctl.gitops.publishing.mode to commit",
            )
        checked = await self._merged(remediation) if self.outlet.forge else None

        def wanted_on(published: tree.Published) -> tree.Wanted:
            if checked not in (None, published.commit):
                raise PublishConflict("the branch moved", hint="the next pass tries again")
            checker = Checker(self.outlet.validators)
            wanted = desired.wanted_override(
                self.sources, self.templates, published, files, remediation, incident, checker
            )
            # What is wrong elsewhere does not keep an action from the spokes that it is for.
            checker.refuse(only=remediation.clusters)
            gate.refuse(remediation)
            return wanted

        options = desired.publish_options(self.sources)
        if self.outlet.forge and self.outlet.forge.per_action:
            forge = self.outlet.forge.of_action(remediation.id)
            proposed = await pulls.propose(self.outlet.repository, forge, wanted_on, options, now=gate.now, titled=True)
            url = proposed.pull.url if proposed.pull else ""
            if proposed.outcome is pulls.Outcome.DECLINED:
                return actions.Effect(declined=url)
            return actions.Effect(waits=url if proposed.commit else "")
        made = await branch.publish(self.outlet.repository, wanted_on, options, now=gate.now)
        return actions.Effect(made.id if made else "")

    async def _merged(self, remediation: remediations.Remediation) -> str:
        """The tip, once nothing of this action's spokes waits to be merged: what renders them would carry it along.

        Raises:
            PublishConflict: something does.
        """

        def wanted_on(published: tree.Published) -> tree.Wanted:
            return desired.wanted_fleet(self.sources, self.templates, published)[1]

        seen = await branch.compared(self.outlet.repository, wanted_on, desired.publish_options(self.sources))
        spokes = seen.found.spokes
        if waiting := sorted({*spokes.added, *spokes.changed, *spokes.removed}.intersection(remediation.clusters)):
            raise PublishConflict(
                f"a change of {', '.join(waiting)} waits to be merged into {self.sources.values.hubctl.gitops.branch}, "
                "and this action would carry it past review",
                hint="merge the pull request, or take the change out of the inputs",
            )
        return seen.tip.commit


def pace_of(section: HubctlSection) -> pace.Pace:
    """How often spokes are asked that do not answer."""
    observe = section.observe
    return pace.Pace(observe.backoff, observe.interval, section.aggregate.raise_after, pace.share_of)


def store_url(settings: Settings, sources: load.Sources, environ: Mapping[str, str]) -> str:
    """The store's URL: from the values, from the variable that they name, or SQLite in the state folder.

    Raises:
        InputError: the variable is not set.
    """
    store = sources.values.hubctl.store
    if store.url_env and not environ.get(store.url_env):
        raise InputError(
            f"the variable {store.url_env} is not set",
            where="values-hub.yaml hubctl.store.urlEnv",
            hint=f"export {store.url_env} with the store's SQLAlchemy URL",
        )
    return environ.get(store.url_env or "") or store.url or f"sqlite:///{settings.state / 'hubctl.db'}"


def needs_of(sources: load.Sources) -> tuple[bool, tuple[Resource, ...]]:
    """Whether the inputs need the hub's API at all, and which kinds are listed for them."""
    spokes = [spoke for _, spoke in sources.described]
    return watching.asks_hub(sources.values, spokes), watching.resources_of(sources.values, spokes)


def open_api(settings: Settings, sources: load.Sources, *, tells: bool = False) -> HubApi | None:
    """The hub's own API server, for what the inputs need of it; None when they need nothing. Nothing is asked yet.

    Args:
        settings: where it is.
        sources: the inputs.
        tells: whether hubctl says there how it stands, which is no need: without a server nobody is told.

    Raises:
        InputError: nothing says where it is.
    """
    needed, resources = needs_of(sources)
    if not needed and not tells:
        return None
    from hubctl.fleet.cluster import connect  # noqa: PLC0415 - as above
    from hubctl.fleet.hubapi import HubApi  # noqa: PLC0415 - as above

    try:
        cluster = connect(settings.kubeconfig, settings.context)
        # A thread that waits for a server which went silent keeps the process from ending.
        brief = connect(settings.kubeconfig, settings.context, seconds=_TELLING, patient=False) if tells else None
        return HubApi(cluster, watching.placed(resources, sources.values), brief)
    except InputError as error:
        if not needed:
            return None
        if settings.kubeconfig or settings.context:
            raise
        kinds = ", ".join(kind.plural for kind in resources) or "single objects"
        raise InputError(
            f"the hub's objects are to be read ({kinds}): {error.message}",
            where="values-hub.yaml hubctl",
            hint="set KUBECONFIG or HUBCTL_KUBECONFIG, or run hubctl on the hub",
        ) from error


@asynccontextmanager
async def open_hub(
    settings: Settings,
    environ: Mapping[str, str],
    *,
    sources: load.Sources | None = None,
    seen: Callable[[Observation], None] | None = None,
    term: Election | None = None,
    watch: float | None = None,
    engine: OpenEngine | None = None,
) -> AsyncIterator[Hub]:
    """Everything that a pass needs, closed again at the end.

    Args:
        settings: where this run looks and writes.
        environ: holds the variables that the values name.
        sources: what the files say, if they have been read already.
        seen: called with each observation as it is made, for progress.
        term: while which this process may act; None when it need not be elected.
        watch: for a process that stays: seconds between two rounds, which are made beside the passes; and the hub's
            objects are kept up to date in the background. None: neither.
        engine: opens what makes rounds; None: this process does.

    Raises:
        InputError: the inputs are wrong.
        TemplateError: a template cannot be parsed.
        StoreUnavailable: the store cannot be opened.
    """
    from hubctl.store.schema import open_store  # noqa: PLC0415 - as above

    sources = sources or load.read_sources(settings)
    templates = load_templates(settings.directory / "templates")
    store = open_store(store_url(settings, sources, environ))
    api: HubApi | None = None
    try:
        api = open_api(settings, sources, tells=watch is not None and bool(settings.namespace))
        if api is not None and watch is not None:
            api.watch()
        opened = outlet.open_outlet(settings, sources, term.confirm if term else anybody)
        section = sources.values.hubctl
        observe = engines.observing(sources.values, watch)
        open_engine = engine or engines.opener(
            settings, environ, observe, api, section.engine if watch is not None else None
        )
        made = Hub(settings, environ, sources, templates, opened, store, api=api, term=term)
        if watch is None:
            async with open_engine(seen) as one:
                yield replace(made, engine=one)
        else:
            gitops = sources.values.hubctl.gitops
            identity = f"{gitops.remote} {gitops.branch}"
            bounded = not engines.elsewhere(settings.engine, section.engine)
            beside = engines.beside(
                open_engine, observe, settings, environ, identity=identity, api=api, bounded=bounded
            )
            async with beside as rounds:
                yield replace(made, rounds=rounds)
    finally:
        if api is not None:
            await asyncio.to_thread(api.close)
        store.close()
