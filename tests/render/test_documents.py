"""Plain scalars of rendered text are read as the API server's parser reads them; tests/kube holds that against one."""

from typing import Any

import pytest

from hubctl.render import documents


@pytest.mark.parametrize("text", ["12:30", "190:20:30", "1:2:3", "1,000", "y1", "1e", "e3", "0o8", "=", "tRue", "_1"])
def test_what_only_looks_like_another_type_is_text(text: str) -> None:
    assert documents.parse(f"a: {text}\n") == [{"a": text}]


@pytest.mark.parametrize(
    ("text", "value"),
    [("y", True), ("Off", False), ("no", False), ("1e3", 1000.0), ("010", 8), ("0o17", 15), ("0x1f", 31), ("~", None)],
)
def test_what_the_server_takes_for_another_type_is_one(text: str, value: Any) -> None:
    assert documents.parse(f"a: {text}\n") == [{"a": value}]


def test_quoted_text_stays_text_and_documents_stay_apart() -> None:
    assert documents.parse('a: "y"\n---\na: "1"\n') == [{"a": "y"}, {"a": "1"}]
