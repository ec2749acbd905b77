"""Which spokes are left out of a pass, and until when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.model.health import Condition, PredictorHealth
from hubctl.model.pace import Backoff
from hubctl.model.predictor import InferenceService, Outcome
from hubctl.model.values import ModelProfile
from hubctl.observe.pace import Pace, share_of, waiting

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PACE = Pace(Backoff(after=3, most=600.0), interval=60.0, raise_after=3, jitter=lambda _: 0.0)


def silent(streak: int, *, outcome: Outcome = Outcome.TIMEOUT, model: str = "m") -> PredictorHealth:
    """A predictor that did not answer so many times, the last time just now."""
    condition = Condition.HEALTHY if outcome is Outcome.OK else Condition.UNKNOWN
    return PredictorHealth("a", model, "v1", condition, "", NOW, NOW, NOW, outcome, unreachable_streak=streak)


def service(model: str = "m", version: str = "v1") -> InferenceService:
    return InferenceService("a", model, version, "ns", f"{model}-predictor", ModelProfile())


def pause(*health: PredictorHealth, pace: Pace = PACE, services: tuple[InferenceService, ...] = ()) -> float:
    """Seconds until the spoke is asked again; 0: in the next pass."""
    found = waiting(services or [service(one.model) for one in health], health, pace, now=NOW)
    return (found["a"] - NOW).total_seconds() if found else 0


@pytest.mark.parametrize(("streak", "seconds"), [(2, 0), (3, 120), (4, 240), (5, 480), (6, 600), (500, 600)])
def test_silence_is_asked_ever_less_often_up_to_a_bound(streak: int, seconds: float) -> None:
    assert pause(silent(streak)) == seconds


@pytest.mark.parametrize("outcome", sorted(set(Outcome) - {Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.TLS}))
def test_only_silence_slows_down(outcome: Outcome) -> None:
    assert pause(silent(9, outcome=outcome)) == 0
    assert pause(silent(9), silent(0, outcome=outcome, model="k")) == 0


def test_spoke_with_something_new_is_asked_at_once() -> None:
    assert pause(silent(9), services=(service(), service("new"))) == 0
    assert pause(silent(9), services=(service(version="v2"),)) == 0


def test_nothing_slows_down_before_silence_is_a_finding_nor_when_it_is_switched_off() -> None:
    eager = replace(PACE, backoff=Backoff(after=1, most=600.0))
    assert pause(silent(2), pace=eager) == 0
    assert pause(silent(3), pace=eager) == 120
    assert pause(silent(9), pace=replace(PACE, backoff=Backoff(after=1, most=0.0))) == 0


def test_jitter_only_shortens_and_is_a_spokes_own() -> None:
    assert pause(silent(3), pace=replace(PACE, jitter=lambda _: 1.0)) == 96
    assert share_of("edge-a") == share_of("edge-a") != share_of("edge-b")


@given(st.text())
def test_share_of_a_spoke_lies_between_nothing_and_all(name: str) -> None:
    assert 0 <= share_of(name) < 1


def test_clock_that_stepped_back_or_a_long_rest_keeps_no_spoke_waiting_for_long() -> None:
    rested = waiting([service()], [silent(9)], PACE, now=NOW + timedelta(hours=3))
    assert rested == {}
    back = waiting([service()], [silent(9)], PACE, now=NOW - timedelta(hours=3))
    assert back == {}
