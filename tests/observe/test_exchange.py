from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hubctl.observe import exchange
from hubctl.observe.bodies import Bodies
from tests.observe.conftest import NOW


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120.0),
        (" 0 ", 0.0),
        ("9" * 30, 999_999_999.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Sun, 01 Mar 2026 12:01:00", 60.0),
        ("soon", 0.0),
        ("-1", 0.0),
        ("1.5", 0.0),
        ("", 0.0),
        ("٣", 0.0),
    ],
)
def test_retry_after_is_seconds_from_now(said: str, seconds: float) -> None:
    assert exchange.pause(said, datetime(2026, 3, 1, 12, tzinfo=UTC)) == seconds


def test_body_of_a_window_is_made_once() -> None:
    bodies, made = Bodies(), []

    def make() -> bytes:
        made.append(1)
        return b"x"

    assert [bodies.of("a", make) for _ in range(3)] == [b"x"] * 3
    assert len(made) == 1


def test_bodies_used_last_are_kept_within_the_bound() -> None:
    bodies = Bodies(most=25)
    for key in ("a", "b", "a", "c", "d" * 100):
        bodies.of(key, lambda: b" " * 10)
    assert list(bodies._held) == ["c", "d" * 100]
    assert bodies.of("huge", lambda: b" " * 100) == b" " * 100
    assert (list(bodies._held), bodies._size) == ([], 0)
