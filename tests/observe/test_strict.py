"""The quick way through JSON against the plain one: the same value or the same refusal, for every text."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.observe import strict
from hubctl.observe.strict import Malformed

NUMBERS = st.one_of(
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -0.0, 2**63, 2**63 - 1, -(2**63), 2**64, -(2**63) - 1, 1e308, 5e-324]),
)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
PIECES = st.sampled_from(
    ["{", "}", "[", "]", ",", ":", '"a"', '"a":', '"b":', "1", "-0", "1.5", "1e400", "-1E-2", "NaN", "null", "true",
     "0" * 19, "9" * 25, "1" * 65, "01", "1.", " ", "\n", "\\", '"\\u0061":', "\ufeff", "\x00", '"é"']
)  # fmt: skip


def told(parse: Any, data: bytes) -> Any:
    """What comes of a text, so that equal things are equal: type and sign of numbers count."""
    try:
        return repr(parse(data))
    except Malformed as error:
        return error.reason, error.detail


@given(VALUES, st.sampled_from([None, 1]))
def test_every_value_is_read_alike(value: Any, indent: int | None) -> None:
    data = json.dumps(value, ensure_ascii=False, indent=indent).encode(errors="surrogatepass")
    assert told(strict.parse, data) == told(strict._parse, data)


@given(st.lists(PIECES, max_size=12).map("".join))
def test_every_text_is_read_or_refused_alike(text: str) -> None:
    assert told(strict.parse, text.encode()) == told(strict._parse, text.encode())


@given(st.binary(max_size=12))
def test_any_bytes_are_refused_alike(data: bytes) -> None:
    assert told(strict.parse, data) == told(strict._parse, data)


@pytest.mark.parametrize("depth", [31, 32, 33, 2000, 100_000])
def test_nesting_is_bounded_alike(depth: int) -> None:
    for data in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        assert told(strict.parse, data) == told(strict._parse, data)


def test_key_that_stands_twice_is_refused_beside_texts_that_could_hide_it() -> None:
    assert told(strict.parse, b'{"a":"b","a":"c"}') == ("duplicate_key", "expected each key once, found 'a' again")


@given(st.lists(st.lists(st.floats() | st.integers(-5, 5), max_size=3), max_size=3))
def test_dump_writes_finite_numbers_and_nothing_else(rows: list[list[float]]) -> None:
    if all(math.isfinite(value) for row in rows for value in row):
        assert json.loads(strict.dump({"instances": rows})) == {"instances": rows}
    else:
        with pytest.raises(ValueError, match="not JSON compliant"):
            strict.dump({"instances": rows})
