"""Which spokes a pass leaves out, since none of their predictors answered for a while; and until when. Pure.

Only silence slows down: a refused token or a missing model is an answer, and whoever mends it wants to see it mended.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from hubctl.model.health import NO_ANSWER, PredictorHealth
from hubctl.model.pace import Backoff
from hubctl.model.predictor import InferenceService

_SPREAD = 0.2
"""Share of a pause that jitter may take off, so that spokes lost together are not asked together for ever."""

_DOUBLINGS = 32
"""More would only make numbers that no pause has."""

_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Pace:
    """What decides how often spokes are asked.

    Attributes:
        interval: seconds between two passes.
        raise_after: polls that make silence a finding; before that many nothing slows down.
        jitter: a spoke's own number from 0 to 1, the same each time.
    """

    backoff: Backoff
    interval: float
    raise_after: int
    jitter: Callable[[str], float]


def waiting(
    services: Iterable[InferenceService], health: Iterable[PredictorHealth], pace: Pace, *, now: datetime
) -> dict[str, datetime]:
    """Spoke to when it is asked next, of those that are not to be asked now.

    Args:
        services: of the fleet; a spoke with a predictor or version that was never polled is asked.
        health: as the last pass left it.
        pace: how often.
        now: the pass's time.
    """
    known = {(one.cluster, one.model, one.version): one for one in health}
    spokes: dict[str, list[PredictorHealth | None]] = defaultdict(list)
    for service in services:
        spokes[service.cluster].append(known.get((service.cluster, service.name, service.version)))
    found = {cluster: _next(cluster, predictors, pace) for cluster, predictors in spokes.items()}
    return {cluster: at for cluster, (since, at) in found.items() if since <= now < at}


def share_of(cluster: str) -> float:
    """A number from 0 to 1 that is a spoke's own: the usual jitter."""
    return int.from_bytes(sha256(cluster.encode()).digest()[:4]) / 2**32


def _next(cluster: str, predictors: Sequence[PredictorHealth | None], pace: Pace) -> tuple[datetime, datetime]:
    """When a spoke was asked last and when it is asked next; the same time twice: in the next pass, as usual.

    Between the two it is left out; a clock that stepped back lies before both.
    """
    polled = [one for one in predictors if one is not None and one.last_outcome in NO_ANSWER]
    streak = min((one.unreachable_streak for one in polled), default=0)
    beyond = streak - max(pace.backoff.after, pace.raise_after)
    if beyond < 0 or len(polled) < len(predictors) or pace.backoff.most <= pace.interval:
        return _ALWAYS
    pause = min(pace.interval * 2 ** min(beyond + 1, _DOUBLINGS), pace.backoff.most)
    pause *= 1 - _SPREAD * pace.jitter(cluster)
    last = max(one.last_at for one in polled)
    return last, last + timedelta(seconds=pause)
