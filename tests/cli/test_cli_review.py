"""Differences as Markdown and as data: capped on whole objects, inert whatever a branch holds, as the schema says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.cli import difference
from hubctl.cli.review import print_fields
from hubctl.publish import changes, review
from hubctl.publish.fields import ABSENT, Field
from hubctl.publish.objects import SPOKE, Entry, Object, Veiled

ROOT = Path(__file__).parents[2]


def entry(
    name: str, *fields: Field, change: Any = "changed", spokes: tuple[str, ...] = ("a",), kind: str = "Map"
) -> Entry:
    return Entry(change, Object(kind, "ns", name, "v1", "m.yaml", ""), spokes, fields)


def made(*entries: Entry, silent: tuple[str, ...] = (), spokes: tuple[str, ...] = ("a",)) -> review.Difference:
    found = changes.Changes(changed=("rendered/spokes/a/m.yaml",), spokes=changes.Spokes(changed=spokes, before=1))
    return review.Difference(found, entries, silent)


WIDE = tuple(Field(("spec", f"key{number}"), "x" * 150, "y" * 150) for number in range(10))


@given(st.integers(0, 60), st.integers(review.LEAST, 40_000), st.integers(0, 300), st.text(min_size=1, max_size=80))
def test_markdown_never_exceeds_its_limit(count: int, limit: int, silent: int, name: str) -> None:
    many = made(
        *(entry(f"{name}{number}", *WIDE) for number in range(count)),
        silent=tuple(f"rendered/{name}/{number}.yaml" for number in range(silent)),
        spokes=(name * 9,) * 40,
    )
    assert len(review.markdown(many, limit, summary=False)) <= limit


def test_markdown_is_cut_between_objects_and_says_how_to_see_the_rest() -> None:
    text = review.markdown(made(*(entry(f"m{number}", *WIDE) for number in range(30))), 10_000, summary=False)
    tables = re.split(r"\n(?=`Map ns/)", text)[1:]
    assert [table.count("| `spec.key") for table in tables] == [len(WIDE)] * len(tables)
    assert text.endswith(
        f"\n{30 - len(tables)} of 30 entries are left out to stay within 10000 characters. See all of them with "
        "`hubctl diff --style fields`, or as data with `hubctl diff -o json`.\n"
    )


def test_markdown_begins_with_the_summary() -> None:
    text = review.markdown(made(entry("m", *WIDE)), review.LIMIT, summary=False)
    assert text.startswith("### hubctl diff: 1 spoke affected\n\n1 file, 1 object.\n\n- 1 changed: `a`\n")


def test_summary_in_markdown_names_no_object() -> None:
    assert "Map" not in review.markdown(made(entry("m", *WIDE)), review.LIMIT, summary=True)


def test_no_difference_is_said_in_markdown() -> None:
    nothing = review.Difference(changes.Changes(), (), ())
    assert "no difference" in review.markdown(nothing, review.LIMIT, summary=False)


@pytest.mark.parametrize("odd", ["a|b", "``", "`x", "\n# heading", "\x1b[31m", "\u202e", "<img src=x>", "@all"])
def test_text_of_the_branch_is_never_markdown(odd: str) -> None:
    text = review.markdown(made(entry(odd, Field((odd,), odd, odd), kind=odd)), review.LIMIT, summary=False)
    assert "\n# " not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    row = next(line for line in text.splitlines() if line.startswith("| ") and "field" not in line)
    assert len(re.split(r"(?<!\\)\|", row)) == 5
    bare = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert "<img" not in bare
    assert "@all" not in bare


def test_added_field_has_no_old_value_and_null_is_a_value() -> None:
    fields = (Field(("a",), ABSENT, None), Field(("b",), 1, ABSENT))
    (one,) = difference.data(made(entry("m", *fields)), summary=False)["objects"]
    assert one["fields"] == [
        {"path": "a", "change": "added", "new": None},
        {"path": "b", "change": "removed", "old": 1},
    ]


def test_value_of_a_secret_is_in_no_output(capsys: pytest.CaptureFixture[str]) -> None:
    field = Field(("data",), {"token": Veiled("hush1")}, {"token": Veiled("hush2")})
    secret = made(entry("s", field, kind="Secret"))
    print_fields(secret)
    shown = [capsys.readouterr().out, review.markdown(secret, review.LIMIT, summary=False)]
    shown.append(json.dumps(difference.data(secret, summary=False)))
    assert all("(redacted)" in text and "hush" not in text for text in shown)


def test_terminal_names_a_few_spokes_and_counts_the_others(capsys: pytest.CaptureFixture[str]) -> None:
    print_fields(made(entry(SPOKE, spokes=("a", "b", "c", "d", "e"), change="added"), silent=("x.yaml",)))
    assert capsys.readouterr().out == (
        "New objects:\n  Map ns/<spoke> on 5 spokes: a, b, c +2\n"
        "Files of which only comments, order or formatting change:\n  x.yaml\n"
    )


def test_committed_schema_is_what_the_command_writes() -> None:
    text = (ROOT / "schemas" / difference.SCHEMA).read_text()
    assert text == json.dumps(difference.schema(), indent=2) + "\n"


def test_schema_lets_later_keys_pass_and_names_its_version() -> None:
    text = json.dumps(difference.schema())
    assert "additionalProperties" not in text
    assert difference.schema()["properties"]["schemaVersion"]["const"] == difference.VERSION
