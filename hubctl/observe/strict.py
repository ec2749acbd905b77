"""Strict JSON: text from outside into plain values, with every ambiguity refused.

Apart from the protocol because rows and answers need the same care. Python's parser takes NaN, keeps the last of two
equal keys and spends quadratic time on long integers; none of that may decide what a predictor said.
"""

import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

import orjson

from hubctl.observe.reason import Reason

MAX_DEPTH = 32
"""Lists and objects within each other; an honest answer has three."""

MAX_NUMBER = 64
"""Characters of one number; a float's shortest exact form has 24."""

_OF_NUMBERS = bytes(48 if chr(code) in "0123456789+-.eE" else 32 for code in range(256))
_TOO_LONG = b"0" * (MAX_NUMBER + 1)
"""With digits and their like made zeros and all else spaces, a text with this in it may hold too long a number."""

_WIDE = 2.0**63
"""From here on, orjson makes a float of an integer."""

_NUMBERS = frozenset({int, float})

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]+")
"""RFC 6750's b68token, which cannot smuggle a header."""

_EXCERPT = 200
"""Characters of foreign text that a detail may hold."""


class Malformed(Exception):  # noqa: N818 - named after the outcome it becomes
    """Text that is not what it should be; ``reason`` is stable, ``detail`` is for people."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def excerpt(text: str, limit: int = _EXCERPT) -> str:
    """Foreign text made safe to show: one line, printable characters only, at most ``limit`` of them."""
    seen = text[: 4 * limit].split()
    line = "".join(char for char in " ".join(seen) if char.isprintable())
    return line if len(line) <= limit and len(text) <= 4 * limit else f"{line[: limit - 1]}…"


def bearer(text: str) -> str:
    """The bearer token that a text is, without the space around it; empty when it is none."""
    token = text.strip()
    return token if _TOKEN.fullmatch(token) else ""


def dump(value: Any) -> bytes:
    """The JSON text of texts, lists, objects and finite numbers, without spaces.

    Raises:
        ValueError: a number is not finite.
    """
    data = orjson.dumps(value)
    if b"null" in data:  # how orjson writes NaN
        json.dumps(value, allow_nan=False)
    return data


def parse(data: bytes) -> Any:
    """The value that the bytes of a JSON text hold; objects are dicts, numbers are finite.

    Raises:
        Malformed: not UTF-8, a byte order mark, a syntax error, a key twice, NaN or infinity, a number or a nesting
            beyond our bounds.
    """
    if b"\\" not in data and _TOO_LONG not in data.translate(_OF_NUMBERS):
        try:
            value = orjson.loads(data)
        except orjson.JSONDecodeError:
            return _parse(data)  # which says what is wrong
        # With no escapes about, every other quote ends a text: as many as there should be, and no key was dropped.
        if data.count(b'"') == 2 * _texts(value):
            return value
    return _parse(data)


def _texts(value: Any) -> int:
    """How many keys and texts a value has; -1 for one nested too deep, or with a number that orjson changes."""
    found, level = 0, [value]
    for _ in range(MAX_DEPTH + 1):
        below: list[Any] = []
        for each in level:
            if isinstance(each, list):
                kinds = set(map(type, each))
                if not kinds <= _NUMBERS:
                    below += each
                elif float in kinds and (max(each) >= _WIDE or min(each) <= -_WIDE):
                    return -1
            elif isinstance(each, dict):
                found += len(each)
                below += each.values()
            elif isinstance(each, str):
                found += 1
            elif isinstance(each, float) and abs(each) >= _WIDE:
                return -1
        if not below:
            return found
        level = below
    return -1


def _parse(data: bytes) -> Any:
    """The same for any text, and what is wrong with one: twenty times as dear."""
    if data.startswith(b"\xef\xbb\xbf"):
        raise Malformed(Reason.BYTE_ORDER_MARK, "expected JSON without a byte order mark")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Malformed(Reason.NOT_UTF8, f"expected UTF-8, found byte {data[error.start]:#04x}") from error
    try:
        value = json.loads(
            text, parse_int=_integer, parse_float=_real, parse_constant=_constant, object_pairs_hook=_object
        )
    except RecursionError as error:
        raise _too_deep() from error
    except json.JSONDecodeError as error:
        raise Malformed(Reason.SYNTAX, f"{error.msg} at character {error.pos}: {excerpt(text)}") from error
    _check_depth(value)
    return value


def _bounded(text: str) -> str:
    if len(text) > MAX_NUMBER:
        raise Malformed(
            Reason.NUMBER_TOO_LONG, f"expected at most {MAX_NUMBER} characters in a number, got {len(text)}"
        )
    return text


def _integer(text: str) -> int:
    return int(_bounded(text))


def _real(text: str) -> float:
    value = float(_bounded(text))
    if not math.isfinite(value):
        raise Malformed(Reason.NOT_FINITE, f"expected finite numbers, found {text}")
    return value


def _constant(text: str) -> NoReturn:
    raise Malformed(Reason.NOT_FINITE, f"expected finite numbers, found {text}")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Malformed(Reason.DUPLICATE_KEY, f"expected each key once, found {excerpt(name, 60)!r} again")
        found[name] = value
    return found


def _check_depth(value: Any) -> None:
    # Level by level instead of recursion: the parser's own limit depends on how deep our caller already is.
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [child for each in level for child in _children(each) if isinstance(child, (list, dict))]
        if not level:
            return
    raise _too_deep()


def _children(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _too_deep() -> Malformed:
    return Malformed(Reason.NESTING, f"expected at most {MAX_DEPTH} lists and objects within each other")
