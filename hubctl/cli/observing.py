"""``poll``, ``reconcile``, ``run`` and ``status``: one look, one pass, passes for ever, and what came of them."""

import asyncio
import os
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import controller, hub
from hubctl.aggregate import spoke_condition
from hubctl.cli import delivery, output
from hubctl.errors import InputError
from hubctl.inputs import load
from hubctl.model.fleet import HubInputs
from hubctl.model.health import PredictorHealth
from hubctl.model.incident import Incident
from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.remediation import Remediation, State
from hubctl.observe.poll import Poller
from hubctl.reconcile import Pass, services
from hubctl.reconcile import reconcile as one_pass
from hubctl.settings import Settings
from hubctl.store.lock import hold
from hubctl.store.schema import open_store


@click.command()
@click.option("--cluster", help="Only this spoke.")
@click.option("--model", help="Only this model.")
@output.format_option
@click.pass_obj
def poll(settings_of: Any, cluster: str | None, model: str | None, shape: str) -> None:
    r"""Poll predictors once and print what they answered; stores nothing, decides nothing.

    \b
    Examples:
      hubctl poll --cluster edge-factory
      hubctl poll -o json | jq '.observations[] | select(.outcome != "ok")'
    """
    settings = settings_of()
    sources = load.read_sources(settings)
    inputs = load.load_inputs(settings, None)
    delivery.warn(inputs)
    if delivery.switched_off(inputs):
        return
    chosen = chosen_services(inputs, cluster, model)
    with output.progress("polling", len(chosen)) as advance:
        observations = asyncio.run(poll_once(settings, sources, chosen, lambda _: advance()))
    output.show(
        shape,
        {"observations": [observation_data(seen) for seen in observations]},
        ("cluster", "model", "version", "outcome", "anomalies", "latency", "reason"),
        [observation_row(seen) for seen in observations],
    )


@click.command()
@click.option("--dry-run", is_flag=True, help="Publish, store and carry out nothing; say what a pass would do.")
@output.format_option
@click.pass_obj
def reconcile(settings_of: Any, dry_run: bool, shape: str) -> None:
    r"""Run one full pass: render, publish, poll, aggregate, decide, remediate.

    Exits 3 when a remote part failed and 4 when a guard refused to publish; the rest of the pass is done all the same.

    \b
    Example:
      hubctl reconcile --dry-run
    """
    settings = settings_of()
    if delivery.switched_off(load.load_inputs(settings, {})):
        return
    made = asyncio.run(run_pass(settings, dry_run=dry_run))
    delivery.warn(made.fleet)
    if shape == "table":
        print_pass(made)
    else:
        output.show(shape, pass_data(made), (), ())
    if made.problems:
        raise made.problems[0]


@click.command()
@click.option(
    "--interval", metavar="DURATION", help="Between two passes, such as 30s [default: hubctl.observe.interval]."
)
@click.pass_obj
def run(settings_of: Any, interval: str | None) -> None:
    r"""Run passes until SIGTERM or Ctrl-C; the pass under way is finished first.

    Values and clusters are read again before each pass; a change that is wrong keeps the last good one in force.

    \b
    Example:
      hubctl run --interval 30s
    """
    settings = settings_of()
    with hold(settings.state):
        asyncio.run(controller.run(settings, os.environ, interval=interval))


@click.command()
@click.option("--storage", is_flag=True, help="How much the store holds.")
@output.format_option
@click.pass_obj
def status(settings_of: Any, storage: bool, shape: str) -> None:
    r"""Show the fleet's health as the last pass left it, and open incidents.

    Exits 1 when a spoke is anomalous or an incident is open.

    \b
    Example:
      hubctl status -o json
    """
    settings = settings_of()
    inputs = load.load_inputs(settings, None)
    with open_store(hub.store_url(settings, load.read_sources(settings), os.environ)) as store:
        health, incidents, last = store.journal.load_health(), store.cases.unresolved(), store.journal.last_pass()
        size = store.size() if storage else None
    data = status_data(inputs, health, incidents)
    if size is not None:
        data["storage"] = {"bytes": size.bytes, "rows": dict(size.rows)}
    if shape == "table":
        print_status(data, last.began_at if last else None)
    else:
        output.show(shape, data, (), ())
    if incidents or any(cluster["health"] == "anomalous" for cluster in data["clusters"]):
        raise click.exceptions.Exit(1)


