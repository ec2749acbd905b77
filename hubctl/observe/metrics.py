"""Metrics: the tables that recipes are computed from, fetched when their window has moved on.

Where one source knows the whole fleet, a round asks it each query once, in chunks of spokes, before the first poll, so
that the cost grows with features and not with spokes. Where each spoke has a source of its own, it is asked when its
first model is polled, so that the load is spread as the polls are.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hubctl.model.features import Recipe
from hubctl.model.predictor import InferenceService, Window
from hubctl.model.prometheus import Endpoint
from hubctl.observe import recipes, series
from hubctl.observe.features import NoWindow
from hubctl.observe.promql import PromQL
from hubctl.observe.reason import Reason
from hubctl.observe.recipes import Asked, Grid, Missed, Plan, Table
from hubctl.observe.tokens import Tokens


@dataclass(slots=True)
class _Need:
    """What the predictors of a round need of one query: seconds back, whose spokes, and whether some can be chosen."""

    span: int = 0
    clusters: set[str] = field(default_factory=set)
    selects: bool = False


@dataclass(slots=True)
class _Kept:
    """A table with whom it is about, and the round that fetched it; one that failed is fetched again in the next."""

    table: Table
    clusters: frozenset[str]
    number: int
    failed: bool


@dataclass(slots=True)
class _Held:
    """What is held of one source between rounds."""

    client: PromQL
    needs: dict[Asked, _Need] = field(default_factory=dict)
    fleet: dict[Asked, _Kept] = field(default_factory=dict)
    spokes: defaultdict[str, dict[Asked, _Kept]] = field(default_factory=lambda: defaultdict(dict))
    turns: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))


class Metrics:
    """Tables of every source that the predictors' recipes name."""

    def __init__(self, folder: Path, environ: Mapping[str, str], tokens: Tokens | None = None) -> None:
        """Take where relative paths start, what holds tokens, and those that predictors get; nothing is opened yet."""
        self._folder = folder
        self._environ = environ
        self._tokens = tokens
        self._held: dict[str, _Held] = {}
        self._plans: dict[int, tuple[Recipe, Plan]] = {}
        self._number = 0
        self._now = datetime.min.replace(tzinfo=UTC)

    async def close(self) -> None:
        """Close every connection."""
        for held in tuple(self._held.values()):
            await held.client.close()
        self._held.clear()

    async def begin(self, services: Sequence[InferenceService], now: datetime) -> None:
        """Begin a round: fetch what one source knows of the whole fleet, where the window has moved on."""
        self._number += 1
        self._now = now
        self._forget(services)
        names = {service.cluster for service in services}
        # Rounds may overlap: another one may come to know a source meanwhile.
        for held in tuple(self._held.values()):
            held.needs = {}
            held.spokes = defaultdict(dict, {name: held.spokes[name] for name in held.spokes.keys() & names})
            await held.client.renew()
        for service in services:
            if service.metrics is not None:
                self._add(service, service.metrics)
        async with asyncio.TaskGroup() as group:
            for held in self._held.values():
                if held.client.endpoint.source.scope == "hub":
                    group.create_task(self._fleet(held))

    async def of(self, service: InferenceService) -> Window:
        """The rows of a model on a spoke.

        Raises:
            NoWindow: there are none.
        """
        features, endpoint = service.profile.features, service.metrics
        if features is None or features.prometheus is None or endpoint is None:
            raise NoWindow(Reason.NO_FEATURES, f"expected a recipe in hubctl.models.{service.name}.features")
        held, plan = self._of(endpoint), self._plan(features.prometheus)
        kept = held.fleet if endpoint.source.scope == "hub" else await self._spoke(held, plan, service)
        return plan.window(service.cluster, {asked: one.table for asked, one in kept.items()})

    def _add(self, service: InferenceService, endpoint: Endpoint) -> None:
        features = service.profile.features
        if features is None or features.prometheus is None:
            return
        needs = self._of(endpoint).needs
        for asked, span, selects in self._plan(features.prometheus).asked:
            need = needs.setdefault(asked, _Need(selects=selects))
            need.span = max(need.span, span)
            need.clusters.add(service.cluster)

    def _of(self, endpoint: Endpoint) -> _Held:
        if endpoint.name not in self._held:
            client = PromQL(endpoint, self._folder, self._environ, self._tokens)
            self._held[endpoint.name] = _Held(client)
        return self._held[endpoint.name]

    def _plan(self, recipe: Recipe) -> Plan:
        # By identity, since a recipe is shared by a fleet and hashing one costs more than using it; kept, so that no
        # other gets its number.
        known = self._plans.get(id(recipe))
        if known is None:
            known = self._plans[id(recipe)] = recipe, Plan(recipe)
        return known[1]

    def _forget(self, services: Sequence[InferenceService]) -> None:
        """Drop plans of recipes that nobody has any more; what a reload leaves behind would pile up."""
        used = {id(one.profile.features.prometheus) for one in services if one.profile.features}
        self._plans = {key: plan for key, plan in self._plans.items() if key in used}

    async def _fleet(self, held: _Held) -> None:
        """Every query that is not answered yet for this window, all within the source's timeout."""
        source = held.client.endpoint.source
        until = asyncio.get_running_loop().time() + source.timeout
        async with asyncio.TaskGroup() as group:
            for asked, need in held.needs.items():
                grid = Grid.at(self._now, source, asked.step, need.span)
                if not self._is_known(held.fleet.get(asked), grid, need.clusters):
                    group.create_task(self._query(held, asked, need, grid, until))
        held.fleet = {asked: kept for asked, kept in held.fleet.items() if asked in held.needs}

    def _is_known(self, kept: _Kept | None, grid: Grid, clusters: set[str]) -> bool:
        """Whether a table is of this window and these spokes; one that failed counts for its own round only."""
        if kept is None or kept.table.grid.end != grid.end or kept.table.grid.span < grid.span:
            return False
        return clusters <= kept.clusters and (not kept.failed or kept.number == self._number)

    async def _query(self, held: _Held, asked: Asked, need: _Need, grid: Grid, until: float) -> None:
        """Ask one query for the fleet, chunk by chunk, and keep the table."""
        source = held.client.endpoint.source
        parts = recipes.chunks(need.clusters, source.chunk, selects=need.selects)
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    self._part(held, recipes.filled(asked.query, source, part), grid, until, need.clusters)
                )
                for part in parts
            ]
        table = Table(grid)
        results = [(part, task.result()) for part, task in zip(parts, tasks, strict=True)]
        readings = [one for _, one in results if isinstance(one, series.Reading)]
        table.rest = _rest(readings, source.cluster_label, several=len(need.clusters) > 1)
        for part, one in results:
            if isinstance(one, series.Reading):
                table.found |= one.found
            elif part is None:
                table.rest = one
            else:
                table.found |= dict.fromkeys(part, one)
        kept = _Kept(table, frozenset(need.clusters), self._number, failed=len(readings) < len(parts))
        held.fleet[asked] = kept

    async def _part(
        self, held: _Held, query: str, grid: Grid, until: float, wanted: set[str]
    ) -> series.Reading | Missed:
        try:
            body = await held.client.ask(query, grid, until)
            return series.read(body, grid, label=held.client.endpoint.source.cluster_label, wanted=wanted)
        except NoWindow as error:
            return Missed(error.reason, error.detail)

    async def _spoke(self, held: _Held, plan: Plan, service: InferenceService) -> dict[Asked, _Kept]:
        """The tables of a spoke from its own source, fetched once a window for all of its models."""
        source, kept = held.client.endpoint.source, held.spokes[service.cluster]
        async with held.turns[service.cluster]:
            until = asyncio.get_running_loop().time() + source.timeout
            async with asyncio.TaskGroup() as group:
                for asked, span, _ in plan.asked:
                    needed = max(span, held.needs[asked].span if asked in held.needs else 0)
                    grid = Grid.at(self._now, source, asked.step, needed)
                    if not self._is_known(kept.get(asked), grid, {service.cluster}):
                        group.create_task(self._own(held, kept, asked, grid, until, service))
        return kept

    async def _own(
        self,
        held: _Held,
        kept: dict[Asked, _Kept],
        asked: Asked,
        grid: Grid,
        until: float,
        service: InferenceService,
    ) -> None:
        """Ask one query of a spoke's own source, and keep the table."""
        table, failed = Table(grid), False
        try:
            query = recipes.filled(asked.query, held.client.endpoint.source, None)
            body = await held.client.ask(query, grid, until, service)
            reading = series.read(body, grid, label="", wanted=(service.cluster,))
            table.found, table.rest = reading.found, _rest([reading], "", several=False)
        except NoWindow as error:
            table.rest, failed = Missed(error.reason, error.detail), True
        kept[asked] = _Kept(table, frozenset((service.cluster,)), self._number, failed)


def _rest(readings: Sequence[series.Reading], label: str, *, several: bool) -> Missed:
    """What is so of a spoke that no answer has a series of; of one spoke alone an empty answer says no more."""
    if several and readings and all(one.empty for one in readings):
        told = "answered 200 without a series; most likely the token may see no spoke, or nobody sends this metric"
        return Missed(Reason.METRICS_EMPTY, told)
    if any(one.unlabelled for one in readings):
        return Missed(Reason.METRICS_UNLABELLED, f"there is a series without the label {label}, and none of this spoke")
    told = "there is no series of this spoke"
    return Missed(Reason.METRICS_MISSING, told if several else f"{told}, or the token may not see it")
