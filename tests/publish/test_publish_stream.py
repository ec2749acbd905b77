"""What git reads and writes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.publish import stream
from tests.publish.remotes import NOW


def test_listing_marks_what_is_no_plain_file() -> None:
    rows = (b"100644 blob aa\ta b\n", b"100755 blob bb\tc", b"120000 blob cc\td", b"160000 commit dd\te", b"")
    out = b"\0".join(rows)
    assert stream.listing(out) == {"a b\n": "aa", "c": "100755 bb", "d": "120000 cc", "e": "160000 dd"}


@given(st.lists(st.binary(max_size=30)))
def test_contents_gives_back_every_object(objects: list[bytes]) -> None:
    out = b"".join(b"%040d blob %d\n%s\n" % (0, len(data), data) for data in objects)
    assert list(stream.contents(out)) == objects


def test_missing_object_is_empty() -> None:
    assert list(stream.contents(b"ab missing\ncd blob 1\nx\n")) == [b"", b"x"]


def test_author_cannot_break_the_stream() -> None:
    draft = stream.Draft("", {}, (), "m", ("A <x>\nfrom evil", "a@b>\n"), NOW)
    assert b"author A xfrom evil <a@b> 1772366400 +0000\n" in stream.commit("refs/x", draft)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fatal: 'https://bob:s3cret@git.example/x' no", "fatal: 'https://git.example/x' no"),
        ("https://token@h/ and ssh://git@h/", "https://h/ and ssh://h/"),
        ("hint: try harder\nremote: denied\nTo x", "remote: denied"),
    ],
)
def test_what_was_said_holds_no_credentials_and_no_hints(text: str, shown: str) -> None:
    assert stream.said(text) == shown
