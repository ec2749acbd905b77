"""``remediations``: list, show, approve and reject."""

import asyncio
import os
from datetime import UTC, datetime
from typing import Any

import click

from hubctl import desired, discovery, hub, leading, outlet
from hubctl.cli import output
from hubctl.cli.incidents import opened
from hubctl.cli.shapes import remediation_data
from hubctl.errors import RemoteFailed
from hubctl.inputs import load
from hubctl.model import tree
from hubctl.model.remediation import Remediation, State, Target
from hubctl.passes import Pass
from hubctl.publish import branch, changes
from hubctl.reconcile import act_only
from hubctl.remediate import override
from hubctl.render.templates import load_templates
from hubctl.settings import Settings


@click.group()
def remediations() -> None:
    """List, show, approve and reject remediations."""


@remediations.command("list")
@click.option("--pending", is_flag=True, help="Only those that wait for approval.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@output.format_option
@click.pass_obj
def list_remediations(settings_of: Any, pending: bool, limit: int, shape: str) -> None:
    """List remediations, newest first.

    \b
    Example:
      hubctl remediations list --pending
    """
    with opened(settings_of) as store:
        found = store.remedies.remediations((State.PENDING,) if pending else None, limit=limit)
    now = datetime.now(UTC)
    output.show(
        shape,
        {"remediations": [remediation_data(item) for item in found]},
        ("id", "state", "age", "action", "change", "incident", "by", "commit"),
        [
            (
                item.id,
                item.state,
                output.ago(item.created_at, now),
                item.action,
                change_of(item),
                item.incident_id,
                item.by,
                item.commit[:12],
            )
            for item in found
        ],
    )


@remediations.command("show")
@click.argument("remediation_id", metavar="ID")
@output.format_option
@click.pass_obj
def show_remediation(settings_of: Any, remediation_id: str, shape: str) -> None:
    """Show one remediation; the start of its id is enough.

    \b
    Example:
      hubctl remediations show rem-91
    """
    with opened(settings_of) as store:
        found = store.remedies.remediation(remediation_id)
    data = remediation_data(found)
    rows = [(key, value) for key, value in data.items() if key != "targets" and value not in ("", None)]
    rows += [("target", describe(target)) for target in found.targets]
    output.show(shape, data, ("field", "value"), rows)


@remediations.command("approve")
@click.argument("remediation_id", metavar="ID")
@click.option("--now", "at_once", is_flag=True, help="Carry it out here instead of in the next pass.")
@click.option("--dry-run", is_flag=True, help="Show the commit that it would make; approve nothing.")
@click.pass_obj
def approve(settings_of: Any, remediation_id: str, at_once: bool, dry_run: bool) -> None:
    """Approve a remediation; the next pass carries it out if its reason still holds.

    \b
    Example:
      hubctl remediations approve rem-91 --dry-run
      hubctl remediations approve rem-91 --now
    """
    if dry_run:
        preview(settings_of, remediation_id)
        return
    after = move(settings_of, remediation_id, State.APPROVED)
    if not at_once:
        output.say("the next pass carries it out: `hubctl reconcile`, or the controller")
        return
    made = asyncio.run(carry_out(settings_of()))
    found = next((item for item in made.remediations if item.id == after.id), after)
    held = made.holds.against(found) if found.state is State.APPROVED else None
    output.say(f"{found.id} is {found.state}: {held or found.detail}")
    if found.state is State.FAILED:
        raise RemoteFailed(found.detail, hint=f"look closer with `hubctl explain {found.id}`")


@remediations.command("reject")
@click.argument("remediation_id", metavar="ID")
@click.option("--note", default="", help="Why, for the audit trail.")
@click.pass_obj
def reject(settings_of: Any, remediation_id: str, note: str) -> None:
    """Reject a remediation; it is not proposed again during its cool-down.

    \b
    Example:
      hubctl remediations reject rem-91 --note "v2 is needed for the audit"
    """
    move(settings_of, remediation_id, State.REJECTED, note)


def move(settings_of: Any, remediation_id: str, state: State, note: str = "") -> Remediation:
    """Move a remediation and say so."""
    with opened(settings_of) as store:
        before = store.remedies.remediation(remediation_id)
        after = before.moved(state, now=datetime.now(UTC), by=output.person(), detail=note or None)
        store.remedies.save_remediations((after,), before=(before,))
    output.say(f"{after.id} is {after.state}", colour="green")
    return after


def preview(settings_of: Any, remediation_id: str) -> None:
    """Print the commit that a remediation would make now."""
    settings = settings_of()
    sources = discovery.read_sources(settings, os.environ)
    with opened(settings_of) as store:
        item = store.remedies.remediation(remediation_id)
        incident = store.cases.incident(item.incident_id)
    if not item.targets:
        output.say("a notification changes nothing on the branch")
        return
    templates = load_templates(settings.directory / "templates")
    files = {name: override.to_yaml(made) for name, made in override.overrides_for(item, incident).items()}

    def wanted_on(published: tree.Published) -> tree.Wanted:
        return desired.wanted_override(sources, templates, published, files, item, incident)

    repository, options = outlet.open_repository(settings, sources), desired.publish_options(sources)
    found, old = asyncio.run(branch.pending(repository, wanted_on, options))
    output.say(desired.subject_of(item))
    for path in sorted({*found.writes, *found.removed}):
        output.print_patch(changes.unified(path, old.get(path), found.writes.get(path)))


async def carry_out(settings: Settings) -> Pass:
    """Everything that is approved, now."""
    sources = load.read_sources(settings)
    async with (
        leading.turn(settings, sources.values.hubctl.controller.leader_election, os.environ) as term,
        hub.open_hub(settings, os.environ, sources=sources, term=term) as held,
    ):
        now = datetime.now(UTC)
        await leading.claim(held.store, term, now)
        return await act_only(held, now)


def change_of(item: Remediation) -> str:
    """What it changes, in one line."""
    what = ", ".join(describe(target) for target in item.targets) or "-"
    return f"{item.model} {what}".strip()


def describe(target: Target) -> str:
    """``edge-a v2 → v1``, or the spoke alone."""
    return f"{target.cluster} {target.from_version} → {target.to_version}" if target.to_version else target.cluster
