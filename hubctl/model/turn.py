"""Turn: one round over the fleet's predictors, spread over time; and the Engine that makes it, here or elsewhere."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from hubctl.errors import HubctlError
from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is asked in a round, and over how long the round is spread.

    Attributes:
        begins: the hub's time, UTC; each predictor's place in the round counts from it.
        seconds: over which the polls are spread; 0: all of them at once.
        snapshot: the hub's own objects, where routes or tokens need them.
        seed: moves every place, so that two hubs do not ask the same spokes at the same time.
    """

    services: tuple[InferenceService, ...]
    begins: datetime
    seconds: float = 0.0
    snapshot: Snapshot | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """How a round went, whatever it found.

    Attributes:
        due: polls that the round had to make.
        skipped: of these, the ones that were not made, by reason.
        retried: polls that were made twice.
        opened: connections that were opened.
        lags: seconds between the time at which a poll was due and the one at which it began, of each poll made.
        under_way: the most polls that were under way at once.
        breakers: of how many predictors and routes the breaker was open at the end.
    """

    due: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    retried: int = 0
    opened: int = 0
    lags: tuple[float, ...] = ()
    under_way: int = 0
    breakers: int = 0


def merged(tallies: Iterable[Tally]) -> Tally:
    """Of several parts of a round, or of several rounds."""
    every = tuple(tallies)
    skipped: Counter[str] = Counter()
    for one in every:
        skipped.update(one.skipped)
    return Tally(
        due=sum(one.due for one in every),
        skipped=dict(skipped),
        retried=sum(one.retried for one in every),
        opened=sum(one.opened for one in every),
        lags=tuple(lag for one in every for lag in one.lags),
        under_way=sum(one.under_way for one in every),
        breakers=sum(one.breakers for one in every),
    )


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a round brought; one observation for each predictor of the turn, in the turn's order.

    Attributes:
        problems: what kept the engine from polling all of them; never a predictor's own trouble.
    """

    observations: tuple[Observation, ...]
    tally: Tally = Tally()
    problems: tuple[HubctlError, ...] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """A round that ended.

    Attributes:
        begins: the hub's time, UTC.
        seconds: from its beginning until its last poll ended.
        over: seconds over which it was to be spread.
    """

    begins: datetime
    seconds: float
    over: float
    tally: Tally = Tally()


@dataclass(frozen=True, slots=True)
class Taken:
    """What was seen since the last time.

    Attributes:
        observations: in the order in which they were made; of a predictor none, one or several.
        rounds: those that ended.
        problems: why rounds failed.
        controls: control probes that fail, each with why.
    """

    observations: tuple[Observation, ...] = ()
    rounds: tuple[Made, ...] = ()
    problems: tuple[HubctlError, ...] = ()
    controls: tuple[str, ...] = ()


class Engine(Protocol):
    """Makes rounds; lives in one event loop.

    Rounds may overlap: the next one begins in time, while the last polls of the one before are still under way.
    """

    async def round(self, turn: Turn) -> Gathered:
        """Ask every predictor of the turn once."""

    async def close(self) -> None:
        """Close every connection."""


Heard = Callable[[Observation], None]
"""Is called with an observation as soon as it is made, for progress; an engine elsewhere need not call it."""

OpenEngine = Callable[[Heard | None], AbstractAsyncContextManager[Engine]]
"""Opens an engine in the event loop that it is to live in."""
