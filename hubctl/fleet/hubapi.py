"""HubApi: what hubctl reads of the hub's own API server: snapshots of kinds of objects, and single Secrets."""

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hubctl.errors import RemoteFailed
from hubctl.fleet.cluster import Cluster
from hubctl.model.snapshot import Resource, Snapshot

PAGE = 500
"""Objects asked for at once, as kubectl does."""


class HubApi:
    """The hub's API server."""

    def __init__(self, cluster: Cluster, resources: Sequence[Resource]) -> None:
        """Take the server and the kinds that snapshots hold; nothing is asked yet."""
        self._cluster = cluster
        self._resources = tuple(resources)

    async def snapshot(self, now: datetime) -> Snapshot:
        """All objects of the kinds; one that cannot be read is told in ``unread`` and does not hide the others."""
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

    def _list(self, resource: Resource) -> tuple[Mapping[str, Any], ...]:
        found: list[Mapping[str, Any]] = []
        query = {"limit": str(PAGE)} | ({"labelSelector": resource.labels} if resource.labels else {})
        while True:
            body = self._cluster.get(resource.path, **query)
            found += body.get("items") or []
            query["continue"] = str((body.get("metadata") or {}).get("continue") or "")
            if not query["continue"]:
                return tuple(found)
