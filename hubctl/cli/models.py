"""``models``: list and register models, set and take back their versions in the cluster files."""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import click

from hubctl import discovery, hub
from hubctl.cli import output, rendering
from hubctl.cli.clusters import checked, complete_spokes, in_force
from hubctl.errors import InputError
from hubctl.inputs import edit, load
from hubctl.model.fleet import HubInputs
from hubctl.settings import Settings
from hubctl.store.schema import open_store


@click.group()
def models() -> None:
    """List, register and version models."""


@models.command("list")
@output.format_option
@click.pass_obj
def list_models(settings_of: Any, shape: str) -> None:
    """List registered models and the versions that the fleet serves.

    \b
    Example:
      hubctl models list
    """
    inputs = in_force(settings_of())
    served: dict[str, Counter[str]] = defaultdict(Counter)
    for cluster in inputs.clusters:
        for model in cluster.models:
            served[model.name][model.version] += 1
    data: list[dict[str, Any]] = [
        {
            "name": model.name,
            "service": model.service,
            "namespace": model.namespace,
            "type": model.type,
            "description": model.description,
            "output": inputs.values.profile(model.name).output,
            "versions": dict(sorted(served[model.name].items())),
        }
        for model in inputs.values.kserve.registry
    ]
    output.show(
        shape,
        {"models": data},
        ("name", "service", "output", "versions"),
        [(item["name"], item["service"], item["output"], counted(item["versions"])) for item in data],
    )


@models.command("register")
@click.argument("name")
@click.option("--service", default="", help="Kubernetes Service of its predictor [default: NAME-predictor].")
@click.option("--namespace", default="", help="Where it lives, if not in the spoke's namespace.")
@click.option("--type", "kind", default="", help="Free text, for people.")
@click.option("--description", default="", help="Free text, for people.")
@click.option("--cluster", "spokes", multiple=True, shell_complete=complete_spokes, help="Serve it there; repeatable.")
@click.option("--version", help="The version that --cluster serves.")
@click.option("--dry-run", is_flag=True, help="Show the difference; write nothing.")
@click.pass_obj
def register(
    settings_of: Any, /, name: str, spokes: tuple[str, ...], version: str | None, dry_run: bool, **given: str
) -> None:
    """Register a model in values-hub.yaml, in the spelling that the file uses; comments stay.

    With --cluster and --version the cluster files list it too, and a model that is registered already is only added
    there. All files change, or none.

    \b
    Examples:
      hubctl models register disk-anomaly --description "failing disks"
      hubctl models register disk-anomaly --cluster edge-factory --version v1
    """
    if bool(spokes) != bool(version):
        raise click.UsageError("--cluster and --version go together")
    settings = settings_of()
    sources = load.read_sources(settings)
    files = {}
    known = name in [entry.name for entry in sources.values.kserve.registry]
    if not (known and spokes and not any(given.values())):
        before = settings.values_file.read_bytes().decode()
        texts = {key: given[key] for key in ("kind", "namespace", "description")}
        files["values-hub.yaml"] = (before, edit.register_model(before, name, given["service"], **texts))
    found = {spoke.metadata.name: file for file, spoke in sources.described}
    for spoke in dict.fromkeys(spokes):
        if spoke not in found:
            inputs = load.reload(discovery.read_sources(settings, os.environ), {})
            raise without_file(spoke, name) if inputs.cluster(spoke) else rendering.unknown_spoke(spoke, inputs)
        before = (settings.directory / found[spoke]).read_bytes().decode()
        files[found[spoke]] = (before, edit.add_model(before, name, version or "", name=found[spoke]))
    change(settings, files, dry_run=dry_run)


@models.command("set-version")
@click.argument("model")
@click.argument("version")
@click.option("--cluster", "spokes", multiple=True, shell_complete=complete_spokes, help="Only this spoke; repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the difference; write nothing.")
@click.pass_obj
def set_version(settings_of: Any, model: str, version: str, spokes: tuple[str, ...], dry_run: bool) -> None:
    """Set MODEL's version in the cluster files of every spoke that serves it, or of some.

    \b
    Example:
      hubctl models set-version anomaly-detector v2 --cluster edge-factory
    """
    settings = settings_of()
    inputs = in_force(settings)
    change_versions(settings, inputs, dict.fromkeys(serving(inputs, model, spokes), version), model, dry_run=dry_run)


