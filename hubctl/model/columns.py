"""Columns: many records as few bytes, column by column, and back, exactly.

Apart from what the records are: ``packed`` has columns of observations, the store those of health and of hours. What
repeats is written once: a constant column costs a few bytes, one of few words a byte a row. Pure.
"""

import json
import struct
import sys
import zlib
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from typing import Any, TypeVar

T = TypeVar("T")

_MAGIC = b"HC1"
_FRONT = struct.Struct("<3sII")
"""The magic, the checksum of all that follows, and the length of the head."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EXACT = 2.0**32
"""Seconds since the epoch below which a double tells microseconds apart."""

_DIGEST = 32
"""Characters of a window's digest; half as many bytes when packed."""

_NONE = "0" * _DIGEST
_LOOK = 64
"""Rows that tell whether it is worth while to look at all of them."""

_FEW = 8
"""A column of times is patched, not written anew, while no more than one in so many differs."""

Encoded = tuple[str, Any, bytes]
"""How a column is written, what its head says of it, and its bytes."""


class Writer:
    """Writes sheets of the same columns again and again; a column that stayed as it was is not encoded anew."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Sequence[Any], Encoded]] = {}
        self._times: tuple[Sequence[Any], Encoded] | None = None

    def write(self, columns: Mapping[str, tuple[str, Sequence[Any]]]) -> bytes:
        """The bytes that :func:`read` reads.

        Args:
            columns: by name, the kind (``term``, ``digest``, ``instant``, ``whole`` or ``number``) and one value a row.
        """
        head: dict[str, list[Any]] = {}
        parts: list[bytes] = []
        for name, (kind, values) in columns.items():
            code, more, data = self._encoded(name, kind, values)
            head[name] = [code, more, len(data)]
            parts.append(data)
        count = len(next(iter(columns.values()))[1]) if columns else 0
        first = json.dumps([count, head], separators=(",", ":")).encode()
        body = b"".join([first, *parts])
        return _FRONT.pack(_MAGIC, zlib.crc32(body), len(first)) + body

    def _encoded(self, name: str, kind: str, values: Sequence[Any]) -> Encoded:
        before = self._kept.get(name)
        if before is not None and before[0] == values:
            return before[1]
        made: Encoded | None = None
        if kind == "instant":
            # The time of an observation is the time at which its predictor was last seen.
            twin = self._times is not None and self._times[0] == values
            made = self._times[1] if twin and self._times else _patched(before, values)
        made = made or _shortest(_ENCODERS[kind](values), len(values))
        if kind == "instant":
            self._times = values, made
        self._kept[name] = values, made
        return made


@dataclass(frozen=True, slots=True)
class Sheet:
    """Columns that were read; each is decoded when it is asked for."""

    count: int
    heads: Mapping[str, tuple[str, Any, int, int]]
    body: bytes

    def column(self, name: str, default: Any = None) -> Sequence[Any]:
        """The values of a column, one a row; the default in each row where there is no such column.

        Raises:
            ValueError: it is not whole.
        """
        if name not in self.heads:
            return [default] * self.count
        code, more, start, length = self.heads[name]
        data = self.body[start : start + length]
        if code.startswith("="):
            data, code = data * self.count, code[1:]
        found: Sequence[Any] = _DECODERS[code](data, more)
        if len(found) != self.count:
            raise ValueError(f"expected {self.count} rows of {name}, found {len(found)}")
        return found

    def terms(self, name: str) -> tuple[Sequence[Any], Sequence[int]]:
        """The different values of a ``term`` column, and for each row which of them it is."""
        code, more, start, length = self.heads[name]
        data = self.body[start : start + length]
        if code.startswith("="):
            data, code = data * self.count, code[1:]
        return more, _numbers(code[1:], data)


def read(data: bytes) -> Sheet:
    """The columns that were written.

    Raises:
        ValueError: the bytes are not of this format, not whole or not as they were written.
    """
    if len(data) < _FRONT.size or data[: len(_MAGIC)] != _MAGIC:
        raise ValueError(f"expected packed columns, found {len(data)} bytes that begin with {data[:3]!r}")
    _, checksum, length = _FRONT.unpack_from(data)
    body = data[_FRONT.size :]
    if zlib.crc32(body) != checksum:
        raise ValueError(f"expected packed columns, found {len(data)} bytes that are damaged")
    count, head = json.loads(body[:length])
    heads, start = {}, length
    for name, (code, more, size) in head.items():
        heads[name] = code, more, start, size
        start += size
    return Sheet(count, heads, body)


def build(kind: type[T], count: int, columns: Mapping[str, Iterable[Any]]) -> list[T]:
    """Frozen records with slots, filled column by column: a fifth of what calling the class so often costs.

    Args:
        kind: a dataclass.
        count: of records.
        columns: by field; a field without a column takes its default.
    """
    made = list(map(object.__new__, repeat(kind, count)))
    for field in fields(kind):  # type: ignore[arg-type]  # T is a dataclass
        values = columns.get(field.name)
        if values is None:
            if field.default is MISSING:
                raise ValueError(f"expected a column {field.name} of {kind.__name__}")
            values = repeat(field.default, count)
        deque(map(vars(kind)[field.name].__set__, made, values), maxlen=0)
    return made


def _patched(before: tuple[Sequence[Any], Encoded] | None, values: Sequence[datetime]) -> Encoded | None:
    """The column before with the times that differ; None when too many do."""
    if before is None or before[1][0] != "t" or len(before[0]) != len(values):
        return None
    old, (code, more, data) = before
    if sum(was is not now for was, now in zip(old[:_LOOK], values[:_LOOK], strict=True)) * 2 > _LOOK:
        return None
    moved = [place for place, (was, now) in enumerate(zip(old, values, strict=True)) if was is not now]
    if len(moved) * _FEW > len(values):
        return None
    times = _numbers("d", data)
    for place in moved:
        times[place] = values[place].timestamp()
        if not 0 <= times[place] < _EXACT:
            return None
    return code, more, _bytes(times)


def _shortest(encoded: Encoded, count: int) -> Encoded:
    """The same with one row's bytes for all, where they are all the same."""
    code, more, data = encoded
    size = len(data) // count if count else 0
    same = size and data == data[:size] * count
    return (f"={code}", more, data[:size]) if same else encoded


