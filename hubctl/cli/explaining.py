"""``explain``: why hubctl did or did not act, from single predictions to the commit."""

import asyncio
import os
from datetime import datetime
from typing import Any

import click

from hubctl import hub, outlet
from hubctl.cli import output
from hubctl.cli.remediations import describe
from hubctl.cli.shapes import incident_data, observation_data, observation_row, remediation_data
from hubctl.cli.witnessing import COLUMNS, witness_data, witness_rows
from hubctl.errors import HubctlError, InputError
from hubctl.inputs import load
from hubctl.model.incident import Incident
from hubctl.model.predictor import Observation
from hubctl.model.remediation import Remediation
from hubctl.model.witness import SpokeWitness
from hubctl.publish.stream import Record
from hubctl.settings import Settings
from hubctl.store.records import DecisionRecord
from hubctl.store.schema import Store, open_store


@click.command()
@click.argument("any_id", metavar="ID")
@output.format_option
@click.pass_obj
def explain(settings_of: Any, any_id: str, shape: str) -> None:
    """Show everything behind an incident or remediation: evidence, decisions, actions, commits.

    The start of an id is enough.

    \b
    Example:
      hubctl explain inc-3f2a
    """
    settings = settings_of()
    sources = load.read_sources(settings)
    with open_store(hub.store_url(settings, sources, os.environ)) as store:
        incident = incident_of(store, any_id)
        evidence = store.cases.evidence(incident.id)
        witnesses = store.witnesses.of_incident(incident.id)
        decisions = tuple(reversed(store.cases.decisions(incident.id)))
        actions = tuple(reversed(store.remedies.remediations(incident_id=incident.id)))
    commits = asyncio.run(commits_of(settings, sources, actions))
    if shape == "table":
        print_story(incident, (evidence, witnesses), decisions, actions, commits)
        return
    data = {
        "incident": incident_data(incident),
        "evidence": [{"at": seen.at, "window": seen.window, **observation_data(seen)} for seen in evidence],
        "witnesses": [{"cluster": seen.cluster, **witness_data(seen)} for seen in witnesses],
        "decisions": [decision_data(decision) for decision in decisions],
        "remediations": [remediation_data(item) for item in actions],
        "commits": [{"id": found.commit, "at": found.date, "subject": found.subject} for found in commits],
    }
    output.show(shape, data, (), ())


def incident_of(store: Store, any_id: str) -> Incident:
    """The incident with this id, or the one that the remediation with this id belongs to.

    Raises:
        InputError: there is neither.
    """
    if any_id.startswith("rem-"):
        return store.cases.incident(store.remedies.remediation(any_id).incident_id)
    if any_id.startswith("inc-"):
        return store.cases.incident(any_id)
    raise InputError(f"{any_id!r} is no id; expected inc-… or rem-…", hint="run `hubctl incidents list --all`")


async def commits_of(settings: Settings, sources: load.Sources, actions: tuple[Remediation, ...]) -> tuple[Record, ...]:
    """The commits that carry the actions, as the branch has them; what cannot be read now is left out, and said."""
    wanted = {item.commit for item in actions if item.commit}
    if not wanted:
        return ()
    try:
        repository = outlet.open_repository(settings, sources)
        await repository.fetch()
        found = await repository.history.log(limit=1_000)
    except HubctlError as error:
        output.say(f"note: the branch cannot be read now: {error}", colour="yellow")
        return ()
    return tuple(record for record in found if record.commit in wanted)


def decision_data(decision: DecisionRecord) -> dict[str, Any]:
    """A decision as plain data."""
    return {
        "at": decision.at,
        "lastAt": decision.last_at,
        "passes": decision.count,
        "verdict": decision.verdict,
        "action": decision.action,
        "policy": decision.policy,
        "mode": decision.mode,
        "reasons": list(decision.reasons),
        "detail": decision.detail,
    }


def print_story(
    incident: Incident,
    evidence: tuple[tuple[Observation, ...], tuple[SpokeWitness, ...]],
    decisions: tuple[DecisionRecord, ...],
    actions: tuple[Remediation, ...],
    commits: tuple[Record, ...],
) -> None:
    """The story for a person, in the order in which it happened."""
    certainty = "a hard fact" if incident.deterministic else f"confidence {incident.confidence:.2f}"
    heading(f"{incident.id} {incident.state}: {incident.summary}")
    click.echo(f"  opened {clock(incident.opened_at)}, {certainty}, seen in {incident.seen} passes")
    if incident.resolved_at:
        click.echo(f"  resolved {clock(incident.resolved_at)} by {incident.by}: {incident.note}")
    heading("Evidence: what the predictors answered")
    output.table(
        ("at", "cluster", "model", "version", "outcome", "anomalies", "latency", "reason"),
        [(clock(seen.at), *observation_row(seen)) for seen in evidence[0]],
    )
    if evidence[1]:
        heading("Witnesses: what the hub's own objects said")
        rows = zip(evidence[1], witness_rows(evidence[1], incident.updated_at), strict=True)
        output.table(("at", *COLUMNS), [(clock(seen.at), *row) for seen, row in rows])
    heading("Decisions: what was concluded, and why")
    for decision in decisions:
        times = f" in {decision.count} passes" if decision.count > 1 else ""
        what = f"{decision.verdict} {decision.action}".strip()
        policy = f" (policy {decision.policy!r}, {decision.mode})" if decision.policy else ""
        detail = f"; {decision.detail}" if decision.detail else ""
        click.echo(f"  {clock(decision.at)} {what}{times}: {', '.join(decision.reasons)}{detail}{policy}")
    heading("Actions: what was done")
    for item in actions:
        targets = ", ".join(describe(target) for target in item.targets)
        click.echo(f"  {clock(item.created_at)} {item.id} {item.action} {item.model} {targets}".rstrip())
        click.echo(
            f"      {item.state}" + (f" by {item.by}" if item.by else "") + (f": {item.detail}" if item.detail else "")
        )
    if not actions:
        click.echo("  none")
    for found in commits:
        heading(f"Commit {found.commit}")
        click.echo(f"  {clock(found.date)} {found.subject}")
        click.echo(f"  look at it with `git show {found.commit[:12]}`, undo it with `git revert {found.commit[:12]}`")


def heading(text: str) -> None:
    """A line that begins a part."""
    click.secho(text, bold=True)


def clock(moment: datetime) -> str:
    """A time in UTC, to the second."""
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")
