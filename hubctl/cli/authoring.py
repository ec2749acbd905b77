"""``init``, ``validate``, ``migrate``, ``schema`` and ``completion``: what a person needs to write the files."""

import difflib
import json
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from hubctl.cli import difference, origins, output, rendering
from hubctl.errors import InputError
from hubctl.inputs import edit, load, start
from hubctl.inputs import migrate as migration
from hubctl.inputs import schema as schemas
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option(
    "--remote", default="https://git.example.com/platform/fleet.git", show_default=True, help="Git URL or path."
)
@click.option("--branch", default="main", show_default=True, help="The branch that Argo CD reads.")
@click.option("--namespace", default="self-healing-platform", show_default=True, help="Where the models live.")
def init(folder: Path, remote: str, branch: str, namespace: str) -> None:
    """Start a fleet in FOLDER: values-hub.yaml and folders for spokes, features and templates.

    \b
    Example:
      hubctl init fleet --remote git@git.example.com:platform/fleet.git
    """
    for path in start.start(folder, remote=remote, branch=branch, namespace=namespace):
        click.echo(f"wrote {path}")
    for name, content in schemas.schemas().items():
        path = folder / "schemas" / name
        path.parent.mkdir(exist_ok=True)
        edit.write_text(path, json.dumps(content, indent=2) + "\n")
        click.echo(f"wrote {path}")
    output.say(f"next: hubctl -C {folder} clusters add NAME --platform openshift --version 4.18")


@click.command()
@output.format_option
@click.pass_obj
def validate(settings_of: Any, shape: str) -> None:
    """Check values, clusters, overrides and templates, and that everything renders; offline.

    Shows every problem at once, each with file, line and field; exits 2 if there is one.

    \b
    Example:
      hubctl validate -o json
    """
    settings = settings_of()
    inputs = load.load_inputs(settings, None)
    rendered = render_tree(inputs, load_templates(settings.directory / "templates"))
    data = {
        "valid": True,
        "clusters": len(inputs.clusters),
        "models": sum(len(cluster.models) for cluster in inputs.clusters),
        "files": len(rendered.files),
        "warnings": list(inputs.warnings),
    }
    if shape == "table":
        rendering.warn(inputs)
        output.say(
            f"valid: {data['clusters']} spokes, {data['models']} predictors, {data['files']} files", colour="green"
        )
        return
    output.show(shape, data, (), ())


@click.command()
@click.option("--write", is_flag=True, help="Rewrite values-hub.yaml; without it, only show the difference.")
@click.pass_obj
def migrate(settings_of: Any, write: bool) -> None:
    """Rewrite an old values file: the retired mlService becomes coordinationEngine.kserve; comments stay.

    Exits 1 when there is something to migrate and --write was not given.

    \b
    Example:
      hubctl migrate && hubctl migrate --write
    """
    path = settings_of().values_file
    if not path.is_file():
        raise InputError(f"there is no {path}", hint="pass the folder that holds it with -C DIR")
    before = path.read_bytes().decode()
    after, changes = migration.migrate(before)
    if not changes:
        output.say("nothing to migrate", colour="green")
        return
    patch = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True), "before", "after")
    output.print_patch("".join(patch))
    for change in changes:
        output.say(change)
    if not write:
        output.say("run `hubctl migrate --write` to rewrite the file", colour="yellow")
        raise click.exceptions.Exit(1)
    edit.write_text(path, after)
    output.say(f"rewrote {path}", colour="green")


@click.command()
@click.argument("name", required=False)
@click.option("--output", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write all of them here.")
def schema(name: str | None, folder: Path | None) -> None:
    """Print the JSON Schema NAME of an input file, or all; editors check files against them as you type.

    The schema diff is that of `hubctl diff -o json`, explanation that of `hubctl render --explain -o json`.

    \b
    Examples:
      hubctl schema spoke
      hubctl schema --output schemas/
    """
    files = {**schemas.schemas(), difference.SCHEMA: difference.schema(), origins.SCHEMA: origins.schema()}
    known = {file.removesuffix(".schema.json"): content for file, content in files.items()}
    if name is not None and name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise InputError(
            f"there is no schema {name!r}; expected one of {', '.join(known)}",
            hint=f"try `hubctl schema {near[0] if near else next(iter(known))}`",
        )
    chosen = {name: known[name]} if name else known
    if folder is None:
        click.echo(json.dumps(chosen[name] if name else chosen, indent=2))
        return
    folder.mkdir(parents=True, exist_ok=True)
    for each, content in chosen.items():
        edit.write_text(folder / f"{each}.schema.json", json.dumps(content, indent=2) + "\n")
        click.echo(f"wrote {folder / each}.schema.json")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    Example:
      hubctl completion bash > ~/.local/share/bash-completion/completions/hubctl
    """
    made = get_completion_class(shell)
    assert made is not None, shell  # noqa: S101 - click knows the three shells that the argument allows
    click.echo(made(ctx.find_root().command, {}, "hubctl", "_HUBCTL_COMPLETE").source())
