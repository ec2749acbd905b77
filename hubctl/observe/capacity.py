"""Whether a fleet can be polled within the bounds: arithmetic beforehand, and what a round showed afterwards. Pure.

Of the polls most answer soon and a few hang until the deadline; how many are under way at once follows from how often
they begin. What does not fit is refused with the figures, instead of being found out by lagging behind.
"""

import math

from hubctl.model.observing import Observe
from hubctl.model.turn import Tally
from hubctl.observe.reason import Reason
from hubctl.observe.schedule import patience

TYPICAL = 0.2
"""Seconds that a poll of a well predictor takes, network included."""

HANGING = 0.05
"""Share of polls that hang until the deadline without anything being unusual."""

_TOLERATED = 0.01
"""Share of a round's polls that may begin too late before it is told."""

_BLIND = 0.5
"""Share of a round's polls that hubctl itself left out, above which it says nothing about the fleet."""

HINT = "raise hubctl.observe.interval or .concurrency, lower .deadline, or let several workers poll"


def seconds_each(observe: Observe) -> float:
    """Seconds that a poll takes on average."""
    return (1 - HANGING) * min(TYPICAL, observe.deadline) + HANGING * observe.deadline


def most(observe: Observe) -> int:
    """Predictors that can be polled."""
    return int(observe.concurrency * observe.interval / seconds_each(observe))


def refusal(count: int, observe: Observe) -> str:
    """Why so many predictors cannot be polled so, with the arithmetic; empty when they can."""
    each, every = seconds_each(observe), f"every {observe.interval:g} s"
    at_once = count / observe.interval * each
    told = (
        f"{each:.2f} s each ({1 - HANGING:.0%} answer within {min(TYPICAL, observe.deadline):g} s, "
        f"{HANGING:.0%} hang until the deadline of {observe.deadline:g} s)"
    )
    if count > most(observe):
        return (
            f"{count} predictors {every} are {count / observe.interval:.0f} polls a second; at {told} "
            f"{math.ceil(at_once)} are under way at once, and hubctl.observe.concurrency allows {observe.concurrency}"
        )
    return ""


def lag(tally: Tally, share: float = 0.99) -> float:
    """The lag that this share of the polls that were made did not exceed, in seconds."""
    lags = sorted(tally.lags)
    return lags[min(len(lags) - 1, int(share * len(lags)))] if lags else 0.0


def starved(tally: Tally, observe: Observe) -> int:
    """Polls that were left out because hubctl itself was too busy; a slow spoke's own bound is none of its doing."""
    full = tally.under_way >= observe.concurrency
    return tally.skipped.get(Reason.LATE, 0) + (tally.skipped.get(Reason.NO_SLOT, 0) if full else 0)


def complaint(tally: Tally, observe: Observe) -> str:
    """What is wrong with the schedule of a round, with the figures; empty when it was kept."""
    behind, left_out = lag(tally), starved(tally, observe)
    allowed = patience(observe.interval)
    if behind <= allowed and left_out <= _TOLERATED * tally.due:
        return ""
    return (
        f"polling does not keep up: of {tally.due} polls {left_out} were left out for lack of time, 99 % of the "
        f"others began within {behind:.2f} s, {allowed:g} s of the interval of {observe.interval:g} s are allowed; at "
        f"most {tally.under_way} of {observe.concurrency} were under way"
    )


def blind(tally: Tally, observe: Observe) -> bool:
    """Whether a round left out so much for hubctl's own sake that it says nothing about the fleet."""
    return starved(tally, observe) > _BLIND * tally.due