@models.command("rollback")
@click.argument("model")
@click.option("--to", "version", help="The version to go back to [default: the last one known good on each spoke].")
@click.option("--cluster", "spokes", multiple=True, shell_complete=complete_spokes, help="Only this spoke; repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the difference; write nothing.")
@click.pass_obj
def rollback(settings_of: Any, model: str, version: str | None, spokes: tuple[str, ...], dry_run: bool) -> None:
    """Set MODEL back in the cluster files; `hubctl publish` then delivers it.

    \b
    Example:
      hubctl models rollback anomaly-detector && hubctl publish -m "Back to the last good detector"
    """
    settings = settings_of()
    inputs = in_force(settings)
    names = serving(inputs, model, spokes)
    wanted = dict.fromkeys(names, version) if version else last_good(settings, names, model)
    change_versions(settings, inputs, wanted, model, dry_run=dry_run)


def last_good(settings: Settings, names: tuple[str, ...], model: str) -> dict[str, str]:
    """The latest version known good on each spoke, other than the one that its file names.

    The file counts, not an override that is in force: the file is what is to say the good version.

    Raises:
        InputError: a spoke has never had another good one.
    """
    sources = discovery.read_sources(settings, os.environ)
    files = load.reload(sources, {})
    with open_store(hub.store_url(settings, sources, os.environ)) as store:
        good = store.journal.good_versions()
    found = {}
    for name in names:
        cluster = files.cluster(name)
        served = cluster.model(model) if cluster else None
        now = served.version if served else ""
        earlier = [version for version in good.get((name, model), ()) if version != now]
        if not earlier:
            raise InputError(
                f"no earlier version of {model} is known good on {name}", hint="say which one with --to VERSION"
            )
        found[name] = earlier[0]
    return found


def serving(inputs: HubInputs, model: str, spokes: tuple[str, ...]) -> tuple[str, ...]:
    """The spokes that serve a model, or the named ones of them.

    Raises:
        InputError: there is no such spoke, or it does not serve the model.
    """
    every = tuple(cluster.name for cluster in inputs.clusters if cluster.model(model))
    for name in spokes:
        if inputs.cluster(name) is None:
            raise rendering.unknown_spoke(name, inputs)
        if name not in every:
            raise InputError(f"{name} does not serve {model!r}", hint="add it to spec.models of its cluster file")
    if not every:
        names = ", ".join(entry.name for entry in inputs.values.kserve.registry) or "none"
        raise InputError(f"no spoke serves a model {model!r}; expected one of {names}", hint="run `hubctl models list`")
    return spokes or every


def change_versions(
    settings: Settings, inputs: HubInputs, wanted: Mapping[str, str | None], model: str, *, dry_run: bool
) -> None:
    """Write the versions into the cluster files."""
    files = {}
    for name, version in wanted.items():
        cluster = inputs.cluster(name)
        if cluster is not None and version is not None:
            if not (settings.directory / cluster.source).is_file():
                raise without_file(name, model)
            before = (settings.directory / cluster.source).read_bytes().decode()
            files[cluster.source] = (before, edit.set_version(before, model, version, name=cluster.source))
    change(settings, files, dry_run=dry_run)


def without_file(spoke: str, model: str) -> InputError:
    """A spoke that the hub names has no file to edit."""
    return InputError(
        f"{spoke} has no cluster file that could say a version of {model}",
        hint=f"change it under serve of the group that names it, or write clusters/{spoke}.yaml with spec.models",
    )


def change(settings: Settings, files: Mapping[str, tuple[str, str]], *, dry_run: bool) -> None:
    """Show and write changed files; all of them are taken back when the inputs are wrong afterwards."""
    changed = {name: texts for name, texts in files.items() if texts[0] != texts[1]}
    for name, (before, after) in changed.items():
        output.print_change(before, after, (f"a/{name}", f"b/{name}"))
    if not changed:
        output.say("nothing to change: the files say so already")
    if dry_run or not changed:
        return
    for name, (_, after) in changed.items():
        edit.write_text(settings.directory / name, after)

    def undo() -> None:
        for name, (before, _) in changed.items():
            edit.write_text(settings.directory / name, before)

    checked(settings, undo)
    output.say(f"changed {output.count(len(changed), 'file')}; next: hubctl diff, then hubctl publish", colour="green")


def counted(versions: Mapping[str, int]) -> str:
    """``v1 on 3, v2 on 1``."""
    return ", ".join(f"{version} on {count}" for version, count in versions.items()) or "not served"
