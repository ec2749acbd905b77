"""``render --check``: the fleet rendered a second time, in another process and order, and compared byte by byte."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import click

from hubctl import discovery
from hubctl.cli import output
from hubctl.errors import TemplateError
from hubctl.inputs import load
from hubctl.model.fleet import HubInputs
from hubctl.publish import changes
from hubctl.settings import Settings

AGAIN = "--in-reverse"
"""Hidden flag of ``render`` that the second process gets."""


def reversed_inputs(settings: Settings) -> HubInputs:
    """The inputs, with clusters and overrides handed over in the opposite order.

    Raises:
        InputError: a file is wrong.
    """
    # What the first process found out on the hub is remembered, and both are to see the same.
    sources = discovery.read_sources(settings, os.environ, offline=True)
    overrides = load.read_overrides(settings, sources.values.hubctl.gitops.overrides)
    backwards = replace(sources, spokes=sources.spokes[::-1])
    return load.reload(backwards, dict(reversed(overrides.items())))


def check(settings: Settings, files: Mapping[str, bytes], cluster: str | None, ignored: str) -> None:
    """Compare rendered files with those of another process; says what it found.

    Args:
        settings: of this run.
        files: path to bytes, as rendered here.
        cluster: only this spoke.
        ignored: name of the file that marks a rendered folder.

    Raises:
        TemplateError: rendering failed, but only there.
        Exit: with 1 when any byte differs.
    """
    again = rendered_again(settings, cluster, ignored)
    differing = sorted(path for path in {*files, *again} if files.get(path) != again.get(path))
    if not differing:
        output.say(f"same: {output.count(len(files), 'file')}, rendered twice", colour="green")
        return
    first = differing[0]
    click.echo(f"{first} differs when it is rendered again, as do {len(differing) - 1} other files")
    output.print_patch(changes.unified(first, files.get(first), again.get(first)))
    output.say(
        "hint: a template shows what is no plain value, such as a filter's result without `|list`", colour="yellow"
    )
    raise click.exceptions.Exit(1)


def rendered_again(settings: Settings, cluster: str | None, ignored: str) -> dict[str, bytes]:
    """The files as another Python makes them, with another hash seed and the inputs in reverse.

    Raises:
        TemplateError: it failed.
    """
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    with tempfile.TemporaryDirectory(prefix="hubctl-") as scratch:
        folder = Path(scratch) / "again"
        command = [sys.executable, "-m", "hubctl", "-C", str(settings.directory.absolute()), "render", AGAIN]
        command += ["--output", str(folder), *(["--cluster", cluster] if cluster else [])]
        environ = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run(command, env=environ, capture_output=True, check=False)  # noqa: S603 - our own program
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise TemplateError(
                f"rendering worked once and failed the second time: {said}",
                hint="look for a template that depends on more than its inputs",
            )
        paths = [path for path in folder.rglob("*") if path.is_file() and path.name != ignored]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
