import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.observe import features
from hubctl.observe.features import NoWindow
from hubctl.observe.reason import Reason

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(FINITE, min_size=width, max_size=width), min_size=1, max_size=5)
)


def reason_of(text: str) -> Reason:
    with pytest.raises(NoWindow) as caught:
        features.parse(text)
    return caught.value.reason


def test_json_list_of_rows_is_a_window() -> None:
    assert features.parse("[[1, 2], [3, 4.5]]").instances == ((1.0, 2.0), (3.0, 4.5))


def test_named_window_is_part_of_the_digest() -> None:
    plain = features.parse("[[1]]")
    noon = features.parse('{"instances": [[1]], "window": "12:00"}')
    later = features.parse('{"instances": [[1]], "window": "12:05"}')
    assert len({plain.digest, noon.digest, later.digest}) == 3
    assert plain.instances == noon.instances


def test_digest_is_of_the_numbers_not_of_their_spelling() -> None:
    spellings = ["[[1, 0]]", "[[1.0, -0.0]]", ' {"instances": [[1e0, 0]]}', "1,0\n", "a,b\r\n1.0,+0\r\n"]
    assert len({features.parse(text).digest for text in spellings}) == 1


def test_csv_header_is_left_out() -> None:
    assert features.parse_csv("\ufeffcpu,mem\n0.5,1e3\n.25,-2\n").instances == ((0.5, 1000.0), (0.25, -2.0))


@pytest.mark.parametrize("text", ["", "\n", "[]", '{"instances": []}', "cpu,mem\n"])
def test_no_rows_has_its_own_reason(text: str) -> None:
    assert reason_of(text) == Reason.NO_ROWS


@pytest.mark.parametrize(
    "text",
    [
        "[1, 2]",
        "[[]]",
        "[[1], [1, 2]]",
        "[[null]]",
        "[[true]]",
        '[["1"]]',
        "[[NaN]]",
        "[[1e999]]",
        "{}",
        '{"instances": [[1]], "rows": 2}',
        '{"instances": [[1]], "window": 5}',
        '{"instances": [[1]], "instances": [[2]]}',
        "[[1]",
        "1,2\n3\n",
        "1,\n",
        "1,x\n",
        "nan,1\n",
        "1_000\n",
        "a,b\n1,inf\n",
        '"a\n',
    ],
)
def test_gap_or_word_among_the_numbers_voids_the_text(text: str) -> None:
    assert reason_of(text) == Reason.FEATURES_INVALID


@given(ROWS)
def test_json_and_csv_of_the_same_rows_are_one_window(rows: list[list[float]]) -> None:
    lines = "\n".join(",".join(map(repr, row)) for row in rows)
    assert features.parse_csv(lines) == features.parse_json(json.dumps(rows))


@given(st.text())
def test_any_text_is_a_window_or_has_none(text: str) -> None:
    try:
        window = features.parse(text)
    except NoWindow:
        return
    assert len({len(row) for row in window.instances}) == 1
