"""Caches: the hub's objects as they are now, kept by the Kubernetes client's informer; for a process that stays.

The informer lists, watches, resumes and lists anew after 410 Gone. Here is only what it is handed to list with, and
what it leaves to others: taking lists of plain dictionaries apart, bookmarks, which keep a quiet watch resumable, ever
longer pauses between tries that fail, an end to a connection that went silent, and since when a kind cannot be read.
"""

import logging
import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hubctl.errors import RemoteFailed
from hubctl.fleet.cluster import Cluster
from hubctl.model.snapshot import Resource, Snapshot


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient the watches are, in seconds.

    Attributes:
        watch: after which the server is to end a watch; a new one resumes it.
        silence: without a byte for so long beyond that, a connection is given up.
        first: before the second try of what failed; doubled by each further one.
        most: between two tries.
        settled: a watch that was open for so long has not failed.
        patience: a kind whose watch has been failing for so long counts as unread.
        start: that the first snapshot waits for the first lists.
    """

    watch: float = 60.0
    silence: float = 15.0
    first: float = 0.5
    most: float = 60.0
    settled: float = 5.0
    patience: float = 60.0
    start: float = 30.0


@dataclass(frozen=True, slots=True)
class _Metadata:
    resource_version: str


@dataclass(frozen=True, slots=True)
class _Listing:
    """A list in the form that the informer takes apart."""

    items: Sequence[Mapping[str, Any]]
    metadata: _Metadata


class Caches:
    """What the hub's API holds of some kinds, kept up to date by one thread a kind until stopped."""

    def __init__(self, cluster: Cluster, resources: Sequence[Resource], pace: Pace | None = None) -> None:
        """Begin to list and watch at once."""
        from kubernetes.informer import SharedInformer  # noqa: PLC0415 - loads slowly, see ``cluster``

        # It would log a traceback for each try; what failed is told by the snapshot.
        logging.getLogger("kubernetes.informer.informer").setLevel(logging.CRITICAL)
        self._pace = pace or Pace()
        self._stopped = threading.Event()
        self._kinds = {one: _Kind(cluster, one, self._stopped, self._pace) for one in resources}
        self._informers = {one: SharedInformer(kind.list) for one, kind in self._kinds.items()}
        for one, informer in self._informers.items():
            informer.add_event_handler("ERROR", self._kinds[one].failed)
            informer.start()

    def wait(self) -> None:
        """Until each kind was listed or could not be, but not for ever."""
        until = time.monotonic() + self._pace.start
        for kind in self._kinds.values():
            kind.tried.wait(max(0.0, until - time.monotonic()))

    def snapshot(self, now: datetime) -> Snapshot:
        """What the caches hold; a kind that was not listed yet, or has been failing for too long, is unread."""
        objects, unread = {}, {}
        for resource, kind in self._kinds.items():
            if why := kind.trouble():
                unread[resource] = why
            else:
                objects[resource] = tuple(self._informers[resource].cache.list())
        return Snapshot(now, objects, unread)

    def stop(self, seconds: float = 10.0) -> None:
        """End every thread; one that a connection holds longer than that ends with the process."""
        self._stopped.set()
        ends = [threading.Thread(target=one.stop, daemon=True) for one in self._informers.values()]
        for end in ends:
            end.start()
        until = time.monotonic() + seconds
        for end in ends:
            end.join(max(0.0, until - time.monotonic()))


@dataclass(slots=True)
class _Kind:
    """One kind: what the informer lists and watches it with, and how that goes.

    Attributes:
        tried: set once it was listed, or could not be.
        listed: whether the cache holds a whole list.
        opened: when the watch that goes on was opened; None while there is none.
        failing: since when tries fail, one after another; None while they do not.
        failures: so many of them.
        why: the last one.
    """

    cluster: Cluster
    resource: Resource
    stopped: threading.Event
    pace: Pace
    tried: threading.Event = field(default_factory=threading.Event)
    listed: bool = False
    opened: float | None = None
    failing: float | None = None
    failures: int = 0
    why: str = "it is being listed"

    def list(self, *, watch: bool = False, resource_version: str = "", **_given: Any) -> Any:
        """All objects, or what changes from a version on.

        The informer reads the next line, to learn that objects are plain dictionaries.

        :rtype: object
        """
        self._pause()
        if not watch:
            return self._all()
        self.listed = True  # the informer has put the whole list into its cache before it watches
        self.tried.set()
        query = {
            **self.resource.query,
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(round(self.pace.watch)),
        }
        response = self.cluster.stream(self.resource.path, query, self.pace.watch + self.pace.silence)
        if self.stopped.is_set():  # too late for the informer to be told
            response.close()
            raise RemoteFailed("stopped")
        self.opened = time.monotonic()
        return response

    def failed(self, error: object) -> None:
        """The informer's word that a list or watch ended in an error."""
        now = time.monotonic()
        if self._is_settled(now):
            self.failing, self.failures = None, 0
        self.failing = now if self.failing is None else self.failing
        self.failures += 1
        self.opened = None
        self.why = _told(error)
        self.tried.set()

    def trouble(self) -> str:
        """Why the cache says nothing about the hub now; empty when it does."""
        if not self.listed:
            return self.why
        now = time.monotonic()
        if self.failing is None or self._is_settled(now) or now - self.failing < self.pace.patience:
            return ""
        return f"its watch has been failing for {now - self.failing:.0f} s: {self.why}"

    def _all(self) -> _Listing:
        items, version = self.cluster.list(self.resource.path, self.resource.query)
        return _Listing(items, _Metadata(version))

    def _pause(self) -> None:
        """Wait after failures, and between watches that end at once; ends the thread's work when stopped.

        Raises:
            RemoteFailed: there is no need to go on.
        """
        now = time.monotonic()
        if self._is_settled(now):
            self.failing, self.failures = None, 0
        elif self.opened is not None:  # ended without an error, and too soon
            self.failures += 1
        self.opened = None
        if self.failures:
            longest = min(self.pace.most, self.pace.first * 2.0 ** min(self.failures - 1, 16))
            self.stopped.wait(longest * random.uniform(0.5, 1.0))  # noqa: S311 - spreads load, guards nothing
        if self.stopped.is_set():
            raise RemoteFailed("stopped")

    def _is_settled(self, now: float) -> bool:
        return self.opened is not None and now - self.opened >= self.pace.settled


def _told(error: object) -> str:
    """An error in words that hold no header and no credential."""
    if isinstance(error, RemoteFailed):
        return str(error)
    status, reason = getattr(error, "status", None), getattr(error, "reason", None)
    return f"{status} {reason}" if status else type(error).__name__
