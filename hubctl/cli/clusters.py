"""``clusters``: list, show, add, import, remove and let go of spokes."""

import asyncio
import os
from typing import Any

import click

from hubctl import discovery, outlet
from hubctl.cli import importing, output, rendering
from hubctl.errors import InputError
from hubctl.inputs import edit, facts
from hubctl.model.cluster import ManagedCluster
from hubctl.model.fleet import HubInputs
from hubctl.model.route import Routes, listed
from hubctl.settings import Settings


@click.group()
def clusters() -> None:
    """List, show, add, import and remove spokes."""


def complete_spokes(ctx: click.Context, _param: click.Parameter, incomplete: str) -> list[str]:
    """Names of spokes for shell completion: the cluster files', without reading them."""
    folder = ctx.find_root().params.get("directory") or "."
    from pathlib import Path  # noqa: PLC0415 - only completion needs it

    return sorted(path.stem for path in Path(folder).glob("clusters/*.y*ml") if path.stem.startswith(incomplete))


@clusters.command("list")
@output.format_option
@click.pass_obj
def list_clusters(settings_of: Any, shape: str) -> None:
    """List every spoke with its platform and models, and who says so.

    The origin names who says anything of a spoke: its file, the hub's ManagedCluster, a group, an override. With
    -o json each fact has its own.

    \b
    Examples:
      hubctl clusters list
      hubctl clusters list -o json | jq '.clusters[].facts[] | select(.fact == "version")'
    """
    settings = settings_of()
    sources = discovery.read_sources(settings, os.environ)
    inputs = asyncio.run(outlet.inputs_in_force(settings, sources))
    rendering.warn(inputs)
    known = {cluster.name: facts.facts(sources, cluster) for cluster in inputs.clusters}
    output.show(
        shape,
        {"clusters": [cluster_data(cluster) | facts_data(known[cluster.name]) for cluster in inputs.clusters]},
        ("name", "platform", "version", "topology", "storage", "models", "origin", "file"),
        [
            (
                cluster.name + (" (quarantined)" if cluster.quarantined else ""),
                cluster.platform,
                cluster.version,
                cluster.topology,
                cluster.storage.type,
                ", ".join(f"{model.name}@{model.version}" for model in cluster.models),
                facts.kinds(known[cluster.name]),
                cluster.source if cluster.source.startswith("clusters/") else "-",
            )
            for cluster in inputs.clusters
        ],
    )


@clusters.command("show")
@click.argument("name", shell_complete=complete_spokes)
@output.format_option
@click.pass_obj
def show_cluster(settings_of: Any, name: str, shape: str) -> None:
    """Show one spoke as templates and the poller see it: defaults filled in, overrides merged.

    \b
    Example:
      hubctl clusters show edge-factory -o yaml
    """
    inputs = in_force(settings_of())
    cluster = inputs.cluster(name)
    if cluster is None:
        raise rendering.unknown_spoke(name, inputs)
    data = cluster_data(cluster)
    rows = [(key, value) for key, value in data.items() if key != "models"]
    rows += [
        (f"model {model['name']}", f"{model['version']} via {model['route'] or 'no route'}") for model in data["models"]
    ]
    output.show(shape, data, ("field", "value"), rows)


@clusters.command("add")
@click.argument("name")
@click.option("--platform", type=click.Choice(["openshift", "kubernetes"]), default="openshift", show_default=True)
@click.option("--version", default="4.18", show_default=True, help="Of the platform.")
@click.option("--topology", type=click.Choice(["ha", "sno"]), default="ha", show_default=True)
@click.option("--model", "models", multiple=True, metavar="NAME@VERSION", help="A model it serves; may be repeated.")
@click.option("--url", help="URL template of its predictors, such as https://{model}.apps.edge.example.com.")
@click.option("--acm-host", help="Host of ACM's cluster-proxy user-server, if predictors are reached through it.")
@click.option("--bucket", help="S3 bucket of the models; without it they lie on a PersistentVolumeClaim.")
@click.option("--dry-run", is_flag=True, help="Print the file instead of writing it.")
@click.pass_obj
def add_cluster(settings_of: Any, /, name: str, url: str | None, acm_host: str | None, **given: Any) -> None:
    """Write a new cluster file.

    \b
    Example:
      hubctl clusters add edge-store --topology sno --model anomaly-detector@v1
    """
    settings = settings_of()
    path = settings.directory / "clusters" / f"{name}.yaml"
    if path.exists():
        raise InputError(f"{path} exists", hint="edit it, or remove it first with `hubctl clusters remove`")
    route = {"type": "url", "url": url} if url else ({"type": "acm", "host": acm_host} if acm_host else None)
    text = edit.new_cluster(
        name,
        platform=given["platform"],
        version=given["version"],
        topology=given["topology"],
        models=dict(parse_model(model) for model in given["models"]),
        route=route,
        storage={"type": "s3", "bucket": given["bucket"]} if given["bucket"] else None,
    )
    if given["dry_run"]:
        click.echo(text, nl=False)
        return
    path.parent.mkdir(exist_ok=True)
    edit.write_text(path, text)
    checked(settings, path.unlink)
    output.say(f"wrote {path}; next: hubctl diff", colour="green")


