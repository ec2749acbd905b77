"""``why``: the commits that made a spoke's folder what it is, read from the branch alone."""

import asyncio
import os
import re
from collections.abc import Mapping
from typing import Any

import click

from hubctl import desired, discovery, outlet
from hubctl.cli import output, rendering
from hubctl.cli.explaining import clock, heading
from hubctl.errors import RemoteFailed
from hubctl.inputs import load
from hubctl.model import digest, tree
from hubctl.publish.stream import Record
from hubctl.remediate import actions
from hubctl.settings import Settings

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")


@click.command()
@click.argument("spoke", metavar="SPOKE")
@click.option("--limit", type=click.IntRange(1, 1_000), default=5, show_default=True, help="Most commits to show.")
@output.format_option
@click.pass_obj
def why(settings_of: Any, spoke: str, limit: int, shape: str) -> None:
    """Show which commits made a spoke's folder what it is: who, when, from what, and because of which incident.

    Newest first. Works for a spoke that was removed too, and needs no store.

    \b
    Examples:
      hubctl why edge-factory
      hubctl why edge-factory --limit 1 -o json
    """
    settings = settings_of()
    sources = load.read_sources(settings)
    commits, files, whole = asyncio.run(history_of(settings, sources, spoke, limit))
    if not commits:
        inputs = load.reload(discovery.read_sources(settings, os.environ), {})
        if inputs.cluster(spoke) is None:
            raise rendering.unknown_spoke(spoke, inputs)
        said = f"nothing was published for {spoke} yet; run `hubctl publish`"
        output.say(said if whole else f"no commit for {spoke} is in what was fetched of the branch", colour="yellow")
    if shape == "table":
        print_history(commits, files)
        return
    data = {"spoke": spoke, "commits": [commit_data(found, files.get(found.commit, {})) for found in commits]}
    output.show(shape, data, (), ())


async def history_of(
    settings: Settings, sources: load.Sources, spoke: str, limit: int
) -> tuple[tuple[Record, ...], dict[str, dict[str, str]], bool]:
    """The newest commits that changed the spoke's folder, which of its files each changed, and whether that is all.

    Without the remote, those of the branch as it was fetched last; that is said.
    """
    if not _NAME.fullmatch(spoke):
        return (), {}, True
    repository = outlet.open_repository(settings, sources)
    folder = f"{sources.values.hubctl.gitops.path}/{tree.SPOKES}/{spoke}"
    whole = True
    try:
        await repository.fetch()
        commits = await repository.history.log([folder], limit) if await repository.known() else ()
    except RemoteFailed as error:
        output.say(f"note: this is the branch as it was fetched last: {error}", colour="yellow")
        whole = False
        commits = await repository.history.log([folder], limit, ask=False) if await repository.known() else ()
    return commits, await repository.history.touched((found.commit for found in commits), folder), whole


def commit_data(found: Record, files: Mapping[str, str]) -> dict[str, Any]:
    """A commit as plain data; empty texts for trailers that it lacks, as one made by hand does."""
    return {
        "id": found.commit,
        "at": found.date,
        "author": found.author,
        "subject": found.subject,
        "action": found.trailer(actions.TRAILER),
        "incident": found.trailer(desired.INCIDENT_TRAILER),
        "inputs": found.trailer(digest.INPUTS_TRAILER),
        "templates": found.trailer(digest.TEMPLATES_TRAILER),
        "trailers": [{"key": key, "value": value} for key, value in found.trailers],
        "files": [{"path": path, "change": change} for path, change in sorted(files.items())],
    }


def print_history(commits: tuple[Record, ...], files: Mapping[str, Mapping[str, str]]) -> None:
    """The commits for a person, newest first."""
    for found in commits:
        heading(f"{found.commit[:12]} {found.subject}")
        click.echo(f"  {clock(found.date)} by {found.author}")
        for path, change in sorted(files.get(found.commit, {}).items()):
            click.echo(f"  {change} {path}")
        for key, value in found.trailers:
            click.echo(f"  {key}: {value}")
        if incident := found.trailer(desired.INCIDENT_TRAILER):
            click.echo(f"  see the evidence with `hubctl explain {incident}`")
