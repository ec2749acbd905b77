"""``features``: the rows that predictors would be sent now, with their names; or why there are none."""

import asyncio
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import discovery, hub, outlet
from hubctl.cli import output, rendering
from hubctl.cli.clusters import complete_spokes
from hubctl.cli.observing import chosen_services
from hubctl.inputs import load
from hubctl.model.apiserver import HubReader
from hubctl.model.check import Check
from hubctl.model.fleet import services
from hubctl.model.predictor import InferenceService, Window
from hubctl.model.snapshot import Snapshot
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.rows import of_sources
from hubctl.observe.tokens import Tokens
from hubctl.settings import Settings

Found = Sequence[tuple[InferenceService, Window | NoWindow]]

REPAIRS = {
    Reason.METRICS_EMPTY: "let the source's token get the spokes' namespaces, and see that they send the metric",
    Reason.METRICS_MISSING: "see that the spoke sends the metric, and that clusterLabel holds its name",
    Reason.METRICS_UNLABELLED: "set clusterLabel to the label that holds the spoke's name",
    Reason.METRICS_AMBIGUOUS: "make the query one series a spoke: avg by ($cluster) (…)",
    Reason.METRICS_STALE: "see that the spoke sends metrics; raise delay if they come in later",
    Reason.METRICS_GAP: "a step as long as the scrape interval, or gap: drop-row with several rows",
    Reason.METRICS_NOT_FINITE: "see what the query divides by",
    Reason.METRICS_PARTIAL: "see the stores of Thanos: one of them does not answer",
    Reason.METRICS_DENIED: "put a token that the source accepts into its tokenFile",
    Reason.METRICS_REFUSED: "try the query in Prometheus' own page",
    Reason.METRICS_OVERLOADED: "lower the source's concurrency, or ask for longer steps",
    Reason.METRICS_TIMEOUT: "raise the source's timeout, or lower its chunk",
    Reason.METRICS_UNREACHABLE: "see the source's url and caFile",
    Reason.METRICS_TOO_LARGE: "lower the source's chunk, or raise its maxBodyBytes",
    Reason.METRICS_MALFORMED: "see whether url leads to the Prometheus HTTP API: it stands before /api/v1",
    Reason.METRICS_CREDENTIALS: "see the source's tokenFile, tokenEnv and caFile",
}
"""What to do about a source that gives no rows."""


@click.group()
def features() -> None:
    """Show the rows that predictors are sent, and check where they come from."""


@features.command("show")
@click.argument("cluster", shell_complete=complete_spokes)
@click.argument("model")
@output.format_option
@click.pass_obj
def show(settings_of: Any, cluster: str, model: str, shape: str) -> None:
    """Print the rows that MODEL on CLUSTER would be sent now, with the names of their columns.

    Exits 1 when there are none, and says why.

    \b
    Example:
      hubctl features show edge-factory anomaly-detector
    """
    [(service, found)] = asyncio.run(look(settings_of(), cluster, model))
    names = names_of(service, found)
    data = window_data(service, found)
    if isinstance(found, Window):
        output.say(f"window {found.digest}, {output.count(len(found.instances), 'row')}")
        columns = zip(names, *found.instances, strict=True)
        headings = ("feature", *(f"row {number + 1}" for number in range(len(found.instances))))
        data |= {"features": list(names), "rows": [list(row) for row in found.instances]}
        output.show(shape, data, headings, [(name, *(f"{value:.6g}" for value in row)) for name, *row in columns])
        return
    if shape != "table":
        output.show(shape, data, (), ())
    output.say(f"no rows: {found.reason}: {found.detail}", colour="yellow")
    raise click.exceptions.Exit(1)


@features.command("check")
@click.option("--cluster", shell_complete=complete_spokes, help="Only this spoke.")
@click.option("--model", help="Only this model.")
@output.format_option
@click.pass_obj
def check(settings_of: Any, cluster: str | None, model: str | None, shape: str) -> None:
    """Say of every predictor whether there are rows for it now; asks no predictor.

    Exits 1 when some have none.

    \b
    Example:
      hubctl features check --model anomaly-detector
    """
    found = asyncio.run(look(settings_of(), cluster, model))
    output.show(
        shape,
        {"windows": [window_data(*one) for one in found]},
        ("cluster", "model", "rows", "window", "reason"),
        [tuple(window_data(*one)[key] for key in ("cluster", "model", "count", "window", "reason")) for one in found],
    )
    if any(isinstance(one, NoWindow) for _, one in found):
        raise click.exceptions.Exit(1)


