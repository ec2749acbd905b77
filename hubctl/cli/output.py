"""How commands print: one table, JSON or YAML from the same data; colour and progress only on a terminal."""

import difflib
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:  # only what prints a table or a bar loads it
    from rich.console import Console

from hubctl.inputs import plain as plain_credentials

F = TypeVar("F", bound=Callable[..., Any])

WIDE = 200
"""Columns of a table that goes into a file or pipe, where there is no terminal to fit."""

COLOURS = {
    "healthy": "green",
    "ok": "green",
    "succeeded": "green",
    "applied": "green",
    "resolved": "green",
    "same": "green",
    "anomalous": "red",
    "failed": "red",
    "open": "red",
    "unknown": "yellow",
    "pending": "yellow",
    "acknowledged": "yellow",
    "ineffective": "yellow",
}
"""Words that are coloured wherever they stand alone in a cell."""


def format_option(command: F) -> F:
    """Add ``-o table|json|yaml``."""
    return formats("table", "json", "yaml")(command)


def formats(*words: str) -> Callable[[F], F]:
    """Add ``-o`` with these words, the first one the default."""
    choice = click.Choice(words)
    return click.option(
        "-o", "--format", "shape", type=choice, default=words[0], show_default=True, help="How to print."
    )


def console(*, err: bool = False) -> "Console":
    """A console for standard output or error; colours off without a terminal or with ``NO_COLOR``."""
    from rich.console import Console  # noqa: PLC0415 - as above

    stream = sys.stderr if err else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else WIDE, highlight=False, soft_wrap=False)


def show(shape: str, data: dict[str, Any], columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print ``data`` as JSON or YAML, or the rows as a table; an empty table says so on standard error."""
    if shape == "json":
        click.echo(json.dumps(data, indent=2, default=plain))
    elif shape == "yaml":
        import yaml  # noqa: PLC0415 - only this branch needs it

        click.echo(yaml.safe_dump(json.loads(json.dumps(data, default=plain)), sort_keys=False), nl=False)
    else:
        table(columns, list(rows))


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under their headings."""
    if not rows:
        click.echo("nothing to show", err=True)
        return
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    made = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        made.add_column(column.upper(), overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell, style=COLOURS.get(cell, "")) for cell in map(str, row)))
    console().print(made)


def plain(value: object) -> object:
    """What JSON has no type for: times in RFC 3339, sets and tuples as lists."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    return str(value)


def count(number: int, thing: str) -> str:
    """``1 spoke``, ``2 spokes``."""
    return f"{number} {thing}{'' if number == 1 else 's'}"


def ago(then: datetime | None, now: datetime) -> str:
    """``12s``, ``5m``, ``3h`` or ``2d`` since then."""
    if then is None:
        return "-"
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[], None]]:
    """A bar on standard error while something long runs; silent without a terminal. Yields ``advance``.

    Without a total it only counts.
    """
    if not sys.stderr.isatty() or total == 0:
        yield lambda: None
        return
    from rich.progress import (  # noqa: PLC0415 - as above
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
    )

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console(err=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda: bar.advance(task)


def say(text: str, *, colour: str | None = None) -> None:
    """A line on standard error, so that standard output stays data."""
    click.secho(text, fg=colour, err=True)


def person() -> str:
    """Who is at the keyboard, for the audit trail."""
    return os.environ.get("HUBCTL_USER") or os.environ.get("USER") or os.environ.get("LOGNAME") or f"uid {os.getuid()}"


def print_change(before: str, after: str, names: tuple[str, str]) -> None:
    """The patch between two texts of an input file, without what looks like a credential in the lines around."""
    # Masked before they are compared: a patch may begin in the middle of a private key.
    old, new = (plain_credentials.veiled(text).splitlines(keepends=True) for text in (before, after))
    print_patch("".join(difflib.unified_diff(old, new, *names)))


def print_patch(text: str) -> None:
    """A unified diff; green and red on a terminal."""
    colours = {"+": "green", "-": "red", "@": "cyan"}
    for line in text.splitlines():
        heading = line.startswith(("+++", "---"))
        click.secho(line, fg=None if heading else colours.get(line[:1]), bold=heading)
