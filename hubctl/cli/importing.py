"""``clusters import``: clusters that a kubeconfig or the hub lists become cluster files, all of them or none."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from hubctl import discovery
from hubctl.cli import output, rendering
from hubctl.errors import InputError
from hubctl.inputs import adopt, edit, inventory, load
from hubctl.model.found import Found
from hubctl.settings import Settings

_PLATFORM = click.Choice(["openshift", "kubernetes"])


@click.command("import")
@click.option("--kubeconfig", type=click.Path(dir_okay=False, path_type=Path), help="A spoke for each of its contexts.")
@click.option("--context", "contexts", multiple=True, metavar="NAME", help="Only this context; may be repeated.")
@click.option("--probe", is_flag=True, help="Ask each cluster for its platform, version and topology.")
@click.option("--timeout", default=10.0, show_default=True, help="Seconds for one question of --probe.")
@click.option(
    "-f", "--filename", "listed", metavar="FILE", help="ManagedClusters in YAML or JSON; - is standard input."
)
@click.option("--from-hub", is_flag=True, help="The ManagedClusters of the hub, see HUBCTL_KUBECONFIG.")
@click.option("--with-hub", is_flag=True, help="The hub itself too, where -f or --from-hub lists it.")
@click.option("--platform", type=_PLATFORM, help="Of clusters whose platform is not known.")
@click.option("--version", help="Of clusters whose version is not known.")
@click.option("--topology", type=click.Choice(["ha", "sno"]), help="Of clusters whose topology is not known.")
@click.option("--rename", "renames", multiple=True, metavar="FROM=TO", help="Call a cluster otherwise; repeatable.")
@click.option("--skip", "skipped", multiple=True, metavar="NAME", help="Leave this cluster out; may be repeated.")
@click.option("--model", "models", multiple=True, metavar="NAME@VERSION", help="A model that new spokes serve.")
@click.option("--update", is_flag=True, help="Edit files that say something else; comments stay.")
@click.option("--dry-run", is_flag=True, help="Show what would be written; write nothing.")
@output.format_option
@click.pass_obj
def import_clusters(
    settings_of: Any, /, kubeconfig: Path | None, listed: str | None, shape: str, dry_run: bool, **given: Any
) -> None:
    """Write cluster files for clusters that others list: contexts of a kubeconfig, or ManagedClusters.

    Credentials are never copied. A file that is there is kept; what it says otherwise is shown, and edited with
    --update only. If one cluster is refused, nothing is written. Exits 1 while a file differs.

    \b
    Examples:
      hubctl clusters import --kubeconfig fleet.kubeconfig --probe
      hubctl clusters import --from-hub --dry-run
      kubectl get managedclusters -o yaml | hubctl clusters import -f - --dry-run
    """
    from hubctl.cli.clusters import parse_model  # noqa: PLC0415 - clusters holds this command

    if [kubeconfig is not None, listed is not None, given["from_hub"]].count(True) != 1:
        raise click.UsageError("pass one of --kubeconfig FILE, -f FILE and --from-hub")
    if kubeconfig is None and (given["contexts"] or given["probe"]):
        raise click.UsageError("--context and --probe go with --kubeconfig")
    settings = settings_of()
    sources = load.read_sources(settings)
    if kubeconfig:
        found = from_kubeconfig(kubeconfig, given)
    else:
        objects = listed_objects(listed) if listed else discovery.managed_clusters(settings)
        found = from_objects(objects, with_hub=given["with_hub"])
    found = adopt.renamed(adopt.without(found, given["skipped"]), dict(map(_pair, given["renames"])))
    adoptions = adopt.adopt(
        [completed(one, given) for one in found],
        {spoke.metadata.name: (file, spoke) for file, spoke in sources.described},
        {file: (settings.directory / file).read_bytes().decode() for file, _ in sources.described},
        models=dict(map(parse_model, given["models"])),
        update=given["update"],
    )
    conclude(settings, adoptions, shape, dry_run=dry_run)


def from_kubeconfig(kubeconfig: Path, given: dict[str, Any]) -> tuple[Found, ...]:
    """The contexts of a kubeconfig, asked if that is wanted.

    Raises:
        InputError: it cannot be read or is none.
    """
    found = inventory.contexts(_read(str(kubeconfig)), str(kubeconfig), given["contexts"])
    if not given["probe"]:
        return found
    from hubctl.fleet import probe  # noqa: PLC0415 - asks over the network, on request only

    with output.progress("asking", len(found)) as advance:
        return asyncio.run(probe.probe(kubeconfig, found, given["timeout"], advance))


def listed_objects(listed: str) -> Sequence[Mapping[str, Any]]:
    """The ManagedClusters in a file or on standard input.

    Raises:
        InputError: it cannot be read or holds something else.
    """
    name = "standard input" if listed == "-" else listed
    return inventory.objects(sys.stdin.read() if listed == "-" else _read(listed), name)


def from_objects(objects: Sequence[Mapping[str, Any]], *, with_hub: bool) -> tuple[Found, ...]:
    """The ManagedClusters as clusters found; says so when the hub itself is left out."""
    for cluster in objects:
        if inventory.is_hub(cluster) and not with_hub:
            output.say(f"left out {cluster['metadata'].get('name')}: it is the hub itself; --with-hub takes it too")
    return inventory.managed_clusters(objects, with_hub=with_hub)


def completed(found: Found, given: dict[str, Any]) -> Found:
    """What was found, with what a person says where nothing was found."""
    said = {key: given[key] for key in ("platform", "version", "topology") if given[key] and not getattr(found, key)}
    return replace(found, **said)


def conclude(settings: Settings, adoptions: Sequence[adopt.Adoption], shape: str, *, dry_run: bool) -> None:
    """Print what becomes of each cluster, write it unless one is refused, and exit with what is left to do."""
    show(adoptions, shape)
    refused = [one for one in adoptions if one.status == "refused"]
    files = [one for one in adoptions if one.after is not None]
    for one in refused:
        output.say(f"error: {one.found.origin}: {'; '.join(one.notes)}", colour="red")
        output.say(f"  hint: {one.hint}", colour="yellow")
    if refused:
        output.say("nothing is written: all clusters are, or none")
        raise click.exceptions.Exit(3 if all(one.found.silent for one in refused) else 2)
    if files and not dry_run:
        write(settings, files)
        output.say(f"wrote {output.count(len(files), 'file')}; next: hubctl diff", colour="green")
    elif files:
        output.say(f"would write {output.count(len(files), 'file')}")
    differing = [one for one in adoptions if one.status == "differs"]
    if differing:
        output.say(f"{output.count(len(differing), 'file')} kept as they are; --update edits them", colour="yellow")
        raise click.exceptions.Exit(1)


def show(adoptions: Sequence[adopt.Adoption], shape: str) -> None:
    """One row a cluster; differences and notes in words."""
    data = {
        "clusters": [
            {
                "name": one.found.name,
                "origin": one.found.origin,
                "status": one.status,
                "platform": one.found.platform,
                "version": one.found.version,
                "topology": one.found.topology,
                "file": one.file,
                "differences": [
                    {"field": each.field, "file": each.said, "found": each.found} for each in one.differences
                ],
                "notes": list(one.notes),
            }
            for one in adoptions
        ]
    }
    columns = ("name", "status", "platform", "version", "topology", "notes")
    output.show(shape, data, columns, [_row(one) for one in adoptions])


def write(settings: Settings, adoptions: Sequence[adopt.Adoption]) -> None:
    """Write every file, or leave all as they were when one cannot be written or the inputs are wrong with them.

    Raises:
        InputError: one of both.
    """
    (settings.directory / "clusters").mkdir(exist_ok=True)
    with ExitStack() as undo:
        for one in adoptions:
            path = settings.directory / one.file
            edit.write_text(path, one.after or "")
            undo.callback(partial(path.unlink) if one.before is None else partial(edit.write_text, path, one.before))
        rendering.say_warnings(discovery.files_warnings(settings))
        undo.pop_all()


def _row(one: adopt.Adoption) -> tuple[str, ...]:
    told = [
        f"{each.field}: {each.said if each.said is not None else 'absent'} ► {each.found}" for each in one.differences
    ]
    found = one.found
    return (found.name, one.status, found.platform, found.version, found.topology, "; ".join((*told, *one.notes)))


def _read(name: str) -> str:
    try:
        return Path(name).read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"cannot read it: {why}", where=name, hint="check the path") from None


def _pair(text: str) -> tuple[str, str]:
    """``FROM=TO``.

    Raises:
        InputError: a part is missing.
    """
    name, _, wanted = text.rpartition("=")
    if not name or not wanted:
        raise InputError(f"--rename {text!r}: expected FROM=TO", hint="for example --rename admin@edge=edge")
    return name, wanted