async def look(settings: Settings, cluster: str | None, model: str | None) -> Found:
    """The windows of the chosen predictors.

    Raises:
        InputError: the inputs are wrong, or there is no such predictor.
    """
    sources = discovery.read_sources(settings, os.environ)
    inputs = await outlet.inputs_in_force(settings, sources, ask=True)
    rendering.warn(inputs)
    chosen = chosen_services(inputs, cluster, model)
    api = hub.open_api(settings, sources)
    snapshot = await api.snapshot(datetime.now(UTC)) if api else None
    with output.progress("fetching", len(chosen)) as advance:
        # As in a round: what a source says of one spoke is understood beside what it says of the others.
        return await windows(settings, sources, chosen, snapshot, fleet=services(inputs), api=api, advance=advance)


async def windows(
    settings: Settings,
    sources: load.Sources,
    chosen: Sequence[InferenceService],
    snapshot: Snapshot | None,
    *,
    fleet: Sequence[InferenceService] | None = None,
    api: HubReader | None = None,
    advance: Callable[[], None] | None = None,
) -> Found:
    """The window of each predictor as of now, or why there is none.

    Args:
        settings: where files lie.
        sources: the values.
        chosen: the predictors.
        snapshot: the hub's own objects, where tokens need them.
        fleet: all predictors, with whom these would be polled; default: nobody else.
        api: the hub's own API, where tokens need it.
        advance: called after each.
    """
    observe = sources.values.hubctl.observe
    tokens = Tokens(observe, os.environ, settings.directory, api)
    tokens.begin(snapshot)
    rows = of_sources(observe, settings.directory, os.environ, tokens)
    slots = asyncio.Semaphore(observe.concurrency)

    async def one(service: InferenceService) -> Window | NoWindow:
        async with slots:
            found = await rows.of(service)
        if advance is not None:
            advance()
        return found

    try:
        await rows.begin(chosen if fleet is None else fleet, datetime.now(UTC))
        found = await asyncio.gather(*(one(service) for service in chosen))
    finally:
        await rows.close()
    return tuple(zip(chosen, found, strict=True))


def source_checks(found: Found) -> list[Check]:
    """A check for each source of metrics: whether it gives rows for the predictors whose recipes name it."""
    grouped: defaultdict[str, list[Window | NoWindow]] = defaultdict(list)
    for service, one in found:
        if service.metrics is not None:
            grouped[service.metrics.name].append(one)
    return [_source_check(name, asked) for name, asked in sorted(grouped.items())]


def _source_check(name: str, asked: Sequence[Window | NoWindow]) -> Check:
    missed = [one for one in asked if isinstance(one, NoWindow)]
    told = f"rows for {len(asked) - len(missed)} of {output.count(len(asked), 'predictor')}"
    if not missed:
        return Check(f"metrics {name}", "ok", told)
    [(reason, count)] = Counter(one.reason for one in missed).most_common(1)
    first = next(one for one in missed if one.reason == reason)
    detail = f"{told}; {count} times {reason}: {first.detail}"
    return Check(
        f"metrics {name}", "failed" if len(missed) == len(asked) else "warning", detail, REPAIRS.get(reason, "")
    )


def names_of(service: InferenceService, found: Window | NoWindow) -> Iterable[str]:
    """The names of a row's columns: the recipe's, or their numbers."""
    recipe = service.profile.features.prometheus if service.profile.features else None
    if recipe is not None:
        return recipe.features
    width = len(found.instances[0]) if isinstance(found, Window) else 0
    return tuple(str(number + 1) for number in range(width))


def window_data(service: InferenceService, found: Window | NoWindow) -> dict[str, Any]:
    """One predictor's window as plain data."""
    made: Mapping[str, Any] = {"cluster": service.cluster, "model": service.name}
    if isinstance(found, Window):
        return {**made, "count": len(found.instances), "window": found.digest, "reason": ""}
    return {**made, "count": 0, "window": "", "reason": f"{found.reason}: {found.detail}"}