def _terms(values: Sequence[Any]) -> Encoded:
    places = {term: place for place, term in enumerate(dict.fromkeys(values))}
    code, data = _whole_numbers(list(map(places.__getitem__, values)))
    return f"w{code}", list(places), data


def _whole(values: Sequence[int]) -> Encoded:
    try:
        code, data = _whole_numbers(values)
    except OverflowError:
        return "j", list(values), b""
    return f"n{code}", None, data


def _whole_numbers(values: Sequence[int]) -> tuple[str, bytes]:
    try:
        return "B", bytes(values)
    except ValueError:
        pass
    for code in "HI":
        try:
            return code, _bytes(array(code, values))
        except OverflowError:
            pass
    return "q", _bytes(array("q", values))


def _floats(values: Sequence[float]) -> Encoded:
    return "nd", None, _bytes(array("d", values))


def _times(values: Sequence[datetime]) -> Encoded:
    times = array("d", [value.timestamp() for value in values])
    if not times or (min(times) >= 0 and max(times) < _EXACT):
        return "t", None, _bytes(times)
    return "u", None, _bytes(array("q", [(value - _EPOCH) // _MICROSECOND for value in values]))


def _digests(values: Sequence[str]) -> Encoded:
    """Each digest as its bytes; as terms when one is no digest."""
    if not {0, _DIGEST}.issuperset(map(len, values)) or _NONE in values:
        return _terms(values)
    joined = "".join([value or _NONE for value in values])
    try:
        data = bytes.fromhex(joined)
    except ValueError:
        return _terms(values)
    # Capitals and blanks are read too, but would not come back.
    return ("x", None, data) if data.hex() == joined else _terms(values)


def _numbers(code: str, data: bytes) -> "array[Any]":
    column: array[Any] = array(code)
    column.frombytes(data)
    if sys.byteorder == "big":
        column.byteswap()
    return column


def _bytes(column: "array[Any]") -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()


def _read_terms(code: str, data: bytes, terms: Sequence[Any]) -> list[Any]:
    return list(map(terms.__getitem__, _numbers(code, data)))


def _read_numbers(code: str, data: bytes, _: Any) -> Sequence[Any]:
    return _numbers(code, data)


def _read_times(data: bytes, _: Any) -> list[datetime]:
    return [datetime.fromtimestamp(seconds, UTC) for seconds in _numbers("d", data)]


def _read_microseconds(data: bytes, _: Any) -> list[datetime]:
    return [_EPOCH + timedelta(microseconds=each) for each in _numbers("q", data)]


def _read_digests(data: bytes, _: Any) -> list[str]:
    text = data.hex()
    found = (text[place : place + _DIGEST] for place in range(0, len(text), _DIGEST))
    return ["" if window == _NONE else window for window in found]


def _read_listed(_: bytes, values: Sequence[int]) -> Sequence[int]:
    return values


_ENCODERS: Mapping[str, Callable[[Sequence[Any]], Encoded]] = {
    "term": _terms,
    "digest": _digests,
    "instant": _times,
    "whole": _whole,
    "number": _floats,
}
_DECODERS: Mapping[str, Callable[[bytes, Any], Sequence[Any]]] = {
    "t": _read_times,
    "u": _read_microseconds,
    "x": _read_digests,
    "j": _read_listed,
    **{f"w{code}": partial(_read_terms, code) for code in "BHIq"},
    **{f"n{code}": partial(_read_numbers, code) for code in "BHIqd"},
}
