"""``incidents``: list, show, acknowledge and resolve."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import hub
from hubctl.cli import output
from hubctl.cli.shapes import incident_data
from hubctl.inputs import load
from hubctl.model.incident import State
from hubctl.store.schema import Store, open_store


@click.group()
def incidents() -> None:
    """List, show, acknowledge and resolve incidents."""


@contextmanager
def opened(settings_of: Any) -> Iterator[Store]:
    """The store that the values name."""
    settings = settings_of()
    with open_store(hub.store_url(settings, load.read_sources(settings), os.environ)) as store:
        yield store


@incidents.command("list")
@click.option("--all", "every", is_flag=True, help="Resolved ones too.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@output.format_option
@click.pass_obj
def list_incidents(settings_of: Any, every: bool, limit: int, shape: str) -> None:
    """List open and acknowledged incidents, oldest first; with --all every one, newest first.

    \b
    Example:
      hubctl incidents list --all -o json
    """
    with opened(settings_of) as store:
        found = store.cases.incidents(limit=limit) if every else store.cases.unresolved()[:limit]
    now = datetime.now(UTC)
    output.show(
        shape,
        {"incidents": [incident_data(incident) for incident in found]},
        ("id", "state", "opened", "kind", "confidence", "summary"),
        [
            (
                incident.id,
                incident.state,
                output.ago(incident.opened_at, now),
                incident.kind,
                "fact" if incident.deterministic else f"{incident.confidence:.2f}",
                incident.summary,
            )
            for incident in found
        ],
    )


@incidents.command("show")
@click.argument("incident_id", metavar="ID")
@output.format_option
@click.pass_obj
def show_incident(settings_of: Any, incident_id: str, shape: str) -> None:
    """Show one incident; the start of its id is enough. `hubctl explain ID` has the evidence.

    \b
    Example:
      hubctl incidents show inc-3f2a
    """
    with opened(settings_of) as store:
        found = store.cases.incident(incident_id)
    data = incident_data(found)
    output.show(
        shape, data, ("field", "value"), [(key, value) for key, value in data.items() if value not in ("", None)]
    )


@incidents.command("ack")
@click.argument("incident_id", metavar="ID")
@click.option("--note", default="", help="Why, for the audit trail.")
@click.pass_obj
def ack(settings_of: Any, incident_id: str, note: str) -> None:
    """Acknowledge an incident: somebody looks at it, so policies leave it alone.

    \b
    Example:
      hubctl incidents ack inc-3f2a --note "disk is being replaced"
    """
    move(settings_of, incident_id, State.ACKNOWLEDGED, note)


@incidents.command("resolve")
@click.argument("incident_id", metavar="ID")
@click.option("--note", default="", help="Why, for the audit trail.")
@click.pass_obj
def resolve(settings_of: Any, incident_id: str, note: str) -> None:
    """Resolve an incident by hand; if its cause is still there, the next pass opens a new one.

    \b
    Example:
      hubctl incidents resolve inc-3f2a --note "false alarm: load test"
    """
    move(settings_of, incident_id, State.RESOLVED, note)


def move(settings_of: Any, incident_id: str, state: State, note: str) -> None:
    """Move an incident and say so."""
    with opened(settings_of) as store:
        before = store.cases.incident(incident_id)
        after = before.moved(state, by=output.person(), note=note, now=datetime.now(UTC))
        store.cases.save_incidents((after,), before=(before,))
    output.say(f"{after.id} is {after.state}", colour="green")
