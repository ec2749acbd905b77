"""A value is followed into another rendering of its file."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.render.leaves import GONE, changed, leaves, paired

SCALARS = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "kind", "x"]), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, {}),
        ({"a": 1}, {"a": 2}, {("a",): 2}),
        ({"a": 1}, {"a": True}, {("a",): True}),
        ({"a": 1}, {}, {("a",): GONE}),
        ({"a": []}, {"a": [1]}, {("a",): [1]}),
        (["a", "b"], ["b", "a"], {}),
        (["a", "b"], ["b"], {(0,): GONE}),
        (["a", "b"], ["b", "c"], {(0,): "c"}),
        ([{"name": "x", "v": 1}, {"name": "y", "v": 1}], [{"name": "y", "v": 2}], {
            (0, "name"): GONE, (0, "v"): GONE, (1, "v"): 2,
        }),
        ([{"name": "x", "v": 1}], [{"name": "z", "v": 1}], {(0, "name"): "z"}),
        (
            [{"apiVersion": "v1", "kind": "A", "v": 1}],
            [{"apiVersion": "v1", "kind": "B", "v": 1}],
            {(0, "apiVersion"): GONE, (0, "kind"): GONE, (0, "v"): GONE},
        ),
    ],
)  # fmt: skip
def test_change_is_told_by_value(old: Any, new: Any, expected: dict[Any, Any]) -> None:
    assert changed(old, new) == expected


@given(VALUES)
def test_nothing_changes_against_itself(value: Any) -> None:
    assert changed(value, value) == {}


@given(VALUES, VALUES)
def test_every_value_is_paired_once_and_with_what_stands_there(old: Any, new: Any) -> None:
    found = list(paired(old, new))
    assert [trail for trail, _, _ in found] == [trail for trail, _ in leaves(old)]
    for _, value, here in found:
        if value is not GONE:
            there = new
            for part in here:
                there = there[part]
            assert there == value
