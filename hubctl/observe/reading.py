"""Reading predictions: one value an instance into votes, by what is declared of the model's output.

The same for both protocols, which bring the values here. Strict on purpose: KServe writes NaN as ``null``, Go clients
read ``null`` as 0, and some tools count 0 as normal; a broken model would look healthy. What the declaration does not
cover is named and refused, never guessed.
"""

import json
from dataclasses import dataclass
from typing import Any

from hubctl.model.outputs import ANOMALY, NORMAL, Classes, Labels, Reading, Scores
from hubctl.observe import strict
from hubctl.observe.reason import Reason
from hubctl.observe.strict import Malformed

ROUNDING = 1e-3
"""How far single-precision probabilities may be from adding up to 1."""

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """What the values say; fields as in ``Prediction``."""

    labels: tuple[int, ...] = ()
    said: tuple[Any, ...] = ()
    rows: Rows = ()


def read(values: list[Any], output: Reading) -> Read:
    """The votes, or rows, of one value an instance.

    Raises:
        Malformed: a value is not what is declared.
    """
    if output.output == "labels":
        return Read(labels=_sides(values, output.labels), said=tuple(values))
    if output.output == "scores" and output.scores:
        scores = tuple(_score(value, output.scores) for value in values)
        return Read(labels=tuple(_side(score, output.scores) for score in scores), rows=tuple((one,) for one in scores))
    if output.output == "classes" and output.classes:
        named = tuple(_class(value, output.classes) for value in values)
        return Read(labels=tuple(map(output.classes.sides.__getitem__, named)), said=named)
    return Read(rows=_rows(values, output.forecast.width))


def show(value: Any) -> str:
    """What stood in an answer, short enough for a detail."""
    return strict.excerpt(json.dumps(value), 80)


def _sides(values: list[Any], labels: Labels) -> tuple[int, ...]:
    kinds = set(map(type, values))
    if len(kinds) == 1 and (table := labels.sides.get(kinds.pop())):
        # Nearly every answer takes this way, ten times as fast.
        try:
            return tuple(map(table.__getitem__, values))
        except KeyError:
            pass
    return tuple(_label(value, labels) for value in values)


def _label(value: Any, labels: Labels) -> int:
    table = labels.sides.get(type(value), {})
    if not isinstance(value, (list, dict)) and value in table:
        return table[value]
    raise Malformed(_wrong_label(value, labels), f"expected a label of {labels.told}, got {show(value)}")


def _wrong_label(value: Any, labels: Labels) -> Reason:
    if value is None:
        return Reason.LABEL_NULL
    if type(value) in labels.sides and labels != Labels():
        return Reason.LABEL_UNMAPPED
    if isinstance(value, bool):
        return Reason.LABEL_BOOL
    if isinstance(value, str):
        return Reason.LABEL_STRING
    if isinstance(value, (int, float)):
        return Reason.LABEL_NUMBER if value else Reason.LABEL_ZERO
    return Reason.LABEL_TYPE


def _score(value: Any, scores: Scores) -> float:
    found, column = value, scores.column
    if column is None:
        found = value[0] if isinstance(value, list) and len(value) == 1 else value
    elif _has(value, column):
        found = value[column]
    else:
        kind = "an object with the key" if isinstance(column, str) else "a row with a column"
        raise Malformed(Reason.SCORE_COLUMN, f"expected {kind} {column}, got {show(value)}")
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise Malformed(Reason.SCORE_VALUE, f"expected a number as a score, got {show(found)}")
    return float(found)


def _has(value: Any, column: int | str) -> bool:
    if isinstance(column, str):
        return isinstance(value, dict) and column in value
    return isinstance(value, list) and -len(value) <= column < len(value)


def _side(score: float, scores: Scores) -> int:
    over = score > scores.threshold if scores.anomaly_when == "above" else score < scores.threshold
    return ANOMALY if over else NORMAL


def _class(value: Any, classes: Classes) -> str:
    row = _row(value)
    if len(row) != len(classes.names):
        raise Malformed(Reason.ROW_WIDTH, f"expected {len(classes.names)} probabilities in a row, got {len(row)}")
    if min(row) < -ROUNDING or abs(sum(row) - 1) > ROUNDING:
        raise Malformed(Reason.NOT_PROBABILITIES, f"expected probabilities that add up to 1, got {show(value)}")
    return classes.names[row.index(max(row))]


def _rows(values: list[Any], width: int | None) -> Rows:
    """Rows of one width; plain numbers are rows of one."""
    flat = all(isinstance(row, (int, float)) for row in values)
    rows = tuple(_row([row] if flat else row) for row in values)
    if len(widths := {len(row) for row in rows}) > 1:
        raise Malformed(Reason.ROW_WIDTH, f"expected rows of one width, got {min(widths)} and {max(widths)}")
    if width and widths and widths != {width}:
        raise Malformed(Reason.ROW_WIDTH, f"expected {width} numbers in a row, got {widths.pop()}")
    return rows


def _row(row: Any) -> tuple[float, ...]:
    if not isinstance(row, list):
        raise Malformed(Reason.ROW_TYPE, f"expected a row of numbers, got {show(row)}")
    if not row:
        raise Malformed(Reason.ROW_WIDTH, "expected at least one number in a row, got none")
    for value in row:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise Malformed(Reason.ROW_VALUE, f"expected a number in a row, got {show(value)}")
    return tuple(map(float, row))
