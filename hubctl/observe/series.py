"""Series: the bytes of an answer to a range query, into each spoke's values on the grid that was asked for.

Pure, and apart from the strict JSON of predictors because of size: ten thousand spokes are megabytes, and a parser in
Python takes a second for what orjson does in twenty milliseconds. Where it is lenient, with keys that stand twice,
nothing depends on it; a spoke that stands twice is found here.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

import orjson

from hubctl.observe import strict
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason
from hubctl.observe.recipes import Grid, Missed, Points

_NUMBERS = re.compile(r"[-+0-9.eE,INafn]*")
"""What a comma-separated list of Go's floats is made of; Python's float() would also take underscores."""

_HARMLESS = "PromQL info"
"""How Prometheus 2.48 to 2.52 begin remarks that are no warnings, among them."""


@dataclass(slots=True)
class Reading:
    """One answer.

    Attributes:
        found: by spoke; only those that were asked for.
        unlabelled: whether a series says of no spoke that it is its own.
        empty: whether there is no series at all.
    """

    found: dict[str, Points | Missed] = field(default_factory=dict)
    unlabelled: bool = False
    empty: bool = False


def read(data: bytes | bytearray, grid: Grid, *, label: str, wanted: Collection[str]) -> Reading:
    """What an answer says.

    Args:
        data: the body.
        grid: that was asked for.
        label: that holds a spoke's name; empty where the whole answer is about the one spoke that is wanted.
        wanted: the spokes that were asked for.

    Raises:
        NoWindow: it is no whole answer to a range query.
    """
    series = _result(data)
    made = Reading(empty=not series)
    expected = list(range(grid.start, grid.end + 1, grid.step))
    only = "" if label else next(iter(wanted))
    for one in series:
        labels, values = (one.get("metric"), one.get("values")) if isinstance(one, dict) else (None, None)
        if not isinstance(labels, dict) or not isinstance(values, list):
            raise _malformed("expected series with metric and values, found something else, such as histograms")
        name = labels.get(label) if label else only
        if not name or not isinstance(name, str):
            made.unlabelled = True
        elif name in made.found:
            told = f"several series, such as {_shown(labels)}: the query has to make one of them"
            made.found[name] = Missed(Reason.METRICS_AMBIGUOUS, told)
        elif name in wanted:
            made.found[name] = _points(values, expected)
    return made


def _result(data: bytes | bytearray) -> list[Any]:
    """The series of a whole answer.

    Raises:
        NoWindow: it is none.
    """
    try:
        answer = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _malformed(f"{error}: {strict.excerpt(data[:200].decode(errors='replace'))}") from error
    if not isinstance(answer, dict) or answer.get("status") not in ("success", "error"):
        raise _malformed(
            f"expected the Prometheus API's status, got {strict.excerpt(data[:200].decode(errors='replace'))}"
        )
    if answer["status"] == "error":
        raise NoWindow(Reason.METRICS_REFUSED, complaint(answer))
    told = answer.get("warnings") or []
    warnings = [text for text in (told if isinstance(told, list) else [told]) if not str(text).startswith(_HARMLESS)]
    if warnings or answer.get("isPartial"):
        raise NoWindow(Reason.METRICS_PARTIAL, strict.excerpt(str(warnings[0])) if warnings else "isPartial is true")
    found = answer.get("data")
    if not isinstance(found, dict) or found.get("resultType") != "matrix" or not isinstance(found.get("result"), list):
        raise _malformed("expected a matrix, got another type of result")
    result: list[Any] = found["result"]
    return result


def complaint(answer: Any) -> str:
    """What an error of the API says."""
    if not isinstance(answer, dict):
        return ""
    return strict.excerpt(": ".join(str(answer[key]) for key in ("errorType", "error") if answer.get(key)))


def _points(values: list[Any], expected: list[int]) -> Points:
    """A series on the grid.

    Raises:
        NoWindow: a value is no number as Prometheus writes it, or its time was not asked for.
    """
    try:
        times, texts = [time for time, _ in values], [text for _, text in values]
        if not _NUMBERS.fullmatch(",".join(texts)):
            raise _malformed(f"expected numbers, found {_shown(texts)}")
        numbers = tuple(map(float, texts))
    except (TypeError, ValueError) as error:
        raise _malformed(f"expected pairs of time and number, found {_shown(values)}") from error
    if times == expected:
        return numbers
    by_time = dict(zip(times, numbers, strict=True))
    if len(by_time) != len(times) or not by_time.keys() <= set(expected):
        raise _malformed(f"expected times from {expected[0]} to {expected[-1]}, each once, found {_shown(times)}")
    return tuple(by_time.get(moment) for moment in expected)


def _malformed(detail: str) -> NoWindow:
    return NoWindow(Reason.METRICS_MALFORMED, detail)


def _shown(value: Any) -> str:
    return strict.excerpt(str(value), 80)
