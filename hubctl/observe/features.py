"""Rows from text: what a file or a command says, into a Window with a digest.

Pure, so that the same text always has the same digest: two polls of one window are one vote, whatever the spelling
of its numbers. No value is invented: a gap or a word among the numbers voids the whole text.
"""

import csv
import hashlib
import io
import json
import math
import re
from array import array
from itertools import chain
from typing import Any

from hubctl.model.predictor import Window
from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

_DIGEST = 32
"""Hexadecimal digits: 128 bits tell more windows apart than a fleet ever sees."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class NoWindow(Malformed):
    """There are no rows to send; ``reason`` becomes the observation's."""


def parse(text: str) -> Window:
    """The rows of a text: JSON if it begins like JSON, CSV otherwise.

    Raises:
        NoWindow: there are no rows, or they are not equal-length rows of finite numbers.
    """
    return parse_json(text) if text.lstrip()[:1] in ("[", "{") else parse_csv(text)


def parse_json(text: str) -> Window:
    """The rows of a JSON list of rows, or of ``{"instances": [[…]], "window": "…"}``.

    ``window`` is any text that names the rows, such as their end time; it is then part of the digest.

    Raises:
        NoWindow: as ``parse``.
    """
    try:
        value = strict.parse(text.encode(errors="surrogatepass"))
    except Malformed as error:
        raise _invalid(error.detail) from error
    name = ""
    if isinstance(value, dict):
        if unknown := sorted(value.keys() - {"instances", "window"}):
            raise _invalid(f"expected the keys `instances` and `window`, found {strict.excerpt(unknown[0], 60)}")
        name, value = value.get("window", ""), value.get("instances")
    if not isinstance(name, str):
        raise _invalid(f"expected `window` to be a text, got {_show(name)}")
    if not isinstance(value, list):
        raise _invalid(f"expected a list of rows, got {_show(value)}")
    return _window([_json_row(row, number) for number, row in enumerate(value, 1)], name)


def parse_csv(text: str) -> Window:
    """The rows of comma-separated values; a first line without any number is a header.

    Raises:
        NoWindow: as ``parse``.
    """
    try:
        lines = [line for line in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True) if line]
    except csv.Error as error:
        raise _invalid(f"expected comma-separated numbers: {error}") from error
    header = bool(lines) and not any(map(_looks_numeric, lines[0]))
    rows = lines[1:] if header else lines
    return _window([_csv_row(row, number) for number, row in enumerate(rows, 1)], "")


def _window(rows: list[tuple[float, ...]], name: str) -> Window:
    if not rows:
        raise NoWindow(Reason.NO_ROWS, "expected at least one row, found none")
    for number, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise _invalid(f"row {number}: expected {len(rows[0])} numbers as in row 1, found {len(row)}")
    said = hashlib.sha256(f"{len(rows[0])} {len(name)} {name}".encode(errors="surrogatepass"))
    said.update(array("d", chain.from_iterable(rows)).tobytes())
    return Window(instances=tuple(rows), digest=said.hexdigest()[:_DIGEST])


def _json_row(row: Any, number: int) -> tuple[float, ...]:
    if not isinstance(row, list) or not row:
        raise _invalid(f"row {number}: expected a list of numbers, got {_show(row)}")
    for value in row:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise _invalid(f"row {number}: expected a number, got {_show(value)}")
    return _canonical(map(float, row))


def _csv_row(row: list[str], number: int) -> tuple[float, ...]:
    cells = [cell.strip() for cell in row]
    for cell in cells:
        if not (_NUMBER.fullmatch(cell) and len(cell) <= strict.MAX_NUMBER and math.isfinite(float(cell))):
            raise _invalid(f"row {number}: expected a finite number, got {strict.excerpt(cell, 60)!r}")
    return _canonical(map(float, cells))


def _canonical(values: "map[float]") -> tuple[float, ...]:
    # Adding zero turns -0.0 into 0.0, which is the same measurement.
    return tuple(value + 0.0 for value in values)


def _looks_numeric(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()
    return True


def _invalid(detail: str) -> NoWindow:
    return NoWindow(Reason.FEATURES_INVALID, detail)


def _show(value: Any) -> str:
    return strict.excerpt(json.dumps(value), 60)
