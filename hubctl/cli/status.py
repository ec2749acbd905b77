"""``status``: the fleet as the last pass left it."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import discovery, holding, hub, outlet
from hubctl.cli import output, proposals, shapes, storing, witnessing
from hubctl.cli.pausing import holds_data, sentences
from hubctl.model.fleet import services
from hubctl.model.health import FindingKind
from hubctl.model.remediation import WAITS
from hubctl.model.witness import SpokeWitness
from hubctl.observe import pace
from hubctl.passes import ROUND
from hubctl.store.records import PassRecord
from hubctl.store.schema import open_store


@click.command()
@click.option("--storage", is_flag=True, help="How much the store holds, and how fast it grows.")
@output.format_option
@click.pass_obj
def status(settings_of: Any, storage: bool, shape: str) -> None:
    """Show the fleet's health as the last pass left it, what witnesses on the hub said, and open incidents.

    Exits 1 when a spoke is anomalous or an incident is open.

    \b
    Example:
      hubctl status -o json
    """
    settings = settings_of()
    sources = discovery.read_sources(settings, os.environ)
    inputs = asyncio.run(outlet.inputs_in_force(settings, sources))
    with open_store(hub.store_url(settings, sources, os.environ)) as store:
        health, incidents, last = store.journal.load_health(), store.cases.unresolved(), store.journal.last_pass()
        now, executing = datetime.now(UTC), store.remedies.executing()
        keep = sources.values.hubctl.store.keep
        stored = storing.storage_data(store.size(), store.growth.parts(keep, now)) if storage else None
        held = holding.Gate(settings, sources.values.hubctl, store.pauses, now).holds()
        leader, witnesses = store.terms.latest(), store.witnesses.load()
    blind = any(item.kind is FindingKind.HUB_UNREACHABLE for item in incidents)
    slow = {} if blind else pace.waiting(services(inputs), health, hub.pace_of(sources.values.hubctl), now=now)
    data = shapes.status_data(inputs, health, incidents, slow, witnesses)
    data |= holds_data(held, now) | shapes.running_data(leader, last)
    data["waiting"] = proposals.waiting(executing, last)
    if stored is not None:
        data["storage"] = stored
    if shape == "table":
        print_status(data, witnesses, last)
        for line in sentences(held.stops, held.pauses):
            output.say(line, colour="yellow")
    else:
        output.show(shape, data, (), ())
    if incidents or any(cluster["health"] == "anomalous" for cluster in data["clusters"]):
        raise click.exceptions.Exit(1)


def print_status(data: dict[str, Any], witnesses: tuple[SpokeWitness, ...], last: PassRecord | None) -> None:
    """The fleet for a person."""
    now = datetime.now(UTC)
    rows = [
        (
            cluster["name"] + (" (quarantined)" if cluster["quarantined"] else ""),
            cluster["health"],
            model["name"],
            model["version"],
            model["health"],
            shapes.spark(model["votes"]),
            output.ago(model["since"], now),
            model["reason"] + (f"; next poll in {output.ago(now, cluster['nextPoll'])}" if cluster["nextPoll"] else ""),
        )
        for cluster in data["clusters"]
        for model in cluster["models"]
    ]
    output.table(("cluster", "health", "model", "version", "model health", "votes", "since", "reason"), rows)
    if witnesses:
        click.echo()
        output.table(witnessing.COLUMNS, witnessing.witness_rows(witnesses, now))
    if data["incidents"]:
        click.echo()
        output.table(
            ("incident", "state", "opened", "summary"),
            [
                (item["id"], item["state"], output.ago(item["openedAt"], now), item["summary"])
                for item in data["incidents"]
            ],
        )
    if "storage" in data:
        click.echo()
        storing.print_storage(data["storage"], now)
    for item in data["waiting"]:
        output.say(f"{item['remediation'] or 'the fleet'} {WAITS}{item['url']}", colour="yellow")
    print_running(data, now)
    if last is not None and ROUND in last.summary:
        told = last.summary.partition(ROUND)[2].partition(WAITS)[0].removesuffix("; ")
        output.say(f"last round {told}")
    output.say(f"last pass {output.ago(last.began_at, now)} ago" if last else "no pass yet: run `hubctl reconcile`")


def print_running(data: dict[str, Any], now: datetime) -> None:
    """What the controller works from, and who leads."""
    if data["configuration"]:
        output.say(f"configuration {data['configuration'][:12]}")
    if data["complaint"]:
        output.say(f"not in force: {data['complaint']}", colour="yellow")
    if data["leader"]:
        since = output.ago(data["leader"]["since"], now)
        output.say(f"leader {data['leader']['holder']}, epoch {data['leader']['epoch']}, for {since}")
