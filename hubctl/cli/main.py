"""The ``hubctl`` command: its topics, its global flags and the one place where errors become exit codes.

Commands are loaded when they are called, so that ``hubctl --help`` and shell completion stay quick.
"""

import gc
import importlib
import os
import sys
from collections.abc import Sequence
from functools import partial

import click

import hubctl
from hubctl.errors import HubctlError
from hubctl.settings import Settings, read_settings

EPILOG = """\b
Exit codes: 0 done · 1 differences or findings, where the command says so · 2 bad usage or input ·
3 a remote part failed · 4 refused by a guard"""

COMMANDS = {
    "init": ("beginning", "Start a fleet in a folder."),
    "validate": ("validating", "Check values, clusters, overrides, templates and every rendered object."),
    "schemas": ("schemas", "List and pull the schemas that objects are checked against."),
    "migrate": ("authoring", "Rewrite a platform's values file; keeps its comments."),
    "schema": ("authoring", "Print the JSON Schemas of the input files and of diff."),
    "clusters": ("clusters", "List, show, add, import and remove spokes."),
    "models": ("models", "List, describe, register and version models."),
    "render": ("rendering", "Render every manifest of the fleet."),
    "diff": ("delivery", "Show what publish would change."),
    "publish": ("delivery", "Publish the rendered fleet as one Git commit."),
    "features": ("features", "Show and check the rows that predictors are sent."),
    "poll": ("observing", "Poll predictors once; stores nothing."),
    "reconcile": ("observing", "Run one full pass."),
    "run": ("observing", "Run passes until told to stop."),
    "worker": ("working", "Poll for `hubctl run --engine` on this machine, until told to stop."),
    "status": ("status", "Show the fleet's health and open incidents."),
    "history": ("history", "Show when predictors of a spoke changed."),
    "incidents": ("incidents", "List, show, acknowledge and resolve incidents."),
    "remediations": ("remediations", "List, show, approve and reject remediations."),
    "stop": ("stopping", "Throw the kill switch; needs no store, no Git and no cluster."),
    "start": ("stopping", "Take the kill switch back."),
    "pause": ("pausing", "Hold back actions on a part of the fleet for a while."),
    "explain": ("explaining", "Show the evidence, from single predictions to the commit."),
    "why": ("provenance", "Show which commits made a spoke's folder what it is."),
    "doctor": ("doctor", "Check everything that hubctl depends on."),
    "demo": ("demo", "Run the whole loop on real model servers, here."),
    "completion": ("authoring", "Print the shell completion script."),
}
"""Command: its module in this folder and its one-line help."""

OFFLINE = frozenset({"init", "validate", "migrate", "schema", "render", "completion", "stop", "start"})
"""Commands that talk to nobody, so that there is nothing to try again."""

BULK = frozenset({"validate", "render", "diff", "publish"})
"""Commands that make a fleet's worth of data and end: at 5,000 spokes a tenth of the time went into looking for
cycles in it, of which there are none."""


LASTING = frozenset({"run", "worker"})
SELDOM = 50_000, 20, 10
"""Commands that hold a fleet's worth of memory and go on, and how seldom they look for cycles in it (``gc``'s
thresholds): at 50,000 predictors a third of each pass went into that."""


class Topics(click.Group):
    """A group that imports a command's module only when the command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Every command, in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as above
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"hubctl.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as above
        """The list in ``--help``, without importing a single command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=Topics, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(hubctl.__version__, prog_name="hubctl")
@click.option(
    "-C",
    "directory",
    metavar="DIR",
    help="Folder that holds values-hub.yaml and clusters/ [default: $HUBCTL_DIRECTORY or here].",
)
@click.pass_context
def cli(ctx: click.Context, directory: str | None) -> None:
    """Render, publish, observe and remediate a fleet's KServe models, from the hub.

    \b
    Example:
      hubctl -C fleet diff && hubctl -C fleet publish -m "Add edge-factory"
    """
    ctx.obj = LazySettings(directory)
    if ctx.invoked_subcommand not in OFFLINE:
        retry_in_silence()
    if ctx.invoked_subcommand in BULK:
        gc.disable()
        ctx.call_on_close(gc.enable)
    if ctx.invoked_subcommand in LASTING:
        ctx.call_on_close(partial(gc.set_threshold, *gc.get_threshold()))
        gc.set_threshold(*SELDOM)


def retry_in_silence() -> None:
    """The library would log each retry with the error's text, and that of a webhook holds its address."""
    import stamina  # noqa: PLC0415 - what talks to nobody does without

    stamina.instrumentation.set_on_retry_hooks([])


class LazySettings:
    """The settings of this run, read when a command asks, so that ``init`` may make the folder first."""

    def __init__(self, directory: str | None) -> None:
        self.directory = directory

    def __call__(self) -> Settings:
        """Settings for ``-C DIR``.

        Raises:
            InputError: the folder does not exist.
        """
        return read_settings(self.directory, os.environ)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the one place where errors become text and an exit code."""
    try:
        code = cli.main(args=None if arguments is None else list(arguments), prog_name="hubctl", standalone_mode=False)
    except HubctlError as error:
        say_errors(error)
        return error.exit_code
    except click.exceptions.Abort:
        click.secho("stopped", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    return code if isinstance(code, int) else 0


def say_errors(error: HubctlError) -> None:
    """Every problem on standard error: where and what, then a hint."""
    for each in (error, *error.also):
        click.secho(f"error: {each}", fg="red", err=True)
        if each.hint:
            click.secho(f"  hint: {each.hint}", fg="yellow", err=True)