def chosen_services(inputs: HubInputs, cluster: str | None, model: str | None) -> tuple[InferenceService, ...]:
    """The predictors that the flags name.

    Raises:
        InputError: there is no such spoke, or no such model.
    """
    if cluster is not None and inputs.cluster(cluster) is None:
        raise delivery.unknown_spoke(cluster, inputs)
    chosen = tuple(
        service for service in services(inputs) if cluster in (None, service.cluster) and model in (None, service.name)
    )
    if model is not None and not chosen:
        names = ", ".join(sorted({service.name for service in services(inputs)})) or "none"
        raise InputError(f"no spoke serves a model {model!r}; expected one of {names}", hint="run `hubctl models list`")
    return chosen


async def poll_once(
    settings: Settings, sources: load.Sources, chosen: tuple[InferenceService, ...], seen: Any
) -> tuple[Observation, ...]:
    """One round over these predictors."""
    async with Poller(sources.values.hubctl.observe, settings.directory, os.environ, seen=seen) as poller:
        return await poller.poll(chosen)


async def run_pass(settings: Settings, *, dry_run: bool) -> Pass:
    """One pass; alone on its state folder unless it changes nothing."""
    total = len(services(load.load_inputs(settings, {})))
    with output.progress("polling", total) as advance:
        async with hub.open_hub(settings, os.environ, seen=lambda _: advance()) as opened:
            if dry_run:
                return await one_pass(opened, datetime.now(UTC), dry_run=True)
            with hold(settings.state):
                return await one_pass(opened, datetime.now(UTC))


def observation_data(seen: Observation) -> dict[str, Any]:
    """One observation in ``poll -o json``; these keys are stable."""
    return {
        "cluster": seen.cluster,
        "model": seen.model,
        "version": seen.version,
        "outcome": str(seen.outcome),
        "instances": seen.instances,
        "anomalies": seen.anomalies,
        "latency_ms": round(seen.latency_ms, 1),
        "reason": f"{seen.reason}: {seen.detail}" if seen.reason and seen.detail else seen.reason or seen.detail,
    }


def observation_row(seen: Observation) -> tuple[object, ...]:
    """One observation in the table."""
    count = f"{seen.anomalies}/{seen.instances}" if seen.votes else (f"-/{seen.instances}" if seen.instances else "-")
    reason = observation_data(seen)["reason"]
    return seen.cluster, seen.model, seen.version, seen.outcome, count, f"{seen.latency_ms:.0f} ms", reason


def pass_data(made: Pass) -> dict[str, Any]:
    """A pass as plain data."""
    return {
        "commit": made.commit.id if made.commit else "",
        "changes": delivery.changes_data(made.commit.changes) if made.commit else None,
        "observations": [observation_data(seen) for seen in made.observations],
        "findings": [finding_data(found) for found in made.findings],
        "decisions": [
            {
                "verdict": decision.verdict,
                "incident": decision.incident.id,
                "key": decision.incident.key,
                "action": decision.action,
                "policy": decision.policy,
                "reasons": list(decision.reasons),
                "detail": decision.detail,
            }
            for decision in made.decisions
        ],
        "remediations": [remediation_data(item) for item in made.remediations],
        "problems": [str(problem) for problem in made.problems],
    }


def finding_data(found: Any) -> dict[str, Any]:
    """A finding as plain data."""
    return {
        "key": found.key,
        "kind": found.kind,
        "clusters": list(found.clusters),
        "model": found.model,
        "version": found.version,
        "deterministic": found.deterministic,
        "confidence": round(found.confidence, 4),
        "summary": found.summary,
        "inhibitedBy": found.inhibited_by,
    }


def remediation_data(item: Remediation) -> dict[str, Any]:
    """A remediation as plain data."""
    return {
        "id": item.id,
        "incident": item.incident_id,
        "policy": item.policy,
        "action": item.action,
        "state": item.state,
        "model": item.model,
        "targets": [
            {"cluster": target.cluster, "from": target.from_version, "to": target.to_version} for target in item.targets
        ],
        "by": item.by,
        "commit": item.commit,
        "detail": item.detail,
        "createdAt": item.created_at,
        "updatedAt": item.updated_at,
    }


def incident_data(incident: Incident) -> dict[str, Any]:
    """An incident as plain data."""
    return {
        "id": incident.id,
        "key": incident.key,
        "kind": incident.kind,
        "state": incident.state,
        "summary": incident.summary,
        "clusters": list(incident.clusters),
        "model": incident.model,
        "version": incident.version,
        "deterministic": incident.deterministic,
        "confidence": round(incident.confidence, 4),
        "inhibitedBy": incident.inhibited_by,
        "openedAt": incident.opened_at,
        "updatedAt": incident.updated_at,
        "resolvedAt": incident.resolved_at,
        "seen": incident.seen,
        "by": incident.by,
        "note": incident.note,
    }


