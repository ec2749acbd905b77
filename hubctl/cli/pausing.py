"""``pause``: hold back actions on a part of the fleet for a while; and what is held, as data and in words."""

import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pydantic

from hubctl import discovery, hub
from hubctl.cli import output
from hubctl.cli.incidents import opened
from hubctl.cli.stopping import said
from hubctl.errors import GuardRefused, InputError, RemoteFailed
from hubctl.inputs import load
from hubctl.model import spelling
from hubctl.model.base import parse_duration
from hubctl.model.fleet import HubInputs
from hubctl.model.holds import CLUSTER_SET, Holds, Pause, State, Stop
from hubctl.model.pausing import PlannedPause
from hubctl.settings import Settings
from hubctl.store.schema import open_store


@click.group()
def pause() -> None:
    """Hold back actions on a part of the fleet for a while."""


@pause.command("add")
@click.option("--fleet", is_flag=True, help="All actions on spokes.")
@click.option("--cluster-set", metavar="NAME", help="Spokes of this ClusterSet.")
@click.option("--cluster", metavar="NAME", help="This spoke.")
@click.option("--model", metavar="NAME", help="Rollbacks of this model.")
@click.option("--action", type=click.Choice(["notify", "rollback-model", "quarantine"]), help="Actions of this type.")
@click.option("--reason", required=True, help="Why.")
@click.option("--owner", required=True, help="Whom to ask about it.")
@click.option("--for", "lasts", metavar="DURATION", help="How long, such as 4h.")
@click.option("--until", metavar="TIME", help="Until when, such as 2026-11-24T08:00:00Z.")
@click.option("--dry-run", is_flag=True, help="Check it and say what it would be; store nothing.")
@output.format_option
@click.pass_obj
def add_pause(
    settings_of: Any, /, shape: str, dry_run: bool, lasts: str | None, until: str | None, **named: Any
) -> None:
    """Make a pause; where several options name something, all of them have to fit.

    New actions stop with the reason `paused`, one that has begun ends at its next safe point. It lifts itself in the
    end. A notification is only held by --action notify.

    \b
    Examples:
      hubctl pause add --cluster edge-store --for 4h --owner ana --reason "disk is being replaced"
      hubctl pause add --model anomaly-detector --action rollback-model --until 2026-12-01T08:00:00Z \\
        --owner ml-team --reason "v4 is under trial"
    """
    now = datetime.now(UTC).replace(microsecond=0)
    made = pause_of(named, end_of(lasts, until, now), now)
    for doubt in doubts(made, fleet_known(settings_of())):
        output.say(f"warning: {doubt}", colour="yellow")
    if not dry_run:
        with opened(settings_of) as store:
            store.pauses.save(made)
    output.say(f"{'would be made' if dry_run else made.id}: {made}", colour="yellow")
    if shape != "table":
        output.show(shape, pause_data(made, now), (), ())


@pause.command("list")
@click.option("--all", "every", is_flag=True, help="Those that are over too, newest first.")
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@output.format_option
@click.pass_obj
def list_pauses(settings_of: Any, every: bool, limit: int, shape: str) -> None:
    """List pauses in force, those of the values too.

    \b
    Example:
      hubctl pause list --all -o json
    """
    now = datetime.now(UTC)
    settings = settings_of()
    sources = load.read_sources(settings)
    with open_store(hub.store_url(settings, sources, os.environ)) as store:
        stored = store.pauses.every(limit=limit) if every else store.pauses.in_force(now)[:limit]
    planned = (
        one.pause(f"remediation.pauses[{place}]", now)
        for place, one in enumerate(sources.values.hubctl.remediation.pauses)
    )
    found = [*(one for one in planned if every or one.in_force(now)), *stored]
    output.show(
        shape,
        {"pauses": [pause_data(one, now) for one in found]},
        ("id", "state", "what", "until", "owner", "reason"),
        [(one.id, state_of(one, now), one.what, output.plain(one.until), one.owner, one.reason) for one in found],
    )


@pause.command("lift")
@click.argument("pause_id", metavar="ID")
@click.option("--note", default="", help="Why, for the audit trail.")
@click.option("--dry-run", is_flag=True, help="Say what would be lifted; change nothing.")
@click.pass_obj
def lift(settings_of: Any, pause_id: str, note: str, dry_run: bool) -> None:
    """Lift a pause before its time; the start of its id is enough. One of the values is lifted there.

    \b
    Example:
      hubctl pause lift pau-3f2a --note "the disk is in"
    """
    with opened(settings_of) as store:
        before = store.pauses.find(pause_id)
        after = before.lifted(by=output.person(), note=note, now=datetime.now(UTC))
        if not dry_run:
            store.pauses.save(after, before=(before,))
    output.say(f"{'would be ' if dry_run else ''}lifted: {after.id} {before}", colour="green")


