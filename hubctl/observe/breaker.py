"""Breakers: who failed several times in a row is left alone for a while, then tried once; longer if that fails. Pure.

One state machine for predictors and for the routes to a spoke: closed, open until some time, half open while the one
trial is under way. Times are seconds of any clock that only grows; the jitter is each key's own, so that those who were
lost together do not come back together.
"""

from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Self

from hubctl.model.observing import Breaker, Observe

_SPREAD = 0.2
"""Share of the time open that jitter may take off."""

_DOUBLINGS = 32
"""More would only make numbers that no pause has."""

_FIRST = 1.5
"""Intervals for which it is open the first time, so that one poll is left out."""

LONGEST = 10.0
"""Intervals for which it is open at most, however long the values allow."""

_TRIAL = 60.0
"""Seconds after which a trial whose end nobody told is forgotten."""


@dataclass(frozen=True, slots=True)
class State:
    """Of one breaker.

    Attributes:
        failures: in a row.
        opened: times that it opened in a row.
        until: before that it is open.
        trial: until when the one trial of a half-open breaker keeps others away.
        asked: whether the time is what the other side asked for.
    """

    failures: int = 0
    opened: int = 0
    until: float = 0.0
    trial: float = 0.0
    asked: bool = False


CLOSED = State()


def may(state: State, now: float) -> bool:
    """Whether a request is let through: always while closed, one at a time once the time open is over."""
    return not state.until or now >= max(state.until, state.trial)


def tried(state: State, now: float) -> State:
    """After a request was let through."""
    return replace(state, trial=now + _TRIAL) if state.until else state


def failed(state: State, now: float, rules: Breaker, pause: float, jitter: float) -> State:
    """After a failure.

    Args:
        state: before.
        now: the time.
        rules: how many failures open it, and for how long at most.
        pause: seconds that it stays open the first time.
        jitter: from 0 to 1, its own.
    """
    failures = state.failures + 1
    # One that was closed lately may still have answers to wait for from before it opened.
    if failures < rules.failures or not rules.most or now < state.until:
        return replace(state, failures=failures, trial=0.0)
    seconds = min(pause * 2 ** min(state.opened, _DOUBLINGS), rules.most) * (1 - _SPREAD * jitter)
    return State(failures, state.opened + 1, now + seconds)


def left_alone(state: State, now: float, seconds: float) -> State:
    """After the other side asked to be left alone for so long."""
    return replace(state, failures=state.failures + 1, until=max(state.until, now + seconds), trial=0.0, asked=True)


def longest(observe: Observe) -> float:
    """Seconds for which a breaker is open at most."""
    return min(observe.breaker.most, LONGEST * observe.interval)


def jitter_of(key: Hashable) -> float:
    """A number from 0 to 1 that is a key's own."""
    return int.from_bytes(blake2b(repr(key).encode(), digest_size=4).digest()) / 2**32


class Breakers:
    """The breakers of many keys; only those that are not quite closed are held."""

    def __init__(self, rules: Breaker, pause: float, jitter: Callable[[Hashable], float] = jitter_of) -> None:
        """Take when they open, and the seconds for which they do so the first time."""
        self._rules, self._pause, self._jitter = rules, pause, jitter
        self._states: dict[Hashable, State] = {}

    @classmethod
    def of(cls, observe: Observe) -> Self:
        """As the values say."""
        rules = observe.breaker.model_copy(update={"most": longest(observe)})
        return cls(rules, _FIRST * observe.interval)

    def state(self, key: Hashable) -> State:
        """Of one key."""
        return self._states.get(key, CLOSED)

    def may(self, key: Hashable, now: float) -> bool:
        """Whether a request is let through now."""
        return may(self.state(key), now)

    def tried(self, key: Hashable, now: float) -> None:
        """A request was let through."""
        if key in self._states:
            self._states[key] = tried(self._states[key], now)

    def failed(self, key: Hashable, now: float) -> None:
        """It failed."""
        self._states[key] = failed(self.state(key), now, self._rules, self._pause, self._jitter(key))

    def left_alone(self, key: Hashable, now: float, seconds: float) -> None:
        """The other side asked to be left alone; it is for as long as the rules allow."""
        self._states[key] = left_alone(self.state(key), now, min(seconds, self._rules.retry_after_most))

    def answered(self, key: Hashable) -> None:
        """It went well."""
        self._states.pop(key, None)

    def keep(self, keys: Collection[Hashable]) -> None:
        """Forget all others."""
        for key in [key for key in self._states if key not in keys]:
            del self._states[key]

    def open(self, now: float) -> int:
        """How many are open."""
        return sum(not may(state, now) for state in self._states.values())
