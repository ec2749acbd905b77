"""What is told of rounds: a line for `hubctl status`, metrics, and what counts as an answer."""

from datetime import UTC, datetime

from hubctl import metrics
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.turn import Made, Tally, merged
from hubctl.passes import ROUND, Pass, summary_of
from hubctl.report import measures

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TALLY = Tally(100, {"late": 1, "breaker_open": 2}, retried=3, opened=4, lags=(0.01,) * 97, under_way=9, breakers=2)
MADE = Pass(
    NOW,
    rounds=(Made(NOW, 59.0, 60.0, TALLY),),
    observations=(
        Observation("a", "m", "v1", NOW, Outcome.OK),
        Observation("b", "m", "v1", NOW, Outcome.SKIPPED, "late"),
    ),
    controls=("https://proxy.example.com (dns)",),
)


def test_summary_holds_one_line_about_the_last_round() -> None:
    _, told, line = summary_of(MADE).partition(ROUND)
    assert told
    assert line == "100 polls in 59.0 s, 3 skipped (2 breaker_open, 1 late), 99 % begun within 0.01 s"


def test_poll_that_was_not_made_is_no_predictor_that_is_not_ok() -> None:
    assert summary_of(MADE).startswith("1 of 1 predictors ok")


def test_rounds_become_metrics() -> None:
    samples = measures.of_pass(MADE, 1.0, 0.0)
    found = {(one.metric.name, *one.labels): one.value for one in samples if one.metric is not metrics.LAG}
    assert found["hubctl_polls_skipped_total", "breaker_open"] == 2
    assert found["hubctl_polls_retried_total",] == 3
    assert found["hubctl_connections_opened_total",] == 4
    assert found["hubctl_polls_under_way_max",] == 9
    assert found["hubctl_breakers_open",] == 2
    assert found["hubctl_controls_failing",] == 1
    assert found["hubctl_round_duration_seconds",] == 59.0
    assert sum(one.metric is metrics.LAG for one in samples) == 97


def test_parts_of_a_round_add_up() -> None:
    both = merged((TALLY, Tally(5, {"late": 4}, lags=(0.5,))))
    assert (both.due, dict(both.skipped), len(both.lags)) == (105, {"late": 5, "breaker_open": 2}, 98)
    assert both.due == len(both.lags) + sum(both.skipped.values())
