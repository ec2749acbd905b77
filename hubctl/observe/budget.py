"""Budget: how many polls a whole fleet may make twice. Pure.

Without one, retries double the load just when a router or the hub's own network has too little left.
"""

from hubctl.observe.reason import Reason

TRANSIENT = frozenset(
    {Reason.RESET, Reason.REFUSED, Reason.BAD_GATEWAY, Reason.UNAVAILABLE, Reason.GATEWAY, Reason.TUNNEL}
)
"""What may be gone a moment later: refused and broken connections, tunnels, gateways without a reason of their own."""

_PAUSE = 0.2
"""Seconds between the two attempts, at least; at most twice as long."""


class Budget:
    """Tokens: each poll that is due adds its share of one, each retry takes one."""

    def __init__(self, share: float) -> None:
        """Take the share of polls that may be made twice."""
        self._share = share
        self._most = 1.0
        self.left = 0.0

    def due(self, polls: int) -> None:
        """A round began: what is left of older rounds counts for at most one of this size."""
        self._most = max(1.0, self._share * polls)
        self.left = min(self.left + self._share * polls, self._most)

    def take(self) -> bool:
        """Whether a poll may be made once more; it is counted then."""
        if self.left < 1:
            return False
        self.left -= 1
        return True


def pause(jitter: float) -> float:
    """Seconds until the second attempt, with a jitter from 0 to 1."""
    return _PAUSE * (1 + jitter)
