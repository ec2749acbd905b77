"""Differences for people: by object and field on a terminal, and as Markdown for the comment of a pull request.

What a branch holds may have been written by anyone, so every character of it that is not plain is shown escaped.
"""

import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any

import click

from hubctl.cli import output
from hubctl.cli.difference import Difference, shown
from hubctl.publish import fields, objects

TITLES = {"added": "New objects", "changed": "Changed objects", "removed": "Removed objects"}
COLOURS = {"added": "green", "changed": "yellow", "removed": "red"}
SILENT = "Files of which only comments, order or formatting change"

LIMIT = 60_000
"""Characters of a comment; forges take some 65,000."""

LEAST = 8_000
"""The fewest that a summary may need."""

_ROOM = 400
"""Characters kept free for the line that says what was left out."""

_NAMED = {"line": 3, "summary": 10}
_WIDEST = {"terminal": 100, "cell": 200, "name": 63}


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


def title(entry: objects.Entry) -> str:
    """``InferenceService ns/name``, or the name of a file that is no object."""
    one = entry.object
    name = f"{one.namespace}/{one.name}" if one.namespace else one.name
    return plain(f"{one.kind} {name}".strip())


def plain(text: str) -> str:
    """The text with everything escaped that a terminal could take for more than text."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def value_text(value: Any, widest: int) -> str:
    """A value as one line of JSON, cut if it is long; the end of a cut one is ``…``."""
    text = plain(json.dumps(shown(value), ensure_ascii=False))
    return text if len(text) <= widest else f"{text[: widest - 1]}…"


def _sides(field: fields.Field) -> str:
    old, new = (value_text(side, _WIDEST["terminal"]) for side in (_given(field.old), _given(field.new)))
    if field.change == "changed":
        return f"{old} -> {new}"
    return f"added {new}" if field.change == "added" else f"removed {old}"


def _given(value: Any) -> Any:
    return None if value is fields.ABSENT else value


def _on(spokes: Sequence[str]) -> str:
    if not spokes:
        return " on the hub"
    names = ", ".join(plain(name) for name in spokes[: _NAMED["line"]])
    return f" on {output.count(len(spokes), 'spoke')}: {names}{_more(spokes, _NAMED['line'])}"


def _more(names: Sequence[str], most: int) -> str:
    return f" +{len(names) - most}" if len(names) > most else ""


def markdown(difference: Difference, limit: int, *, summary: bool) -> str:
    """Summary first, then whole objects as long as they fit; the last line says how to see the rest.

    Args:
        difference: of a publish.
        limit: characters, at least ``LEAST``; never exceeded.
        summary: leave the objects out.
    """
    text = _summary(difference)
    if summary or difference.found.empty:
        return text
    entries = difference.entries
    room, before = limit - _ROOM, ""
    for number, entry in enumerate(entries):
        heading = f"\n#### {TITLES[entry.change]}\n" if entry.change != before else ""
        block = f"{heading}\n{_block(entry)}"
        if len(text) + len(block) > room:
            return text + _rest(len(entries) - number, len(entries), limit)
        text, before = text + block, entry.change
    silent = "".join(f"- {_code(path)}\n" for path in difference.silent)
    block = f"\n#### {SILENT}\n\n{silent}" if silent else ""
    if len(text) + len(block) > room:
        block = (
            f"\n#### {SILENT}\n\n{output.count(len(difference.silent), 'file')}; see `hubctl diff --style fields`.\n"
        )
    return text + block


def _summary(difference: Difference) -> str:
    found = difference.found
    if found.empty:
        return "### hubctl diff: no difference\n\nThe branch already holds this fleet.\n"
    by_word = {"added": found.spokes.added, "changed": found.spokes.changed, "removed": found.spokes.removed}
    total = sum(len(names) for names in by_word.values())
    files = len(found.added) + len(found.changed) + len(found.removed)
    lines = [f"- {len(names)} {word}: {_names(names)}" for word, names in by_word.items() if names]
    objects_count = sum(max(1, len(entry.spokes)) for entry in difference.entries)
    counts = f"{output.count(files, 'file')}, {output.count(objects_count, 'object')}"
    spokes = "\n".join(["", *lines, ""]) if lines else ""
    return f"### hubctl diff: {output.count(total, 'spoke')} affected\n\n{counts}.\n{spokes}"


def _names(names: Sequence[str]) -> str:
    most = _NAMED["summary"]
    return ", ".join(_code(plain(name)[: _WIDEST["name"]]) for name in names[:most]) + _more(names, most)


def _block(entry: objects.Entry) -> str:
    most = _NAMED["line"]
    named = f"{', '.join(_code(name) for name in entry.spokes[:most])}{_more(entry.spokes, most)}"
    where = f"on {output.count(len(entry.spokes), 'spoke')}: {named}" if entry.spokes else "on the hub"
    rows = "".join(_row(field) for field in entry.fields)
    table = f"\n| field | before | after |\n|---|---|---|\n{rows}" if rows else ""
    return f"{_code(title(entry))} {where}\n{table}"


def _row(field: fields.Field) -> str:
    cells = [
        "" if side is fields.ABSENT else _code(value_text(side, _WIDEST["cell"])) for side in (field.old, field.new)
    ]
    path = _code(plain(field.path))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in (path, *cells)) + " |\n"


def _code(text: str) -> str:
    """A code span that nothing in the text can end, so that no name or value is read as Markdown."""
    text = plain(text)
    fence = "`"
    while fence in text:
        fence += "`"
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _rest(left: int, total: int, limit: int) -> str:
    return (
        f"\n{left} of {total} entries are left out to stay within {limit} characters. See all of them with "
        "`hubctl diff --style fields`, or as data with `hubctl diff -o json`.\n"
    )
