"""Kubernetes Events (events.k8s.io/v1): notices written beside the objects that they are about.

The same notice is one Event with a growing series, whoever writes it: its name is made of its identity. A lasting one
is written again only every few minutes, with all times that it was given meanwhile.
"""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hubctl.errors import RemoteFailed
from hubctl.model.apiserver import Answer, ApiServer
from hubctl.model.notice import Notice

MOST = 20
"""Events that are written after one pass; the rest is left out, and counted."""

REFRESH = 300.0
"""Seconds between two writings of one Event."""

CONTROLLER = "hubctl.io/hubctl"

_DEFAULT = "default"
"""Where Events about objects without a namespace have to be."""

_CONFLICT, _NOT_FOUND = 409, 404
_MERGE = "application/merge-patch+json"
_LONGEST_NAME = 220


@dataclass(slots=True)
class _Kept:
    """What one process remembers of an Event: when it was written, and how often it was given since."""

    written: float
    since: int = 0


@dataclass(slots=True)
class Events:
    """The Events that one process writes.

    Attributes:
        server: the hub's.
        instance: which process, such as its pod's name.
        clock: seconds that only grow.
    """

    server: ApiServer
    instance: str
    clock: Callable[[], float] = time.monotonic
    _kept: dict[str, _Kept] = field(default_factory=dict)

    async def write(self, notices: Sequence[Notice], now: datetime) -> int:
        """Write what is due; how many were left out since there are too many.

        Raises:
            RemoteFailed: the server refused some; or it did not answer, and those after that are not tried.
        """
        refused = []
        due = [one for one in dict.fromkeys(notices) if self._is_due(one)]
        for one in due[:MOST]:
            count = self._kept[one.identity].since + 1 if one.identity in self._kept else 1
            refused.append(await asyncio.to_thread(self._write, one, count, now))
            self._kept[one.identity] = _Kept(self.clock())
        self._forget()
        if why := next(filter(None, refused), ""):
            raise RemoteFailed(why, hint="see whether hubctl may create, get and patch Events there")
        return len(due[MOST:])

    def _is_due(self, notice: Notice) -> bool:
        kept = self._kept.get(notice.identity)
        if kept is None or self.clock() - kept.written >= REFRESH:
            return True
        kept.since += 1
        return False

    def _forget(self) -> None:
        """An Event that was not given for long has its own time to live on the server."""
        old = [name for name, kept in self._kept.items() if self.clock() - kept.written > 12 * REFRESH]
        for name in old:
            del self._kept[name]

    def _write(self, notice: Notice, count: int, now: datetime) -> str:
        """Why the server refused it; empty when it did not."""
        body = event(notice, self.instance, now)
        place = f"/apis/events.k8s.io/v1/namespaces/{body['metadata']['namespace']}/events"
        path = f"{place}/{body['metadata']['name']}"
        answer = self.server.ask("POST", place, body=json.dumps(body), form="application/json")
        if answer.status == _CONFLICT:
            found = self.server.ask("GET", path)
            if found.ok:
                grown = {"series": _series(found.body, count, now)}
                found = self.server.ask("PATCH", path, body=json.dumps(grown), form=_MERGE)
            # One that ran out just then is made anew the next time.
            answer = Answer(200, {}) if found.status == _NOT_FOUND else found
        return "" if answer.ok else f"{path}: {answer.message}"


def event(notice: Notice, instance: str, now: datetime) -> dict[str, Any]:
    """The Event of a notice that is given for the first time."""
    subject = notice.subject
    regarding = {
        "apiVersion": subject.api_version,
        "kind": subject.kind,
        "name": subject.name,
        "namespace": subject.namespace,
        "uid": subject.uid,
    }
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{subject.name[:_LONGEST_NAME]}.{notice.identity}",
            "namespace": subject.namespace or _DEFAULT,
        },
        "eventTime": _micro(now),
        "regarding": {key: value for key, value in regarding.items() if value},
        "type": "Warning" if notice.warning else "Normal",
        "reason": notice.reason,
        "action": notice.action,
        "note": notice.short_note,
        "reportingController": CONTROLLER,
        "reportingInstance": instance,
    }


def _series(found: Mapping[str, Any], count: int, now: datetime) -> dict[str, Any]:
    before = (found.get("series") or {}).get("count") or 1
    return {"count": int(before) + count, "lastObservedTime": _micro(now)}


def _micro(now: datetime) -> str:
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
