"""``schemas``: take the schemas of rendered kinds from clusters or files, and show which are there."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from hubctl import discovery
from hubctl.cli import output
from hubctl.conform import cache, check, files
from hubctl.conform.cache import Cache, Entry, Origin
from hubctl.conform.kinds import Kind
from hubctl.errors import InputError
from hubctl.inputs import load
from hubctl.model.spelling import nearest
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

F = TypeVar("F", bound=Callable[..., Any])

WORDS = ("added", "changed", "same", "removed")


def cluster_options(command: F) -> F:
    """Add ``--kubeconfig`` and ``--context``."""
    file = click.Path(dir_okay=False, path_type=Path)
    command = click.option("--context", metavar="NAME", help="Context of the kubeconfig; default: its current one.")(
        command
    )
    return click.option(
        "--kubeconfig", type=file, help="Default: $KUBECONFIG, ~/.kube/config, or the pod's own account."
    )(command)


@click.group()
def schemas() -> None:
    """List and pull the cached schemas that rendered objects are checked against."""


@schemas.command("list")
@output.format_option
@click.pass_obj
def list_schemas(settings_of: Any, shape: str) -> None:
    """List the cached schemas and where each came from.

    \b
    Example:
      hubctl schemas list -o json
    """
    settings = settings_of()
    found = Cache(cache.schemas_folder(settings, load.read_sources(settings).values))
    if shape == "table":
        output.say(f"cached in {found.folder}")
    output.show(
        shape,
        {"folder": str(found.folder), "schemas": [cache.data_of(entry) for entry in found.entries]},
        ("for", "kind", "api version", "source", "cluster", "age", "digest"),
        [row(entry, datetime.now(UTC)) for entry in found.entries],
    )


@schemas.command("pull")
@cluster_options
@click.option(
    "--from",
    "places",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Instead of a cluster: CRDs as YAML, or saved /openapi/v3 documents; a file or folder. May repeat.",
)
@click.option(
    "--for",
    "side",
    type=click.Choice(check.SIDES),
    default=check.ALL,
    show_default=True,
    help="Whose objects they hold for; those of hub or spokes go before those for all.",
)
@click.option("--kind", "kinds", multiple=True, help="Only this kind. May repeat.")
@click.option("--every", is_flag=True, help="Every kind that the cluster serves, not only those that are rendered.")
@click.option("--replace", is_flag=True, help="Drop what was cached for this side before; without it a pull adds.")
@click.option("--dry-run", is_flag=True, help="Say what would change; write nothing.")
@output.format_option
@click.pass_obj
def pull_schemas(
    settings_of: Any,
    *,
    kubeconfig: Path | None,
    context: str | None,
    places: tuple[Path, ...],
    side: str,
    kinds: tuple[str, ...],
    every: bool,
    replace: bool,
    dry_run: bool,
    shape: str,
) -> None:
    """Take schemas into the cache: from a cluster the kinds that the fleet renders, from files all that they hold.

    Reads CustomResourceDefinitions and /openapi/v3; writes nothing to the cluster.

    \b
    Examples:
      hubctl schemas pull --context hub
      hubctl schemas pull --for spokes --kubeconfig edge.kubeconfig
      hubctl schemas pull --from crds/ --from apps.json --replace
    """
    if places and (kubeconfig or context or every):
        raise click.UsageError("--from reads files, so it does not go with --kubeconfig, --context and --every")
    settings = settings_of()
    folder = Cache(cache.schemas_folder(settings, load.read_sources(settings).values), renewing=replace)
    if places:
        found = from_files(places, datetime.now(UTC))
    else:
        wanted = None if every or kinds else rendered_kinds(settings, side)
        found = from_cluster(kubeconfig, context, wanted, datetime.now(UTC))
    planned = folder.plan(chosen(found, kinds), side, replace_all=replace)
    if not dry_run:
        folder.write(planned)
    report(planned, folder.folder, dry_run=dry_run, shape=shape)


def from_files(places: Iterable[Path], now: datetime) -> list[tuple[Kind, Origin]]:
    """Every kind in the files and folders.

    Raises:
        InputError: one cannot be read.
    """
    return [(kind, Origin(str(file), "", now)) for place in places for kind, file in files.read(place)]


def from_cluster(
    kubeconfig: Path | None, context: str | None, wanted: set[tuple[str, str]] | None, now: datetime
) -> list[tuple[Kind, Origin]]:
    """The wanted kinds of a cluster.

    Raises:
        InputError: no cluster is named.
        RemoteFailed: it does not answer.
    """
    from hubctl.conform import pull  # noqa: PLC0415 - only with a cluster
    from hubctl.fleet import cluster  # noqa: PLC0415 - for the Kubernetes client, which loads slowly

    asked = cluster.connect(kubeconfig, context)
    origin = Origin(asked.address, pull.version_of(asked), now)
    with output.progress(f"reading the schemas of {asked.address}", None) as advance:
        found = [(kind, origin) for kind in pull.pull(asked, wanted, advance)]
    missing = sorted((wanted or set()) - {(kind.api_version, kind.name) for kind, _ in found})
    if missing:
        names = ", ".join(f"{kind} ({version})" for version, kind in missing)
        output.say(f"warning: {asked.address} does not serve {names}", colour="yellow")
    return found


def rendered_kinds(settings: Settings, side: str) -> set[tuple[str, str]]:
    """API version and kind of every object that the fleet renders for a side.

    Raises:
        InputError: an input is wrong; ``--kind`` and ``--every`` do without them.
        TemplateError: a template failed.
    """
    found: set[tuple[str, str]] = set()

    def note(path: str, documents: Sequence[Mapping[str, Any]]) -> None:
        if side in {check.ALL, path.partition("/")[0]}:
            found.update((str(one["apiVersion"]), str(one["kind"])) for one in documents)

    render_tree(discovery.load_inputs(settings, os.environ), load_templates(settings.directory / "templates"), note)
    return found


def chosen(found: Iterable[tuple[Kind, Origin]], names: Sequence[str]) -> Iterator[tuple[Kind, Origin]]:
    """Those of the named kinds.

    Raises:
        InputError: a name is of no kind that was found.
    """
    kinds = list(found)
    known = {kind.name for kind, _ in kinds}
    for name in names:
        if name not in known:
            hint = nearest(name, known) or "kinds are spelled as in objects, such as InferenceService"
            raise InputError(f"there is no kind {name!r} among {len(known)} kinds", hint=hint)
    return ((kind, origin) for kind, origin in kinds if not names or kind.name in names)


def report(planned: cache.Pull, folder: Path, *, dry_run: bool, shape: str) -> None:
    """What a pull came to."""
    groups: dict[str, tuple[Entry, ...]] = {word: getattr(planned, word) for word in WORDS}
    for line in planned.unusable:
        output.say(f"warning: no validator takes the schema of {line}", colour="yellow")
    if shape != "table":
        data = {word: [cache.data_of(entry) for entry in entries] for word, entries in groups.items()}
        output.show(shape, {"folder": str(folder), "dryRun": dry_run, **data, "unusable": planned.unusable}, (), ())
        return
    rows = [(word, e.side, e.kind, e.api_version, e.origin.source) for word in WORDS for e in groups[word]]
    output.table(("change", "for", "kind", "api version", "source"), rows)
    told = ", ".join(f"{len(entries)} {word}" for word, entries in groups.items())
    output.say(f"{'would cache' if dry_run else 'cached'} in {folder}: {told}", colour="green")


def row(entry: Entry, now: datetime) -> tuple[str, ...]:
    """An entry in the table."""
    origin = entry.origin
    age = output.ago(origin.pulled_at, now)
    return (entry.side, entry.kind, entry.api_version, origin.source, origin.version or "-", age, entry.digest[:12])
