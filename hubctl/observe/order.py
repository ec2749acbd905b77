"""In which order the routes to a predictor are tried, and whether an answer lets the next one be tried.

Pure. A model server's own answer, however bad, ends the search: the way is open, and another one leads to the same
server. What a proxy, a router, a kube-apiserver or the network says does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hubctl.model.route import Route
from hubctl.observe.breaker import Breakers
from hubctl.observe.reason import Reason

ON_THE_WAY = frozenset(
    {
        Reason.NO_ADDRESS, Reason.BAD_URL, Reason.DNS, Reason.REFUSED, Reason.RESET, Reason.NO_NETWORK,
        Reason.TUNNEL, Reason.BAD_GATEWAY, Reason.SERVICE_UNREACHABLE, Reason.SERVICE_ABSENT,
        Reason.CONNECT, Reason.HANDSHAKE, Reason.SEND, Reason.ANSWER, Reason.GATEWAY,
        Reason.EXPIRED, Reason.HOSTNAME, Reason.UNKNOWN_CA, Reason.CERTIFICATE, Reason.CA_FILE,
        Reason.ALLOWLIST, Reason.PROXY_URL, Reason.APISERVER_TOKEN, Reason.APISERVER_DENIED,
        Reason.PATH_NOT_FOUND, Reason.NO_ENDPOINTS, Reason.UNAVAILABLE,
        Reason.REDIRECT, Reason.CONTENT_TYPE, Reason.PROTOCOL,
    }
)  # fmt: skip
"""Reasons that are not the model server's own; the next route may do better."""


def names(routes: Sequence[Route]) -> tuple[str, ...]:
    """What each route of a list is called: its type, and its place where several have that type."""
    types = [route.type for route in routes]
    return tuple(f"{kind} {place}" if types.count(kind) > 1 else kind for place, kind in enumerate(types, 1))


def share(left: float, waiting: int) -> float:
    """Seconds for a route while others wait behind it: half of what is left, all of it for the last."""
    return left / 2 if waiting else left


@dataclass(frozen=True, slots=True)
class _Last:
    index: int
    since: datetime


class Order:
    """Which of several routes to each spoke answered last; it is tried first, until it fails or a while is over.

    A route that failed several times in a row is left out for a while, if there is another one.
    """

    def __init__(self, bound: float, breakers: Breakers | None = None) -> None:
        """Take the seconds after which the first route gets its chance again, and what leaves routes out."""
        self._bound = timedelta(seconds=bound)
        self._breakers = breakers
        self._last: dict[tuple[str, tuple[Route, ...]], _Last] = {}

    def of(self, cluster: str, routes: tuple[Route, ...], now: datetime) -> tuple[tuple[int, ...], bool]:
        """Places in the list in the order to try, and whether the first of them is known to answer."""
        last = self._last.get((cluster, routes))
        open_ones = self._open(cluster, routes, now)
        if last is None or now - last.since >= self._bound:
            return open_ones, False
        return (last.index, *(place for place in open_ones if place != last.index)), True

    def shut(self, now: datetime) -> int:
        """How many routes are left out now."""
        return self._breakers.open(now.timestamp()) if self._breakers else 0

    def _open(self, cluster: str, routes: tuple[Route, ...], now: datetime) -> tuple[int, ...]:
        """Places without those that are left out; all of them when none would be left."""
        every = tuple(range(len(routes)))
        if self._breakers is None:
            return every
        known, moment = names(routes), now.timestamp()
        return tuple(at for at in every if self._breakers.may((cluster, known[at]), moment)) or every

    def answered(self, cluster: str, routes: tuple[Route, ...], index: int, now: datetime) -> None:
        """Remember; the bound runs on while the same route answers."""
        if self._breakers is not None:
            self._breakers.answered((cluster, names(routes)[index]))
        last = self._last.get((cluster, routes))
        # The first route has nothing before it that could be better: its time begins anew with each answer.
        if last is None or last.index != index or index == 0 or now - last.since >= self._bound:
            self._last[cluster, routes] = _Last(index, now)

    def failed(self, cluster: str, routes: tuple[Route, ...], index: int, now: datetime) -> None:
        """Forget a route that led nowhere."""
        if self._breakers is not None:
            self._breakers.failed((cluster, names(routes)[index]), now.timestamp())
        last = self._last.get((cluster, routes))
        if last is not None and last.index == index:
            del self._last[cluster, routes]
