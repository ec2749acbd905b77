"""Observations for the tests of aggregation: one a minute, each with its own window unless told otherwise."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hubctl.aggregate import Aggregation, aggregate
from hubctl.aggregate.cells import fold
from hubctl.model.health import PredictorHealth
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
POLICY = Aggregate(settle=0)

GOOD, BAD = "good", "bad"


def minute(number: float) -> datetime:
    """So many minutes after the start."""
    return START + timedelta(minutes=number)


def seen(
    kind: str = GOOD,
    at: float = 0,
    *,
    cluster: str = "a",
    model: str = "m",
    version: str = "v1",
    window: str | None = None,
) -> Observation:
    """One poll: ``good`` or ``bad`` votes, ``forecast``, ``empty``, or the name of an outcome."""
    answered = kind in (GOOD, BAD, "forecast", "empty")
    rows = 4 if kind in (GOOD, BAD, "forecast") else 0
    return Observation(
        cluster=cluster,
        model=model,
        version=version,
        at=minute(at),
        outcome=Outcome.OK if answered else Outcome(kind),
        window=f"w{at}" if window is None else window,
        instances=rows,
        anomalies=rows if kind == BAD else 0,
        votes=kind in (GOOD, BAD),
    )


def folded(kinds: Iterable[str], policy: Aggregate = POLICY) -> PredictorHealth:
    """The health after these polls, one a minute."""
    health: PredictorHealth | None = None
    for number, kind in enumerate(kinds):
        health = fold(health, seen(kind, number), policy)
    assert health is not None
    return health


def rounds(fleet: dict[tuple[str, str, str], str], count: int = 3, policy: Aggregate = POLICY) -> Aggregation:
    """The same answers of (cluster, model, version) for some rounds."""
    made = Aggregation((), ())
    for number in range(count):
        polls = [
            seen(kind, number, cluster=cluster, model=model, version=version)
            for (cluster, model, version), kind in fleet.items()
        ]
        made = aggregate(polls, made.health, policy, now=minute(number))
    return made