clusters.add_command(importing.import_clusters)


@clusters.command("remove")
@click.argument("name", shell_complete=complete_spokes)
@click.option("--dry-run", is_flag=True, help="Say what would be removed.")
@click.pass_obj
def remove_cluster(settings_of: Any, name: str, dry_run: bool) -> None:
    """Remove a spoke's cluster file; the next publish removes its manifests, within the brake.

    The Application goes, what runs on the spoke stays.

    \b
    Example:
      hubctl clusters remove edge-store && hubctl publish -m "Retire edge-store"
    """
    settings = settings_of()
    inputs = in_force(settings)
    cluster = inputs.cluster(name)
    if cluster is None:
        raise rendering.unknown_spoke(name, inputs)
    if not (settings.directory / cluster.source).is_file():
        raise InputError(
            f"{name} has no cluster file: {cluster.source} makes it a spoke",
            hint=f"detach it on the hub, or write clusters/{name}.yaml with `spec: {{exclude: true}}`",
        )
    if not dry_run:
        (settings.directory / cluster.source).unlink()
    output.say(f"{'would remove' if dry_run else 'removed'} {cluster.source}; next: hubctl diff")


@clusters.command("confirm")
@click.option("--removing", required=True, type=click.IntRange(1), metavar="N", help="Spokes that are meant to go.")
@click.option("--dry-run", is_flag=True, help="Say which would go; forget none.")
@click.pass_obj
def confirm_removal(settings_of: Any, removing: int, dry_run: bool) -> None:
    """Let the spokes go that the hub does not name any more, although they are more than the brake allows.

    N is their number, as the incident tells it; exits 4 if others are missing now. The next publish removes their
    manifests, within its own brake.

    \b
    Example:
      hubctl clusters confirm --removing 12
    """
    names = discovery.confirm(settings_of(), os.environ, removing, dry_run=dry_run)
    said = "would be forgotten" if dry_run else "forgotten; next: hubctl diff"
    output.say(f"{output.count(len(names), 'spoke')} {said}: {', '.join(names)}", colour=None if dry_run else "green")


def in_force(settings: Settings) -> HubInputs:
    """The fleet with the overrides of the branch, as of the last fetch."""
    return asyncio.run(outlet.inputs_in_force(settings, discovery.read_sources(settings, os.environ)))


def checked(settings: Settings, undo: Any) -> None:
    """Say what is odd about the inputs with a new file; when they are wrong with it, the file is taken back first.

    Raises:
        InputError: the inputs are wrong.
    """
    try:
        rendering.say_warnings(discovery.files_warnings(settings))
    except InputError:
        undo()
        raise


def parse_model(text: str) -> tuple[str, str]:
    """``NAME@VERSION``.

    Raises:
        InputError: a part is missing.
    """
    name, _, version = text.partition("@")
    if not name or not version:
        raise InputError(f"--model {text!r}: expected NAME@VERSION", hint="for example --model anomaly-detector@v1")
    return name, version


def facts_data(found: tuple[facts.Fact, ...]) -> dict[str, Any]:
    """Where what is known of a spoke comes from, as plain data."""
    return {
        "origin": facts.kinds(found),
        "facts": [{"fact": one.name, "value": one.value, "origin": one.origin} for one in found],
    }


def route_data(route: Routes | None) -> Any:
    """A route as a file would say it, or a list of them; None for none."""
    said = [one.model_dump(by_alias=True, exclude_none=True) for one in listed(route)]
    return said if isinstance(route, tuple) else next(iter(said), None)


def cluster_data(cluster: ManagedCluster) -> dict[str, Any]:
    """A spoke as plain data."""
    return {
        "name": cluster.name,
        "platform": cluster.platform,
        "version": cluster.version,
        "topology": cluster.topology,
        "destination": cluster.destination,
        "namespace": cluster.namespace,
        "labels": cluster.labels,
        "groups": list(cluster.groups),
        "step": cluster.step,
        "storage": cluster.storage.model_dump(by_alias=True, exclude_none=True),
        "quarantined": cluster.quarantined,
        "overriddenBy": list(cluster.overridden_by),
        "file": cluster.source,
        "models": [
            {
                "name": model.name,
                "version": model.version,
                "namespace": model.namespace,
                "service": model.service,
                "output": model.profile.output,
                "route": route_data(model.route),
            }
            for model in cluster.models
        ],
    }
