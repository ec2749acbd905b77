"""Differences on a terminal, by object and field."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

import click

from hubctl.cli import output
from hubctl.publish import fields
from hubctl.publish.review import NAMED, SILENT, TITLES, Difference, more, plain, title, value_text

COLOURS = {"added": "green", "changed": "yellow", "removed": "red"}
_WIDEST = 100


def print_fields(difference: Difference) -> None:
    """The objects under their headings; empty headings are left out."""
    for change, entries in groupby(difference.entries, key=lambda entry: entry.change):
        click.secho(f"{TITLES[change]}:", bold=True)
        for entry in entries:
            click.secho(f"  {title(entry)}{_on(entry.spokes)}", fg=COLOURS[change])
            for field in entry.fields:
                click.echo(f"    {plain(field.path)}: {_sides(field)}")
    if difference.silent:
        click.secho(f"{SILENT}:", bold=True)
        for path in difference.silent:
            click.echo(f"  {plain(path)}")


def _sides(field: fields.Field) -> str:
    old, new = (value_text(side, _WIDEST) for side in (_given(field.old), _given(field.new)))
    if field.change == "changed":
        return f"{old} -> {new}"
    return f"added {new}" if field.change == "added" else f"removed {old}"


def _given(value: Any) -> Any:
    return None if value is fields.ABSENT else value


def _on(spokes: Sequence[str]) -> str:
    if not spokes:
        return " on the hub"
    names = ", ".join(plain(name) for name in spokes[: NAMED["line"]])
    return f" on {output.count(len(spokes), 'spoke')}: {names}{more(spokes, NAMED['line'])}"
