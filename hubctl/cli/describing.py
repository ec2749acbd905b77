"""``models describe``: what a served model says of itself, spoke by spoke."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import discovery, hub, outlet
from hubctl.cli import output, rendering
from hubctl.cli.clusters import complete_spokes
from hubctl.cli.observing import chosen_services
from hubctl.inputs import load
from hubctl.model.predictor import InferenceService
from hubctl.observe.interview import Asker, Described
from hubctl.settings import Settings


@click.command()
@click.argument("name")
@click.option("--cluster", shell_complete=complete_spokes, help="Only this spoke.")
@output.format_option
@click.pass_obj
def describe(settings_of: Any, name: str, cluster: str | None, shape: str) -> None:
    """Show what the model NAME says of itself on each spoke: protocols, versions, inputs and outputs.

    Asked over the spokes' routes, in both protocols, whatever the values say; status codes alone decide which are
    spoken. Stores nothing.

    \b
    Example:
      hubctl models describe anomaly-detector --cluster edge-factory -o yaml
    """
    settings = settings_of()
    sources = discovery.read_sources(settings, os.environ)
    inputs = asyncio.run(outlet.inputs_in_force(settings, sources, ask=True))
    rendering.warn(inputs)
    if rendering.switched_off(inputs.values):
        return
    chosen = chosen_services(inputs, cluster, name)
    with output.progress("asking", len(chosen)) as advance:
        found = asyncio.run(_describe(settings, sources, chosen, advance))
    data = [described_data(one) for one in found]
    output.show(
        shape,
        {"models": data},
        ("cluster", "version", "ready", "speaks", "platform", "inputs", "outputs", "reason"),
        [_row(one) for one in data],
    )


async def _describe(
    settings: Settings, sources: load.Sources, chosen: tuple[InferenceService, ...], advance: Any
) -> list[Described]:
    api = hub.open_api(settings, sources)
    snapshot = await api.snapshot(datetime.now(UTC)) if api else None
    observe = sources.values.hubctl.observe
    async with Asker(observe, settings.directory, os.environ, api=api) as asker:
        await asker.begin(chosen, snapshot)

        async def one(service: InferenceService) -> Described:
            made = await asker.describe(service)
            advance()
            return made

        return list(await asyncio.gather(*map(one, chosen)))


def described_data(one: Described) -> dict[str, Any]:
    """One model on one spoke in ``models describe -o json``; these keys are stable."""
    service, spoken = one.service, one.service.profile.protocol
    asked = one.ready[service.profile.spoken]
    ready = bool(one.speaks) if spoken == "auto" else spoken in one.speaks
    return {
        "cluster": service.cluster,
        "model": service.name,
        "version": service.version,
        "protocol": spoken,
        "speaks": list(one.speaks),
        "ready": ready,
        "outcome": str(asked.outcome),
        "reason": "" if ready else ": ".join(filter(None, (str(asked.reason), asked.detail))),
        "platform": one.text("platform"),
        "versions": list(one.versions),
        "inputs": list(one.tensors("inputs")),
        "outputs": list(one.tensors("outputs")),
    }


def _row(data: dict[str, Any]) -> tuple[object, ...]:
    listed = (", ".join(data[key]) or "-" for key in ("speaks", "inputs", "outputs"))
    speaks, inputs, outputs = listed
    ready = "yes" if data["ready"] else "no"
    return data["cluster"], data["version"], ready, speaks, data["platform"] or "-", inputs, outputs, data["reason"]
