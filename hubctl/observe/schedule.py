"""When each poll of a round is due, and who may be asked now within the bounds. Pure.

A predictor's place in the interval is its own and stays: load is even, a restart moves nobody, and after an outage not
everybody is asked at once. What cannot begin in time is given up and counted; nothing is queued without bound.
"""

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from hubctl.model.predictor import InferenceService

SLOT = 0.05
"""Seconds; polls that fall into one slot begin together, as waking for each one costs twice as much."""

LATE = 0.1
"""Share of the interval after whose time a poll that has not begun is given up."""

_LEAST_LATE = 1.0
"""Seconds that a poll may be late even where the interval is very short."""

_MICROSECONDS = 1_000_000


def place(service: InferenceService, seconds: float, seed: int = 0) -> float:
    """Seconds into a round of this length at which a predictor is due; always the same, below its length."""
    own = f"{service.cluster}/{service.namespace}/{service.name}".encode()
    number = int.from_bytes(blake2b(own, digest_size=8).digest()) ^ (seed & 0xFFFF_FFFF_FFFF_FFFF)
    return number % max(1, int(seconds * _MICROSECONDS)) / _MICROSECONDS


def seed_of(identity: str) -> int:
    """A number that is a hub's own, from what tells it from other hubs."""
    return int.from_bytes(blake2b(identity.encode(), digest_size=8).digest())


def slots(services: Sequence[InferenceService], seconds: float, seed: int = 0) -> list[tuple[float, list[int]]]:
    """Seconds into the round, rising, and the positions of the services that are due then."""
    if seconds <= 0:
        return [(0.0, list(range(len(services))))] if services else []
    found: dict[int, list[int]] = defaultdict(list)
    for position, service in enumerate(services):
        found[int(place(service, seconds, seed) / SLOT)].append(position)
    return [(number * SLOT, found[number]) for number in sorted(found)]


def patience(interval: float, late_after: float | None = None) -> float:
    """Seconds that a poll may begin after it was due."""
    return max(LATE * interval, _LEAST_LATE) if late_after is None else max(late_after, SLOT)


@dataclass(slots=True, eq=False)
class Due:
    """A poll that is due.

    Attributes:
        position: of its service in the turn.
        at: when it is due.
        latest: after which it is given up.
        round: that it belongs to; whatever its owner makes of it.
        waiting: neither begun nor given up.
    """

    service: InferenceService
    position: int
    at: float
    latest: float
    round: object = None
    waiting: bool = True


class Bounds:
    """Polls that wait for a slot, and how many are under way.

    Each one passes through here once or twice, however many wait: a look at all of them for each that ends would cost
    the square of the fleet.
    """

    def __init__(self, most: int, per_spoke: int) -> None:
        """Take how many may be under way at once, over all spokes and to one."""
        self._most, self._per_spoke = most, per_spoke
        self._queue: deque[Due] = deque()
        self._held: defaultdict[str, deque[Due]] = defaultdict(deque)
        self._ends: deque[Due] = deque()
        self._busy: defaultdict[str, int] = defaultdict(int)
        self.under_way = 0

    def busy(self, cluster: str) -> int:
        """Polls under way to a spoke."""
        return self._busy.get(cluster, 0)

    def offer(self, due: Due) -> None:
        """Let it wait for its slots; offers come in the order of their ends."""
        self._queue.append(due)
        if due.latest != float("inf"):
            self._ends.append(due)

    def ready(self) -> Iterator[Due]:
        """Those that begin now, each under way from here on."""
        while self._queue and self.under_way < self._most:
            due = self._queue.popleft()
            cluster = due.service.cluster
            if not due.waiting:
                continue
            # Who waits for a slow spoke must not hold a slot that others could use.
            if self.busy(cluster) >= self._per_spoke:
                self._held[cluster].append(due)
                continue
            due.waiting = False
            self.under_way += 1
            self._busy[cluster] += 1
            yield due

    def done(self, cluster: str) -> None:
        """One to this spoke ended."""
        self.under_way -= 1
        self._busy[cluster] -= 1
        if not self._busy[cluster]:
            del self._busy[cluster]
        held = self._held.get(cluster)
        while held:
            due = held.popleft()
            if due.waiting:
                self._queue.appendleft(due)
                break
        if held is not None and not held:
            del self._held[cluster]

    def late(self, now: float) -> list[Due]:
        """Those that are given up, for their time is over."""
        found = []
        while self._ends and (self._ends[0].latest <= now or not self._ends[0].waiting):
            due = self._ends.popleft()
            if due.waiting:
                due.waiting = False
                found.append(due)
        return found