def pause_of(named: dict[str, Any], until: datetime, now: datetime) -> Pause:
    """The pause that the options say.

    Raises:
        InputError: they say none.
    """
    named = named | {key: said(named[key], f"--{key}") for key in ("reason", "owner")}
    try:
        made = PlannedPause(until=until, **named).pause(f"pau-{secrets.token_hex(4)}", now)
    except pydantic.ValidationError as error:
        found = error.errors()[0]
        option = f"--{str(found['loc'][0]).replace('_', '-')}: " if found["loc"] else ""
        message = found["msg"].removeprefix("Value error, ")
        raise InputError(f"{option}{message}", hint="for example --cluster edge-store, or --fleet alone") from error
    return Pause(**{name: getattr(made, name) for name in made.__dataclass_fields__} | {"made_by": output.person()})


def fleet_known(settings: Settings) -> HubInputs | None:
    """The fleet as the files and the latest look at the hub have it; None when nobody looked yet. Nobody is asked.

    Raises:
        InputError: a file is wrong.
    """
    try:
        return load.reload(discovery.read_sources(settings, os.environ, offline=True, remember=False), {})
    except (GuardRefused, RemoteFailed):
        return None


def doubts(made: Pause, inputs: HubInputs | None) -> list[str]:
    """What a pause names and the fleet does not have."""
    if inputs is None:
        return ["nothing is known of the fleet yet, so names are taken as they are"]
    known = {
        "spoke": (made.cluster, {one.name for one in inputs.clusters}),
        "model": (made.model, {model.name for one in inputs.clusters for model in one.models}),
        "ClusterSet": (made.cluster_set, {one.labels.get(CLUSTER_SET, "") for one in inputs.clusters}),
    }
    return [
        f"the fleet has no {what} {name!r} {spelling.nearest(name, names)}".rstrip()
        for what, (name, names) in known.items()
        if name and name not in names
    ]


def end_of(lasts: str | None, until: str | None, now: datetime) -> datetime:
    """When a pause ends.

    Raises:
        InputError: nothing says when, both do, or it is over already.
    """
    hint = "for example --for 4h, or --until 2026-11-24T08:00:00Z"
    if (lasts is None) == (until is None):
        raise InputError("expected exactly one of --for and --until: a pause has an end", hint=hint)
    try:
        end = (
            now + timedelta(seconds=parse_duration(lasts)) if lasts is not None else datetime.fromisoformat(until or "")
        )
    except (ValueError, OverflowError) as error:
        raise InputError(f"{lasts or until!r} is no end of a pause: {error}", hint=hint) from error
    if end.tzinfo is None:
        raise InputError(f"--until {until!r} names no time zone", hint=hint)
    if end <= now:
        raise InputError(f"the pause would end at {end.isoformat()}, which is not ahead", hint=hint)
    return end


def state_of(one: Pause, now: datetime) -> str:
    """``in-force``, ``lifted`` or ``over``."""
    return "in-force" if one.in_force(now) else "lifted" if one.state is State.LIFTED else "over"


def pause_data(one: Pause, now: datetime) -> dict[str, Any]:
    """A pause as plain data."""
    return {
        "id": one.id,
        "state": state_of(one, now),
        "fleet": one.what == "fleet",
        "clusterSet": one.cluster_set,
        "cluster": one.cluster,
        "model": one.model,
        "action": one.action,
        "reason": one.reason,
        "owner": one.owner,
        "until": one.until,
        "createdAt": one.created_at,
        "madeBy": one.made_by,
        "liftedAt": one.updated_at if one.state is State.LIFTED else None,
        "liftedBy": one.lifted_by,
        "note": one.note,
    }


def holds_data(found: Holds, now: datetime) -> dict[str, Any]:
    """Stops and pauses in force as plain data, for ``status``."""
    return {
        "stopped": [
            {"scope": str(one.reach), "source": one.source, "reason": one.reason, "by": one.by, "at": one.at}
            for one in found.stops
        ],
        "pauses": [pause_data(one, now) for one in found.pauses],
    }


def sentences(stops: Sequence[Stop], pauses: Sequence[Pause]) -> list[str]:
    """What is held, for people."""
    return [*(f"{one.reach} {one}" for one in stops), *map(str, pauses)]
