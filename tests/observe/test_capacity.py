"""Whether a fleet fits its bounds: the arithmetic of the documentation, and what a round is told off for."""

import pytest
from pydantic import ValidationError

from hubctl.model.observing import Observe
from hubctl.model.turn import Tally
from hubctl.observe import capacity


def test_example_of_the_documentation_is_reckoned_so() -> None:
    observe = Observe(concurrency=160)
    refused = capacity.refusal(14_000, observe)
    assert "233 polls a second" in refused
    assert "161 are under way at once" in refused
    assert "concurrency allows 160" in refused
    assert capacity.refusal(14_000, Observe()) == ""


@pytest.mark.parametrize(("changes", "fits"), [({}, False), ({"concurrency": 700}, True), ({"deadline": 5.0}, True)])
def test_ten_thousand_spokes_every_half_minute(changes: dict[str, float], *, fits: bool) -> None:
    observe = Observe.model_validate({"interval": 30.0, **changes})
    assert (capacity.refusal(30_000, observe) == "") is fits


@pytest.mark.parametrize("concurrency", [1, 7, 512])
def test_as_many_as_are_most_fit_and_one_more_does_not(concurrency: int) -> None:
    observe = Observe(concurrency=concurrency)
    assert capacity.refusal(capacity.most(observe), observe) == ""
    assert capacity.refusal(capacity.most(observe) + 1, observe) != ""


def test_deadline_beyond_the_interval_is_refused_where_it_is_written() -> None:
    with pytest.raises(ValidationError, match="deadline 10s and interval 5s"):
        Observe(interval=5.0)


def tally(lag: float = 0.0, under_way: int = 1, **skipped: int) -> Tally:
    return Tally(due=200, skipped=skipped, lags=(0.0,) * 90 + (lag,) * 10, under_way=under_way)


@pytest.mark.parametrize(
    ("made", "kept", "blind"),
    [
        (tally(), True, False),
        (tally(lag=5.9), True, False),
        (tally(lag=7.0), False, False),
        (tally(late=2), True, False),
        (tally(late=3), False, False),
        (tally(late=101), False, True),
        (tally(no_slot=150), True, False),  # a slow spoke's own
        (tally(no_slot=101, under_way=512), False, True),
        (tally(breaker_open=150, retry_after=50), True, False),
    ],
)
def test_schedule_is_kept_unless_hubctl_itself_is_slow(made: Tally, *, kept: bool, blind: bool) -> None:
    assert (capacity.complaint(made, Observe()) == "") is kept
    assert capacity.blind(made, Observe()) is blind


def test_complaint_holds_the_figures() -> None:
    told = capacity.complaint(tally(lag=7.0, late=50), Observe())
    assert "of 200 polls 50 were left out" in told
    assert "within 7.00 s, 6 s of the interval of 60 s are allowed" in told
