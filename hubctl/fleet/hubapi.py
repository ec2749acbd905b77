"""HubApi: what hubctl reads of the hub's own API server: snapshots of kinds of objects, and single Secrets."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

from hubctl.errors import RemoteFailed
from hubctl.fleet.caches import Caches
from hubctl.fleet.cluster import Cluster
from hubctl.model.apiserver import ApiServer
from hubctl.model.snapshot import Resource, Snapshot


class HubApi:
    """The hub's API server.

    Attributes:
        server: for those that write what hubctl says of itself.
    """

    def __init__(self, cluster: Cluster, resources: Sequence[Resource], server: ApiServer | None = None) -> None:
        """Take the server, the kinds that snapshots hold, and a less patient way there; nothing is asked yet."""
        self._cluster = cluster
        self.server: ApiServer = server or cluster
        self._resources = tuple(resources)
        self._caches: Caches | None = None

    def watch(self) -> None:
        """From now on keep the objects up to date in the background; snapshots ask nobody then."""
        self._caches = Caches(self._cluster, self._resources)

    def close(self) -> None:
        """End what goes on in the background."""
        if self._caches is not None:
            self._caches.stop()

    async def snapshot(self, now: datetime) -> Snapshot:
        """All objects of the kinds; one that cannot be read is told in ``unread`` and does not hide the others."""
        if self._caches is not None:
            await asyncio.to_thread(self._caches.wait)
            return self._caches.snapshot(now)
        objects, unread = {}, {}
        for resource in self._resources:
            try:
                objects[resource] = await asyncio.to_thread(self._list, resource)
            except RemoteFailed as error:
                unread[resource] = str(error)
        return Snapshot(now, objects, unread)

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        """The decoded data of a Secret, read now.

        Raises:
            RemoteFailed: it cannot be read, or there is none. The message holds nothing of it.
        """
        path = f"/api/v1/namespaces/{namespace}/secrets/{name}"
        body = await asyncio.to_thread(self._cluster.get, path)
        data = body.get("data")
        try:
            return {key: base64.b64decode(value) for key, value in (data or {}).items()}
        except (binascii.Error, TypeError, ValueError, AttributeError):
            raise RemoteFailed(f"{path}: its data is no base64", where=self._cluster.address) from None

    async def read(self, path: str) -> Mapping[str, Any] | None:
        """One object by its path from the root, read now; None when there is none, or nothing of its kind.

        Raises:
            RemoteFailed: it cannot be read.
        """
        answer = await asyncio.to_thread(self._cluster.ask, "GET", path)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        if not answer.ok:
            raise RemoteFailed(f"{path}: {answer.message}", where=self._cluster.address)
        return answer.body

    def _list(self, resource: Resource) -> tuple[Mapping[str, Any], ...]:
        return self._cluster.list(resource.path, resource.query)[0]
