"""Turn: one round over the fleet's predictors, spread over time; and the Engine that makes it, here or elsewhere."""

from collections.abc import Mapping
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
    """

    services: tuple[InferenceService, ...]
    begins: datetime
    seconds: float = 0.0
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """How a round went, whatever it found.

    Attributes:
        due: polls that the round had to make.
        skipped: of these, the ones that were not made, by reason.
        retried: polls that were made twice.
        opened: connections that were opened.
        lags: seconds between the time at which a poll was due and the one at which it began, of each poll made.
    """

    due: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict)
    retried: int = 0
    opened: int = 0
    lags: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a round brought; one observation for each predictor of the turn, in the turn's order.

    Attributes:
        problems: what kept the engine from polling all of them; never a predictor's own trouble.
    """

    observations: tuple[Observation, ...]
    tally: Tally = Tally()
    problems: tuple[HubctlError, ...] = ()


class Engine(Protocol):
    """Makes rounds."""

    async def round(self, turn: Turn) -> Gathered:
        """Ask every predictor of the turn once."""

    async def close(self) -> None:
        """Close every connection."""
