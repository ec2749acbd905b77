from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hubctl.observe import exchange
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
