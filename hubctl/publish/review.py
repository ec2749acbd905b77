"""Review: a difference read by object, and as Markdown for a comment or the text of a pull request. Pure.

What a branch holds may have been written by anyone, so every character of it that is not plain is shown escaped.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hubctl.publish import changes, fields, objects

TITLES = {"added": "New objects", "changed": "Changed objects", "removed": "Removed objects"}
SILENT = "Files of which only comments, order or formatting change"

LIMIT = 60_000
"""Characters of a comment; forges take some 65,000."""

LEAST = 8_000
"""The fewest that a summary may need."""

_ROOM = 400
"""Characters kept free for the line that says what was left out."""

NAMED = {"line": 3, "summary": 10}
"""Spokes that are named before the rest is counted."""

_WIDEST = {"cell": 200, "name": 63}


@dataclass(frozen=True, slots=True)
class Difference:
    """What a publish would change, read by object.

    Attributes:
        found: by file and spoke.
        entries: by object, equal changes of several spokes as one.
        silent: repository paths of files that change though no object in them does: comments, order, formatting.
    """

    found: changes.Changes
    entries: tuple[objects.Entry, ...]
    silent: tuple[str, ...]


def read(found: changes.Changes, old: Mapping[str, bytes], spokes_folder: str) -> Difference:
    """The differences by object; ``old`` holds the bytes of what changes or goes."""
    # What is no file, such as a link to a submodule, has no bytes; it is told by its path.
    before = {path: old.get(path, b"") for path in (*found.changed, *found.removed)}
    by_object, silent = objects.compare_files(before, found.writes, spokes_folder)
    return Difference(found, objects.grouped(by_object), silent)


def shown(value: Any) -> Any:
    """A value as it may be shown: what a Secret holds is not."""
    if isinstance(value, dict):
        return {key: shown(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shown(item) for item in value]
    return str(value) if isinstance(value, objects.Veiled) else value


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


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def more(names: Sequence[str], most: int) -> str:
    """`` +N`` for the names beyond the most that are shown; empty if there are none."""
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
        block = f"\n#### {SILENT}\n\n{_count(len(difference.silent), 'file')}; see `hubctl diff --style fields`.\n"
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
    counts = f"{_count(files, 'file')}, {_count(objects_count, 'object')}"
    spokes = "\n".join(["", *lines, ""]) if lines else ""
    return f"### hubctl diff: {_count(total, 'spoke')} affected\n\n{counts}.\n{spokes}"


def _names(names: Sequence[str]) -> str:
    most = NAMED["summary"]
    return ", ".join(_code(plain(name)[: _WIDEST["name"]]) for name in names[:most]) + more(names, most)


def _block(entry: objects.Entry) -> str:
    most = NAMED["line"]
    named = f"{', '.join(_code(name) for name in entry.spokes[:most])}{more(entry.spokes, most)}"
    where = f"on {_count(len(entry.spokes), 'spoke')}: {named}" if entry.spokes else "on the hub"
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
