"""The fast parser reads rendered YAML as PyYAML does, or leaves it to PyYAML."""

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hubctl.render.documents import parse
from hubctl.render.templates import quote, to_yaml

WORDS = ("on", "Yes", "n", "~", "null", "true", "010", "0o7", "1_000", "-01", "+1", "0x1F", ".5", "=", "<<", "&a", "!b")
"""What some version of YAML takes for more than a string, when it is not quoted."""

scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.sampled_from(WORDS), st.floats(width=32))
values = st.recursive(
    scalars.filter(lambda value: value == value),  # noqa: PLR0124 - a NaN is not equal to itself
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.sampled_from(WORDS), inner, max_size=3),
    max_leaves=10,
)


@given(value=values)
def test_what_the_yaml_filter_writes_is_read_back(value: Any) -> None:
    assert parse("key: \n  " + to_yaml(value, 2) + "\n") == [{"key": value}]


@given(text=st.text())
def test_what_the_quote_filter_writes_is_read_back(text: str) -> None:
    assert parse(f"key: {quote(text)}\n") == [{"key": text}]


@pytest.mark.parametrize(
    ("word", "value"),
    [("on", True), ("Off", False), ("yes", True), ("N", False), ("010", 8), ("-01", -1), ("1_000", 1000), ("0_1", 1)],
)
@pytest.mark.parametrize("text", ["a: {}", "- {}", "[{}, b]", "[b, {}]", "c: [b,{}]", "a:\n  b: {} # c", "{{b: {}}}"])
def test_unquoted_word_of_yaml_1_1_is_what_a_cluster_takes_it_for(text: str, word: str, value: object) -> None:
    assert parse(text.format(word)) == parse(text.format(json.dumps(value)))


def test_anchor_is_followed() -> None:
    assert parse("a: &x {b: 1}\nc: *x\nd: {<<: *x}\n") == [{"a": {"b": 1}, "c": {"b": 1}, "d": {"b": 1}}]


def test_time_stays_text_as_a_cluster_reads_it() -> None:
    assert parse("a: 2026-01-01\nb: 12:30:45\n") == [{"a": "2026-01-01", "b": "12:30:45"}]


@pytest.mark.parametrize("text", ["a: 1\na: 2\n", "b:\n  a: 1\n  c: 2\n  a: 1\n"])
def test_repeated_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match='"a"'):
        parse(text)


def test_mistake_is_said_with_its_line() -> None:
    with pytest.raises(yaml.MarkedYAMLError) as refused:
        parse("a: 1\nb: [1, 2\nc: 3\n")
    assert refused.value.problem_mark is not None
    assert refused.value.problem_mark.line == 2


@pytest.mark.parametrize("text", ["", "\n", "# nothing\n"])
def test_text_without_a_document_holds_none(text: str) -> None:
    assert [document for document in parse(text) if document is not None] == []
