"""Bodies: encoded rows, kept for as long as polls bring the same window again.

A window is polled several times before the next one is there, and encoding it is the dearest pure step of a poll.
Bounded in bytes, because fleets are large and windows may be.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable

MOST_BYTES = 64 * 1024 * 1024
"""Of all bodies; 30,000 windows of five rows of 45 numbers."""


class Bodies:
    """The bodies used last."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        """Take the bound in bytes."""
        self._most = most
        self._held: OrderedDict[Hashable, bytes] = OrderedDict()
        self._size = 0

    def of(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """The body of a key, made if it is not held; equal keys have equal bodies."""
        body = self._held.get(key)
        if body is None:
            body = self._held[key] = make()
            self._size += len(body)
            while self._size > self._most:
                self._size -= len(self._held.popitem(last=False)[1])
        else:
            self._held.move_to_end(key)
        return body
