"""Kept: what is dear to make and asked for again in the next round, within a bound of bytes.

A round asks for everything once, in about the same order. Putting out what was used longest ago would then put out each
just before its turn, and a fleet that is a little too large would find nothing at all. So what is there stays for as
long as rounds ask for it, and what finds no room is made anew each time.
"""

from collections.abc import Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class Kept(Generic[Key, Value]):
    """Values by key, within a bound."""

    def __init__(self, most: int) -> None:
        """Take the bound in bytes."""
        self._most = most
        self._held: dict[Key, Value] = {}
        self._sizes: dict[Key, int] = {}
        self._size = 0
        self._asked: set[Key] = set()
        self._refused = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: Key) -> Value | None:
        """What is kept under a key."""
        value = self._held.get(key)
        if value is not None:
            self._asked.add(key)
        return value

    def put(self, key: Key, value: Value, size: int) -> None:
        """Keep a value of so many bytes, if there is room; what was kept under the key goes."""
        self._drop(key)
        if self._size + size > self._most:
            self._refused += 1
            if self._refused <= len(self._held):
                return
            # A round or more went by: what nobody asked for in it is not the fleet's any more.
            for old in self._held.keys() - self._asked:
                self._drop(old)
            self._asked.clear()
            self._refused = 0
            if self._size + size > self._most:
                return
        self._held[key], self._sizes[key] = value, size
        self._size += size
        self._asked.add(key)

    def _drop(self, key: Key) -> None:
        if self._held.pop(key, None) is not None:
            self._size -= self._sizes.pop(key)
