"""Packed: the observations of a round as few bytes, between a worker that polled and the leader, and in the store.

Columns instead of records, and each text once: what predictors answer differs in few places. Pure and exact: what was
packed comes back equal, in the same order.
"""

import json
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter

from hubctl.model.predictor import Observation, Outcome, Tried

_MAGIC = b"HO1"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TEXTS = ("cluster", "model", "version", "outcome", "reason", "detail", "window", "served_version", "route")
_DIGEST = 32
"""Characters of a window's digest; half as many bytes when packed."""

_NONE = "0" * _DIGEST
_COLUMNS = "IIIIIIIIIIqdIIB"
"""Codes of ``array``: places of the texts and of what was tried, then at, latency, instances, anomalies, votes."""


def pack(observations: Sequence[Observation]) -> bytes:
    """The bytes that :func:`unpack` reads."""
    texts: dict[str, int] = {"": 0}
    tried: dict[tuple[Tried, ...], int] = {(): 0}
    digests = _digests([one.window for one in observations])
    columns: list[Iterable[float]] = []
    for name in _TEXTS:
        column = ("",) * len(observations) if name == "window" and digests is not None else _column(observations, name)
        for text in dict.fromkeys(column):
            texts.setdefault(text, len(texts))
        columns.append([texts[text] for text in column])
    columns += [
        [tried.setdefault(one.tried, len(tried)) for one in observations],
        [(one.at - _EPOCH) // _MICROSECOND for one in observations],
        [one.latency_ms for one in observations],
        [one.instances for one in observations],
        [one.anomalies for one in observations],
        [one.votes for one in observations],
    ]
    ways = [[(way.route, way.outcome, way.reason, way.detail) for way in each] for each in tried]
    head = json.dumps([len(observations), list(texts), ways, digests is not None]).encode()
    body = b"".join(_bytes(code, column) for code, column in zip(_COLUMNS, columns, strict=True))
    return _MAGIC + zlib.compress(len(head).to_bytes(4, "little") + head + body + (digests or b""), 1)


def unpack(data: bytes) -> tuple[Observation, ...]:
    """The observations that were packed.

    Raises:
        ValueError: the bytes are not of this format, or not whole.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError(f"expected packed observations, found bytes that begin with {data[:3]!r}")
    try:
        plain = zlib.decompress(data[len(_MAGIC) :])
    except zlib.error as error:
        raise ValueError(f"expected packed observations, found {len(data)} bytes that are damaged: {error}") from error
    start = 4 + int.from_bytes(plain[:4], "little")
    count, texts, ways, packed = json.loads(plain[4:start])
    columns = []
    for code in _COLUMNS:
        column = array(code)
        end = start + count * column.itemsize
        column.frombytes(plain[start:end])
        if sys.byteorder == "big":
            column.byteswap()
        columns.append(column)
        start = end
    *named, tried, at, latency, instances, anomalies, votes = columns
    said = dict(zip(_TEXTS, ([texts[place] for place in column] for column in named), strict=True))
    if packed:
        said["window"] = _windows(plain[start:])
    outcomes = {word: Outcome(word) for word in set(said["outcome"])}
    attempts = [tuple(Tried(route, Outcome(out), *rest) for route, out, *rest in each) for each in ways]
    return tuple(
        Observation(
            cluster=said["cluster"][n],
            model=said["model"][n],
            version=said["version"][n],
            at=_EPOCH + timedelta(microseconds=at[n]),
            outcome=outcomes[said["outcome"][n]],
            reason=said["reason"][n],
            detail=said["detail"][n],
            window=said["window"][n],
            instances=instances[n],
            anomalies=anomalies[n],
            latency_ms=latency[n],
            votes=bool(votes[n]),
            served_version=said["served_version"][n],
            route=said["route"][n],
            tried=attempts[tried[n]],
        )
        for n in range(count)
    )


def _column(observations: Sequence[Observation], name: str) -> Sequence[str]:
    return tuple(map(attrgetter(name), observations))


def _digests(windows: Sequence[str]) -> bytes | None:
    """All windows, each as the bytes of its digest; None when one is no digest."""
    joined = "".join([window or _NONE for window in windows])
    if len(joined) != _DIGEST * len(windows) or not all(len(window) in (0, _DIGEST) for window in windows):
        return None
    try:
        data = bytes.fromhex(joined)
    except ValueError:
        return None
    return data if data.hex() == joined and _NONE not in windows else None


def _windows(data: bytes) -> list[str]:
    text = data.hex()
    found = (text[place : place + _DIGEST] for place in range(0, len(text), _DIGEST))
    return ["" if window == _NONE else window for window in found]


def _bytes(code: str, values: Iterable[float]) -> bytes:
    column = array(code, values)
    if sys.byteorder == "big":
        column.byteswap()
    return column.tobytes()
