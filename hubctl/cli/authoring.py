"""``migrate``, ``schema`` and ``completion``: what a person needs to write the files."""

import difflib
import json
from pathlib import Path
from typing import Any

import click
from click.shell_completion import get_completion_class

from hubctl.cli import difference, output
from hubctl.errors import InputError
from hubctl.inputs import edit
from hubctl.inputs import migrate as migration
from hubctl.inputs import schema as schemas


@click.command()
@click.option("--write", is_flag=True, help="Rewrite values-hub.yaml; without it, only show the difference.")
@click.option("--remote", default="", help="Git URL or path, for a file that says none yet.")
@click.pass_obj
def migrate(settings_of: Any, write: bool, remote: str) -> None:
    """Rewrite an old values file, of either generation, so that hubctl can work with it; comments stay.

    The retired mlService becomes coordinationEngine.kserve, and what the platform's chart lists under models is
    registered and keeps its resources. Exits 1 when there is something to migrate and --write was not given.

    \b
    Examples:
      hubctl migrate && hubctl migrate --write
      hubctl migrate --remote git@git.example.com:platform/fleet.git --write
    """
    path = settings_of().values_file
    if not path.is_file():
        raise InputError(f"there is no {path}", hint="pass the folder that holds it with -C DIR")
    before = path.read_bytes().decode()
    after, changes = migration.migrate(before, remote)
    if migration.without_remote(after):
        output.say("warning: hubctl.gitops.remote says nothing yet; pass --remote URL, or add it", colour="yellow")
    if not changes:
        output.say("nothing to migrate", colour="green")
        return
    output.print_change(before, after, ("before", "after"))
    for change in changes:
        output.say(change)
    if not write:
        output.say("run `hubctl migrate --write` to rewrite the file", colour="yellow")
        raise click.exceptions.Exit(1)
    edit.write_text(path, after)
    output.say(f"rewrote {path}; next: hubctl validate", colour="green")


@click.command()
@click.argument("name", required=False)
@click.option("--output", "folder", type=click.Path(file_okay=False, path_type=Path), help="Write all of them here.")
def schema(name: str | None, folder: Path | None) -> None:
    """Print the JSON Schema NAME of an input file, or all; editors check files against them as you type.

    The schema diff is that of `hubctl diff -o json`.

    \b
    Examples:
      hubctl schema spoke
      hubctl schema --output schemas/
    """
    files = {**schemas.schemas(), difference.SCHEMA: difference.schema()}
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
