"""``models``: list and register models, set and take back their versions in the cluster files, record golden rows."""

import os
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import click

from hubctl import discovery
from hubctl.cli import describing, output, recording, rendering, versions
from hubctl.cli.clusters import checked, complete_spokes, in_force
from hubctl.errors import InputError
from hubctl.inputs import edit, load
from hubctl.settings import Settings


@click.group()
def models() -> None:
    """List, describe, register and version models."""


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
@click.option("--version", help="The version that --cluster serves, or whose answers --golden holds.")
@click.option("--golden", "rows", default="", metavar="FILE", help="Rows as CSV or JSON, to send with every poll.")
@click.option("--golden-from", "source", default="", metavar="CLUSTER|URL", help="Ask --version's answers there.")
@click.option("--dry-run", is_flag=True, help="Show the difference; write nothing.")
@click.pass_obj
def register(
    settings_of: Any,
    /,
    name: str,
    spokes: tuple[str, ...],
    version: str | None,
    rows: str,
    source: str,
    dry_run: bool,
    **given: str,
) -> None:
    """Register a model in values-hub.yaml, in the spelling that the file uses; comments stay.

    With --cluster and --version the cluster files list it too, and a model that is registered already is only added
    there. With --golden its rows go to golden/NAME.yaml, with the answers of --version: from the file's last column,
    when that is headed `expected`, or asked from a predictor that serves it. All files change, or none.

    \b
    Examples:
      hubctl models register disk-anomaly --description "failing disks"
      hubctl models register disk-anomaly --cluster edge-factory --version v1
      hubctl models register disk-anomaly --golden rows.csv --version v1 --golden-from http://localhost:8080
    """
    if ((spokes or source) and not version) or (version and not (spokes or rows)):
        raise click.UsageError("--cluster and --version go together, as --golden-from and --version do")
    settings = settings_of()
    sources = load.read_sources(settings)
    files = {}
    wanted = recording.Wanted(name, version or "", rows=rows, source=source)
    known = name in [entry.name for entry in sources.values.kserve.registry]
    if not (known and (spokes or wanted.anything) and not any(given.values())):
        before = settings.values_file.read_bytes().decode()
        texts = {key: given[key] for key in ("kind", "namespace", "description")}
        files["values-hub.yaml"] = (before, edit.register_model(before, name, given["service"], **texts))
    found = {spoke.metadata.name: file for file, spoke in sources.described}
    for spoke in dict.fromkeys(spokes):
        if spoke not in found:
            inputs = load.reload(discovery.read_sources(settings, os.environ), {})
            raise (
                versions.without_file(spoke, name) if inputs.cluster(spoke) else rendering.unknown_spoke(spoke, inputs)
            )
        before = (settings.directory / found[spoke]).read_bytes().decode()
        files[found[spoke]] = (before, edit.add_model(before, name, version or "", name=found[spoke]))
    if wanted.anything:
        fleet = in_force(settings) if wanted.asks_spoke else None
        files |= recording.recorded(settings, sources, fleet, wanted)
    change(settings, files, dry_run=dry_run)


@models.command("set-version")
@click.argument("model")
@click.argument("version")
@click.option("--cluster", "spokes", multiple=True, shell_complete=complete_spokes, help="Only this spoke; repeatable.")
@click.option("--golden-from", "source", default="", metavar="CLUSTER|URL", help="Ask VERSION's golden answers there.")
@click.option("--golden-expected", "expected", default="", metavar="FILE", help="VERSION's golden answers.")
@click.option("--dry-run", is_flag=True, help="Show the difference; write nothing.")
@click.pass_obj
def set_version(
    settings_of: Any, /, model: str, version: str, spokes: tuple[str, ...], source: str, expected: str, dry_run: bool
) -> None:
    """Set MODEL's version in the cluster files of every spoke that serves it, or of some.

    With --golden-from or --golden-expected, the version's answers to the golden rows are recorded too: asked from a
    spoke that serves it or from a URL, or read from a file with an answer a line. All files change, or none.

    \b
    Examples:
      hubctl models set-version anomaly-detector v2 --cluster edge-factory
      hubctl models set-version anomaly-detector v2 --golden-from edge-factory
    """
    if source and expected:
        raise click.UsageError("--golden-from and --golden-expected exclude each other")
    settings = settings_of()
    inputs = in_force(settings)
    files = versions.rewritten(settings, inputs, dict.fromkeys(versions.serving(inputs, model, spokes), version), model)
    wanted = recording.Wanted(model, version, source=source, expected=expected)
    if wanted.anything:
        files |= recording.recorded(settings, load.read_sources(settings), inputs, wanted)
    change(settings, files, dry_run=dry_run)


models.add_command(describing.describe)


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
    names = versions.serving(inputs, model, spokes)
    wanted = dict.fromkeys(names, version) if version else versions.last_good(settings, names, model)
    change(settings, versions.rewritten(settings, inputs, wanted, model), dry_run=dry_run)


def change(settings: Settings, files: Mapping[str, tuple[str, str]], *, dry_run: bool) -> None:
    """Show and write changed files; all of them are taken back when the inputs are wrong afterwards."""
    changed = {name: texts for name, texts in files.items() if texts[0] != texts[1]}
    for name, (before, after) in changed.items():
        output.print_change(before, after, (f"a/{name}", f"b/{name}"))
    if not changed:
        output.say("nothing to change: the files say so already")
    if dry_run or not changed:
        return
    new = [settings.directory / name for name in changed if not (settings.directory / name).exists()]

    def undo() -> None:
        for name, (before, _) in changed.items():
            if (path := settings.directory / name) in new:
                path.unlink(missing_ok=True)
            else:
                edit.write_text(path, before)

    try:
        for name, (_, after) in changed.items():
            (settings.directory / name).parent.mkdir(exist_ok=True)
            edit.write_text(settings.directory / name, after)
    except (InputError, OSError):
        undo()
        raise
    checked(settings, undo)
    output.say(f"changed {output.count(len(changed), 'file')}; next: hubctl diff, then hubctl publish", colour="green")


def counted(served: Mapping[str, int]) -> str:
    """``v1 on 3, v2 on 1``."""
    return ", ".join(f"{version} on {count}" for version, count in served.items()) or "not served"
