"""Rows and answers that a person hands over to be recorded: CSV with the answers in the last column, or JSON.

Pure. Apart from ``golden``, which knows the file that hubctl keeps.
"""

import csv
import io
import json
import math
import re
from collections.abc import Sequence
from typing import Any

from hubctl.errors import InputError
from hubctl.inputs.document import decode

EXPECTED = "expected"
"""Heading of the column with the answers."""

_INTEGER = re.compile(r"[+-]?\d{1,18}")
_WORDS = {"true": True, "false": False}

Rows = tuple[tuple[float, ...], ...]


def rows_of(data: bytes, name: str) -> tuple[Rows, tuple[Any, ...] | None]:
    """The rows of a file, and its answers where it has any.

    CSV has them in a last column with the heading ``expected``; JSON is a list of rows, or
    ``{"rows": [[…]], "expected": […]}``.

    Raises:
        InputError: these are no rows of finite numbers.
    """
    text = decode(data, name)
    if text.lstrip()[:1] in ("[", "{"):
        found = _json(text, name)
        value = found if isinstance(found, dict) else {"rows": found}
        answers = value.get(EXPECTED)
        if not isinstance(value.get("rows"), list) or not isinstance(answers, list | None):
            raise _wrong(name, 1, 'expected a list of rows, or {"rows": [[…]], "expected": […]}')
        rows = tuple(_row(row, name, 1, place) for place, row in enumerate(value["rows"], 1))
        return _filled(rows, name), None if answers is None else tuple(map(_answer, answers))
    lines = _lines(text, name)
    labelled = bool(lines) and lines[0][1][-1].strip() == EXPECTED
    header = labelled or (bool(lines) and not any(map(_is_number, lines[0][1])))
    kept = lines[1:] if header else lines
    cells = [(line, row[:-1] if labelled else row) for line, row in kept]
    rows = tuple(_row(row, name, line, place) for place, (line, row) in enumerate(cells, 1))
    return _filled(rows, name), tuple(_said(row[-1]) for _, row in kept) if labelled else None


def answers_of(data: bytes, name: str) -> tuple[Any, ...]:
    """The answers of a file: a JSON list, or the last column of CSV, with a heading or without.

    Raises:
        InputError: there are none.
    """
    text = decode(data, name)
    if text.lstrip()[:1] in ("[", "{"):
        found = _json(text, name)
        answers = found.get(EXPECTED) if isinstance(found, dict) else found
        if not isinstance(answers, list) or not answers:
            raise _wrong(name, 1, 'expected a list of answers, or {"expected": […]}')
        return tuple(map(_answer, answers))
    lines = _lines(text, name)
    kept = lines[1:] if lines and lines[0][1][-1].strip() == EXPECTED else lines
    if not kept:
        raise _wrong(name, 1, "expected an answer a line, found none")
    return tuple(_said(row[-1]) for _, row in kept)


def _lines(text: str, name: str) -> list[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise _wrong(name, reader.line_num, f"expected comma-separated values: {error}") from error


def _json(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        raise _wrong(name, line, f"expected JSON: {error}") from error


def _row(row: Sequence[Any], name: str, line: int, place: int) -> tuple[float, ...]:
    if not isinstance(row, list) or not row:
        raise _wrong(name, line, f"expected row {place} to be a list of numbers, found {row!r:.60}")
    for value in row:
        if not _is_number(value):
            raise _wrong(name, line, f"expected finite numbers in row {place}, found {value!r:.60}")
    return tuple(float(value) for value in row)


def _filled(rows: Rows, name: str) -> Rows:
    if not rows:
        raise _wrong(name, 1, "expected at least one row, found none")
    return rows


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return False
    try:
        return math.isfinite(float(value))
    except ValueError:
        return False


def _said(cell: str) -> bool | int | float | str:
    """An answer in CSV: a number or true or false where it is written as one, else text."""
    text = cell.strip()
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _is_number(text) else text


def _answer(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _wrong(name: str, line: int, message: str) -> InputError:
    hint = "give rows of numbers, and the answers in a last column with the heading expected"
    return InputError(message, where=f"{name}:{line}", hint=hint)
