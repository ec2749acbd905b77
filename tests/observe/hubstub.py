"""The hub's API for tests that need no API server: objects by path and Secrets by name, and what was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from hubctl.errors import RemoteFailed
from hubctl.model.snapshot import FEEDBACK_WORKS, SERVICE_ACCOUNTS, Snapshot

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class HubStub:
    objects: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    secrets: dict[tuple[str, str], dict[str, bytes]] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    async def secret(self, namespace: str, name: str) -> Mapping[str, bytes]:
        self.asked.append(f"{namespace}/{name}")
        if (namespace, name) not in self.secrets:
            raise RemoteFailed(f"secrets {name} not found")
        return dict(self.secrets[namespace, name])

    async def read(self, path: str) -> Mapping[str, Any] | None:
        self.asked.append(path)
        if path in self.refused:
            raise RemoteFailed(f"{path}: forbidden")
        return self.objects.get(path)


def account(cluster: str = "edge-a", name: str = "poller", refers_to: str = "poller", at: str = "t1") -> dict[str, Any]:
    """A ManagedServiceAccount; without a name of a Secret one whose token is not reported."""
    reference = {"tokenSecretRef": {"name": refers_to, "lastRefreshTimestamp": at}} if refers_to else {}
    waiting = {"type": "TokenReported", "status": "False", "message": "no agent yet"}
    return {
        "metadata": {"namespace": cluster, "name": name},
        "status": reference | {"conditions": [] if refers_to else [waiting]},
    }


def accounts(*found: Mapping[str, Any]) -> Snapshot:
    return Snapshot(NOW, {SERVICE_ACCOUNTS: found})


def work(cluster: str, resource: str, name: str, **fed_back: str) -> dict[str, Any]:
    """A ManifestWork with feedback on one object of namespace ``models``."""
    told = [{"name": key, "fieldValue": {"type": "String", "string": text}} for key, text in fed_back.items()]
    meta = {"resource": resource, "namespace": "models", "name": name}
    manifest = {"resourceMeta": meta, "statusFeedback": {"values": told}}
    return {
        "metadata": {"namespace": cluster, "name": "hubctl-fleet-feedback"},
        "status": {"resourceStatus": {"manifests": [manifest]}},
    }


def works(*found: Mapping[str, Any]) -> Snapshot:
    return Snapshot(NOW, {FEEDBACK_WORKS: found})
