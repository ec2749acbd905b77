"""``render``: every manifest, from the files alone; and what other commands say about the inputs.

Apart from ``delivery``, because it needs neither Git nor a store nor HTTP, and loads without them.
"""

import importlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from hubctl import discovery
from hubctl.cli import checking, output
from hubctl.errors import InputError
from hubctl.model import tree
from hubctl.model.fleet import HubInputs
from hubctl.model.values import HubValues
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree

MARKER = ".hubctl-rendered"
"""Stands in a folder that ``render --output`` wrote, so that the next one may replace it."""


def tracing() -> ModuleType:
    """The other half of ``render``, which knows Git: loaded only when something is to be explained."""
    return importlib.import_module("hubctl.cli.tracing")


def complete_paths(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Rendered files for shell completion."""
    found: list[str] = tracing().complete_paths(ctx, param, incomplete)
    return found


@click.command()
@click.option("--output", "folder", type=click.Path(path_type=Path), help="Write the files here instead of printing.")
@click.option("--cluster", help="Only this spoke.")
@click.option("--check", is_flag=True, help="Render twice, in two processes and orders; exits 1 if a byte differs.")
@click.option(
    "--explain",
    "asked",
    metavar="PATH[:FIELD]",
    shell_complete=complete_paths,
    help="Say which file and line each value of a rendered file comes from.",
)
@click.option("--offline", is_flag=True, help="Ask nobody: where spokes come from the hub, what it said last counts.")
@output.format_option
@click.option(checking.AGAIN, "in_reverse", is_flag=True, hidden=True)
@click.pass_obj
def render(
    settings_of: Any,
    /,
    folder: Path | None,
    cluster: str | None,
    check: bool,
    asked: str | None,
    shape: str,
    **given: bool,
) -> None:
    """Render every manifest of the fleet; needs no Git, and no network unless spokes come from the hub.

    Overrides are read from the folder's own overrides/; --explain takes those of the branch, as of the last fetch, and
    the folder's before the first one. PATH is spokes/NAME/FILE or hub/FILE; of a file with several objects one may be
    chosen, as PATH:KIND/NAME or PATH:KIND/NAME:FIELD. -o is for --explain.

    \b
    Examples:
      hubctl render --cluster edge-factory
      hubctl render --check
      hubctl render --explain spokes/edge-factory/storage.yaml:spec.accessModes
      hubctl render --output build/ && kustomize build build/spokes/edge-factory
    """
    if check and folder is not None:
        raise click.UsageError("--check writes nothing, so it does not go with --output")
    settings = settings_of()
    if asked is not None:
        if check or folder is not None or cluster is not None:
            raise click.UsageError("--explain is about one file, so it does not go with --check, --output or --cluster")
        tracing().explain(settings, asked, shape, offline=given["offline"])
        return
    if shape != "table":
        raise click.UsageError("-o is for --explain; manifests are printed as they are")
    backwards = checking.reversed_inputs(settings) if given["in_reverse"] else None
    inputs = backwards or discovery.load_inputs(settings, os.environ, offline=given["offline"])
    warn(inputs)
    if switched_off(inputs.values):
        return
    if cluster is not None and inputs.cluster(cluster) is None:
        raise unknown_spoke(cluster, inputs)
    rendered = render_tree(inputs, load_templates(settings.directory / "templates"))
    files = rendered.below(f"{tree.SPOKES}/{cluster}") if cluster else rendered.files
    if check:
        checking.check(settings, files, cluster, MARKER)
        return
    if folder is not None:
        write_folder(folder, files)
        output.say(f"wrote {len(files)} files to {folder}", colour="green")
        return
    for path, data in files.items():
        click.echo(f"---\n# Source: {path}\n{data.decode()}", nl=False)


def warn(inputs: HubInputs) -> None:
    """The inputs' warnings, on standard error."""
    say_warnings(inputs.warnings)


def say_warnings(warnings: Iterable[str]) -> None:
    """Warnings of reading, on standard error."""
    for warning in warnings:
        output.say(f"warning: {warning}", colour="yellow")


def switched_off(values: HubValues) -> bool:
    """Whether the KServe integration is off; says so."""
    if values.kserve.enabled:
        return False
    output.say(f"{values.switch} is false: nothing is rendered, published or polled", colour="yellow")
    return True


def unknown_spoke(name: str, inputs: HubInputs) -> InputError:
    """No spoke of that name, with those there are."""
    names = ", ".join(cluster.name for cluster in inputs.clusters) or "none"
    return InputError(f"there is no spoke {name!r}; expected one of {names}", hint="run `hubctl clusters list`")


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write the files as a whole: a finished folder is moved into place, so a failure leaves what was there.

    Raises:
        InputError: the folder holds something that ``render`` did not write.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise InputError(
            f"{folder} holds files that `hubctl render` did not write",
            hint="choose an empty folder; render replaces what is in it",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".hubctl-", dir=folder.absolute().parent) as scratch:
        made = Path(scratch) / "new"
        for path, data in {**files, MARKER: b""}.items():
            (made / path).parent.mkdir(parents=True, exist_ok=True)
            (made / path).write_bytes(data)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        shutil.move(os.fspath(made), os.fspath(folder))
