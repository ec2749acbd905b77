"""``render``, ``diff`` and ``publish``: from the files to a Git commit."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click

from hubctl import desired, discovery, holding, outlet, promotion
from hubctl.cli import difference, output, proposals, rendering, shapes
from hubctl.cli.review import print_fields
from hubctl.conform import cache
from hubctl.conform.check import Checker, Problem
from hubctl.errors import HubctlError, InputError
from hubctl.inputs import load
from hubctl.model import tree
from hubctl.model.fleet import HubInputs
from hubctl.publish import branch, changes, review
from hubctl.render.templates import load_templates
from hubctl.settings import Settings


@click.command()
@click.option("--summary", is_flag=True, help="Only which spokes change, not how.")
@click.option("--cluster", help="Only this spoke.")
@click.option(
    "--style",
    type=click.Choice(["patch", "fields"]),
    default="patch",
    show_default=True,
    help="Lines of files, or objects and their fields with equal changes of several spokes as one.",
)
@click.option(
    "--max-chars",
    type=click.IntRange(review.LEAST),
    default=review.LIMIT,
    show_default=True,
    help="Most characters of -o markdown; it is cut on whole objects.",
)
@output.formats("table", "json", "yaml", "markdown")
@click.pass_obj
def diff(settings_of: Any, summary: bool, cluster: str | None, style: str, max_chars: int, shape: str) -> None:
    """Show what publish would change on the branch.

    Exits 0 when nothing would change, 1 when something would, 2 on an error. -o json, yaml and markdown
    always tell it by object and field.

    \b
    Examples:
      hubctl diff
      hubctl diff --style fields --cluster edge-factory
      hubctl diff -o markdown > comment.md
      hubctl diff --summary -o json
    """
    view = View(cluster, summary, style, max_chars, shape)
    try:
        found = show_difference(settings_of(), view)
    except HubctlError as error:
        # As every diff has it: 1 means different, so every error is 2, a remote's too.
        error.exit_code = InputError.exit_code
        raise
    if found is not None and not found.empty:
        raise click.exceptions.Exit(1)


@dataclass(frozen=True, slots=True)
class View:
    """How to show a difference.

    Attributes:
        cluster: only this spoke; None: all.
        summary: only which spokes change.
        style: ``patch`` or ``fields``, of a table.
        limit: characters of Markdown.
        shape: ``table``, ``json``, ``yaml`` or ``markdown``.
    """

    cluster: str | None
    summary: bool
    style: str
    limit: int
    shape: str


def show_difference(settings: Settings, view: View) -> changes.Changes | None:
    """Print what publish would change; None when the integration is switched off."""
    sources = discovery.read_sources(settings, os.environ)
    if rendering.switched_off(sources.values):
        return None
    templates = load_templates(settings.directory / "templates")
    validators = cache.validators_of(settings, sources.values)
    latest: list[HubInputs] = []
    refused: list[Problem] = []

    def wanted_on(published: tree.Published) -> tree.Wanted:
        checker = Checker(validators)
        inputs, wanted = desired.wanted_fleet(sources, templates, published, checker=checker)
        latest.append(inputs)
        refused[:] = checker.problems
        warn_of_stale_overrides(settings, sources, published)
        return wanted

    repository = outlet.open_repository(settings, sources)
    found, old = asyncio.run(branch.pending(repository, wanted_on, desired.publish_options(sources)))
    rendering.warn(latest[-1])
    for problem in refused:
        output.say(f"warning: publish will refuse {problem.where}: {problem.message}", colour="yellow")
    known = {*found.spokes.removed, *(cluster.name for cluster in latest[-1].clusters)}
    if view.cluster is not None and view.cluster not in known:
        raise rendering.unknown_spoke(view.cluster, latest[-1])
    folder = sources.values.hubctl.gitops.path
    print_changes(difference.narrowed(found, view.cluster, folder), old, folder, view)
    return found


@click.command()
@click.option("-m", "--message", default="", help="The commit's subject, and its body after a line break.")
@click.option("--dry-run", is_flag=True, help="Say what would be committed; write nothing.")
@click.option("--allow-removing", type=click.IntRange(0), metavar="N", help="Let this publish remove N spokes.")
@output.format_option
@click.pass_obj
def publish(settings_of: Any, message: str, dry_run: bool, allow_removing: int | None, shape: str) -> None:
    """Publish the rendered fleet as one commit; no change, no commit.

    Refuses objects that do not fit the cached schemas of their kinds; see `hubctl schemas`.

    Where hubctl.gitops.publishing.mode is pull-request, the commit goes to a branch of its own, and the one
    open pull request from it is opened or brought up to date. Exits 4 if a person closed one for just this.

    \b
    Examples:
      hubctl publish --dry-run
      hubctl publish -m "Add edge-factory"
    """
    settings = settings_of()
    sources = discovery.read_sources(settings, os.environ, remember=not dry_run)
    if rendering.switched_off(sources.values):
        return
    read = (sources, load_templates(settings.directory / "templates"))
    opened = outlet.open_outlet(settings, sources)
    options = partial(desired.publish_options, confirmed=allow_removing, dry_run=dry_run)
    now = datetime.now(UTC)
    gate = holding.Gate(settings, sources.values.hubctl, None, now)
    check = gate.refuse_publish if not dry_run else lambda: None
    check()
    published = asyncio.run(
        promotion.publish(settings, opened, read, options=options, message=message, now=now, check=check)
    )
    rendering.warn(published.inputs)
    if published.proposed is not None:
        proposals.show(published.proposed, shape, dry_run=dry_run)
        return
    made = published.commit
    found = made.changes if made else changes.Changes()
    data = {"commit": made.id if made else "", "dryRun": dry_run, "pullRequest": None, **shapes.changes_data(found)}
    if published.hydrated:
        gitops = sources.values.hubctl.gitops
        to = gitops.publishing.proposed(gitops.branch)
        data |= {"branch": to, "drySha": published.source, "noted": published.hydrated.noted}
        output.say(hydrated_sentence(published, to, dry_run))
    if shape == "table":
        output.say(sentence(made, dry_run), colour="green" if made else None)
        proposals.list_spokes(found)
        return
    output.show(shape, data, (), ())


def sentence(made: branch.Commit | None, dry_run: bool) -> str:
    """What publishing came to, for a person."""
    if made is None:
        return "nothing to publish: the branch already holds this fleet"
    count = len(made.changes.writes) + len(made.changes.removed)
    return f"would publish {count} files" if dry_run else f"published {count} files as {made.id[:12]}"


def hydrated_sentence(published: promotion.Published, proposed: str, dry_run: bool) -> str:
    """Which branch stands for which commit of the inputs, for a person."""
    stands = "would stand" if dry_run else "stands"
    news = "" if published.hydrated and published.hydrated.noted else " as before"
    return f"{proposed} {stands} for commit {published.source[:12]} of the inputs{news}"


def print_changes(found: changes.Changes, old: Mapping[str, bytes], folder: str, view: View) -> None:
    """The differences as a coloured unified diff, by object, as a summary or as data."""
    if view.shape != "table":
        read = review.read(found, old, f"{folder}/{tree.SPOKES}")
        if view.shape == "markdown":
            click.echo(review.markdown(read, view.limit, summary=view.summary), nl=False)
        else:
            output.show(view.shape, difference.data(read, summary=view.summary), (), ())
        return
    if view.style == "fields" and not view.summary:
        print_fields(review.read(found, old, f"{folder}/{tree.SPOKES}"))
    elif not view.summary:
        for path in sorted({*found.writes, *found.removed}):
            output.print_patch(changes.unified(path, old.get(path), found.writes.get(path)))
    rows = proposals.spoke_rows(found)
    hub_paths = [path for path in (*found.writes, *found.removed) if path.startswith(f"{folder}/{tree.HUB}/")]
    if hub_paths:
        rows.append(("(hub)", f"{len(hub_paths)} files"))
    if rows:
        output.table(("spoke", "change"), rows)
    elif found.empty and view.cluster is None:
        output.say("no difference: the branch already holds this fleet")


def warn_of_stale_overrides(settings: Settings, sources: load.Sources, published: tree.Published) -> None:
    """Say so when the folder's own overrides are not the branch's: a revert is not pushed, or a clone is old."""
    folder = sources.values.hubctl.gitops.overrides
    if sources.overrides is not None or not (settings.directory / ".git").exists():
        return
    here = load.read_overrides(settings, folder)
    if differing := sorted(
        name for name in {*here, *published.overrides} if here.get(name) != published.overrides.get(name)
    ):
        output.say(
            f"note: {folder}/ here differs from the branch ({', '.join(differing)}); the branch counts: "
            "pull it, or push what you changed",
            colour="yellow",
        )
