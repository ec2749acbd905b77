"""Rows and answers from a person's file."""

import pytest

from hubctl.errors import InputError
from hubctl.inputs.goldenrows import answers_of, rows_of


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ("1,2\n3,4.5\n", None),
        ("cpu,disk\n1,2\n3,4.5\n", None),
        ("cpu,disk,expected\n1,2,1\n3,4.5,-1\n", (1, -1)),
        ("cpu,disk,expected\n1,2,ok\n3,4.5,true\n", ("ok", True)),
        ("cpu,disk,expected\n1,2,0.25\n3,4.5,1e-05\n", (0.25, 1e-05)),
        ("[[1, 2], [3, 4.5]]", None),
        ('{"rows": [[1, 2], [3, 4.5]]}', None),
        ('{"rows": [[1, 2], [3, 4.5]], "expected": [[1, 2], [3, 4]]}', ((1, 2), (3, 4))),
    ],
)
def test_rows_are_read_with_their_answers_or_without(text: str, answers: object) -> None:
    assert rows_of(text.encode(), "rows.csv") == (((1.0, 2.0), (3.0, 4.5)), answers)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("expected\n1\n-1\n", (1, -1)),
        ("ok\nbad\n", ("ok", "bad")),
        ("1,2,ok\n3,4,bad\n", ("ok", "bad")),
        ("[1, -1]", (1, -1)),
        ('{"expected": [[1, 2]]}', ((1, 2),)),
    ],
)
def test_answers_are_the_last_column(text: str, expected: object) -> None:
    assert answers_of(text.encode(), "answers.csv") == expected


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "rows.csv:1"),
        ("cpu,disk\n", "rows.csv:1"),
        ("1,2\n3,warm\n", "rows.csv:2"),
        ("1,2\n3,nan\n", "rows.csv:2"),
        ("1,2\n3,\n", "rows.csv:2"),
        ('1,"2\n', "rows.csv:1"),
        ("[[1, null]]", "rows.csv:1"),
        ("[[1, NaN]]", "rows.csv:1"),
        ("[1, 2]", "rows.csv:1"),
        ("[[1],\n [2]", "rows.csv:2"),
        ('{"rows": 3}', "rows.csv:1"),
    ],
)
def test_what_is_no_row_is_refused_with_its_line(text: str, where: str) -> None:
    with pytest.raises(InputError) as caught:
        rows_of(text.encode(), "rows.csv")
    assert caught.value.where == where
    assert caught.value.hint