def print_pass(made: Pass) -> None:
    """A pass for a person: what was published, seen, concluded and done."""
    output.say(delivery.sentence(made.commit, made.dry_run))
    outcomes: dict[str, int] = defaultdict(int)
    for seen in made.observations:
        outcomes[str(seen.outcome)] += 1
    counted = ", ".join(f"{count} {name}" for name, count in sorted(outcomes.items()))
    output.say(f"polled {len(made.observations)} predictors: {counted or 'none'}")
    for found in made.findings:
        note = f" (explained by {found.inhibited_by})" if found.inhibited_by else ""
        click.echo(f"finding  {found.summary}{note}")
    for decision in made.decisions:
        reasons = ", ".join(decision.reasons)
        what = f"{decision.verdict} {decision.action}".strip()
        click.echo(
            f"decided  {decision.incident.id} {what}: {reasons}" + (f"; {decision.detail}" if decision.detail else "")
        )
    for item in made.remediations:
        where = ", ".join(item.clusters) or "-"
        click.echo(f"action   {item.id} {item.action} on {where}: {item.state} {item.detail}".rstrip())
    if any(item.state is State.PENDING for item in made.remediations):
        output.say("approve with `hubctl remediations approve ID`", colour="yellow")


def status_data(
    inputs: HubInputs, health: tuple[PredictorHealth, ...], incidents: tuple[Incident, ...]
) -> dict[str, Any]:
    """The fleet's health; a predictor that no pass has seen is unknown."""
    known = {(item.cluster, item.model): item for item in health}
    clusters = []
    for cluster in inputs.clusters:
        mine = [known.get((cluster.name, model.name)) for model in cluster.models]
        seen = tuple(item for item in mine if item is not None)
        whole = len(seen) == len(mine)
        clusters.append(
            {
                "name": cluster.name,
                "health": str(spoke_condition(seen)) if whole or not seen else str(min_known(seen)),
                "quarantined": cluster.quarantined,
                "models": [model_data(model, known.get((cluster.name, model.name))) for model in cluster.models],
            }
        )
    return {"clusters": clusters, "incidents": [incident_data(incident) for incident in incidents]}


def min_known(seen: tuple[PredictorHealth, ...]) -> str:
    """The condition of a spoke of which some predictor was never seen: anomalous if any is, else unknown."""
    return "anomalous" if spoke_condition(seen) == "anomalous" else "unknown"


def model_data(model: InferenceService, health: PredictorHealth | None) -> dict[str, Any]:
    """One predictor in ``status -o json``."""
    return {
        "name": model.name,
        "version": model.version,
        "health": str(health.condition) if health else "unknown",
        "reason": str(health.reason) if health else "never-polled",
        "since": health.since if health else None,
        "lastOutcome": str(health.last_outcome) if health else None,
        "lastAt": health.last_at if health else None,
        "votes": [{"at": vote.at, "anomalies": vote.anomalies, "instances": vote.instances} for vote in health.votes]
        if health
        else [],
    }


def print_status(data: dict[str, Any], last: datetime | None) -> None:
    """The fleet for a person."""
    now = datetime.now(UTC)
    rows = [
        (
            cluster["name"] + (" (quarantined)" if cluster["quarantined"] else ""),
            cluster["health"],
            model["name"],
            model["version"],
            model["health"],
            spark(model["votes"]),
            output.ago(model["since"], now),
            model["reason"],
        )
        for cluster in data["clusters"]
        for model in cluster["models"]
    ]
    output.table(("cluster", "health", "model", "version", "model health", "votes", "since", "reason"), rows)
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
        rows_held = ", ".join(f"{name} {count}" for name, count in data["storage"]["rows"].items())
        output.say(f"store: {data['storage']['bytes'] / 1024:.0f} KiB; rows: {rows_held}")
    output.say(f"last pass {output.ago(last, now)} ago" if last else "no pass yet: run `hubctl reconcile`")


def spark(votes: list[dict[str, Any]]) -> str:
    """The share of anomalous rows in the latest votes, a bar each, oldest first."""
    bars = "▁▂▃▄▅▆▇█"
    shares = (vote["anomalies"] / vote["instances"] for vote in votes[-12:])
    return "".join(bars[min(7, int(share * 8))] for share in shares)
