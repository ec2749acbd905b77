"""YAML to data and places."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.errors import InputError
from hubctl.inputs.document import MAX_DEPTH, dotted, parse

BROKEN = {
    "a: 1\nb: 2\na: 3\n": ("f.yaml:3", "duplicate key 'a', first on line 1"),
    "a:\n  b: 1\n\tc: 2\n": ("f.yaml:3", "found a tab, expected spaces"),
    "a: 1\n---\nb: 2\n": ("f.yaml:2", "found a second document, expected one"),
    "- a\n": ("f.yaml:1", "found a list at the top level"),
    "text\n": ("f.yaml:1", "found a single value at the top level"),
    "# nothing\n": ("f.yaml:1", "found nothing at the top level"),
    "a: 1\nb: [1, 2\n": ("f.yaml:3", "did not find expected ',' or ']'"),
    "a: 'x\n": ("f.yaml:2", "found unexpected end of stream"),
    "a: b: c\n": ("f.yaml:1", "mapping values are not allowed in this context, in 'a: b: c'"),
    "a: *x\n": ("f.yaml:1", "found undefined alias"),
    "a: 1\nb: !vault x\n": ("f.yaml:2", "found tag '!vault', expected plain YAML"),
    "? [a]\n: b\n": ("f.yaml:1", "found a list or mapping as a key"),
    "a: 1\nb: \x00\n": ("f.yaml:2", "found control character '\\x00'"),
    "a: &a\n  b: *a\n": ("f.yaml:1", "nested deeper than"),
    "a: &a\n  <<: *a\n": ("f.yaml:1", "nested deeper than"),
    "<<: text\n": ("f.yaml:1", "found a list or a single value to merge"),
}


@pytest.mark.parametrize("text", BROKEN)
def test_broken_yaml_is_told_by_line(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(text, "f.yaml")
    where, message = BROKEN[text]
    assert caught.value.where == where
    assert message in caught.value.message


def test_every_duplicate_key_is_reported() -> None:
    with pytest.raises(InputError) as caught:
        parse("a: 1\na: 2\nb:\n  c: 1\n  c: 2\n", "f.yaml")
    assert [one.where for one in (caught.value, *caught.value.also)] == ["f.yaml:2", "f.yaml:5"]


def test_bytes_that_are_not_utf8_name_their_line() -> None:
    with pytest.raises(InputError, match="byte 0xff is not UTF-8") as caught:
        parse(b"a: 1\nb: \xff\n", "f.yaml")
    assert caught.value.where == "f.yaml:2"


def test_keys_and_items_have_places() -> None:
    document = parse("a:\n  - b: 1\n  - c: 4.10\n", "f.yaml")
    assert document.places[("a", 1, "c")] == (3, 5)
    assert document.spelled[("a", 1, "c")] == "4.10"
    assert document.where(("a", 1, "missing")) == "f.yaml:3 a[1].missing"


def test_words_that_only_yaml_1_1_calls_booleans_are_text() -> None:
    data = parse("on: yes\nx: off\ny: true\nz: 1:30\nd: 2026-01-01\n", "f.yaml").data
    assert data == {"on": "yes", "x": "off", "y": True, "z": "1:30", "d": "2026-01-01"}


def test_numbers_that_no_model_can_hold_stay_text() -> None:
    data = parse(f"a: {'9' * 500}\nb: .inf\nc: 0x1F\nd: 1_000\ne: 0o17\nf: 017\n", "f.yaml").data
    assert data == {"a": "9" * 500, "b": ".inf", "c": 31, "d": 1000, "e": "0o17", "f": 15}


def test_merged_keys_yield_to_the_mappings_own() -> None:
    assert parse("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  y: 3\n", "f.yaml").data["b"] == {"y": 3, "x": 1}


def test_a_billion_laughs_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(InputError, match="more than 200000 values"):
        parse("\n".join(lines), "f.yaml")


@pytest.mark.parametrize("text", ["a: " + "[" * 50_000, "- " * 50_000 + "x", "? " * 50_000, "{a: " * 50_000])
def test_nesting_that_would_overflow_the_parser_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=f"nested deeper than {MAX_DEPTH} levels"):
        parse(text, "f.yaml")


def test_many_brackets_that_do_not_nest_are_fine() -> None:
    text = "".join(f"k{n}: {{a: [1]}}\n" for n in range(200))
    assert len(parse(text, "f.yaml").data) == 200


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse(b"\xef\xbb\xbfa: 1\n", "f.yaml").data == {"a": 1}


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`#?,\n\t 0.<~\x85\u2028é", max_size=60) | st.binary(max_size=60))
def test_any_text_is_parsed_or_refused_with_a_line(text: str | bytes) -> None:
    where = "f.yaml:"
    try:
        data: object = parse(text, "f.yaml").data
    except InputError as error:
        data, where = {}, error.where
    assert isinstance(data, dict)
    assert where.startswith("f.yaml:")


def test_a_path_is_written_with_dots_and_brackets() -> None:
    assert dotted(("spec", "models", 0, "name")) == "spec.models[0].name"
