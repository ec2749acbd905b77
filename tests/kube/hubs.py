"""A hub on a real API server: ManagedClusters and decisions, with statuses as agents and controllers write them."""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import httpx

from tests.inputs.hubobjects import GROUP, decision, managed

CLUSTERS = f"/apis/{GROUP}/v1/managedclusters"
MERGE = {"content-type": "application/merge-patch+json"}
WAIT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Hub:
    """What tests do to the hub."""

    client: httpx.Client

    def join(self, *clusters: Mapping[str, Any]) -> None:
        """Clusters join, with the status that their agents report."""
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(self._join, clusters))

    def _join(self, cluster: Mapping[str, Any]) -> None:
        path = f"{CLUSTERS}/{cluster['metadata']['name']}"
        made = self.client.post(CLUSTERS, json=cluster)
        assert made.is_success, made.text
        self.patch(f"{path}/status", {"status": _timed(cluster["status"])})

    def leave(self, *names: str) -> None:
        """Clusters are detached."""
        with ThreadPoolExecutor(8) as pool:
            for answer in pool.map(lambda name: self.client.delete(f"{CLUSTERS}/{name}"), names):
                assert answer.is_success, answer.text

    def patch(self, path: str, body: Mapping[str, Any]) -> None:
        """A merge patch."""
        answer = self.client.patch(path, json=body, headers=MERGE)
        assert answer.is_success, answer.text

    def decide(self, placement: str, number: int, names: Iterable[str]) -> None:
        """One of a Placement's decisions says these clusters."""
        body = decision(placement, number, names)
        folder = f"/apis/{GROUP}/v1beta1/namespaces/fleet/placementdecisions"
        path = f"{folder}/{body['metadata']['name']}"
        if self.client.get(path).status_code == httpx.codes.NOT_FOUND:
            made = self.client.post(folder, json={key: body[key] for key in body if key != "status"})
            assert made.is_success, made.text
        self.patch(f"{path}/status", {"status": body["status"]})

    def clear(self) -> None:
        """Nothing of it is left."""
        answer = self.client.delete(CLUSTERS)
        assert answer.is_success, answer.text


def fleet(count: int, first: int = 0) -> list[dict[str, Any]]:
    """So many OpenShift clusters."""
    return [managed(f"edge-{number:03}") for number in range(first, first + count)]


def until(seen: Callable[[], bool], what: str) -> None:
    """Waits until something is seen."""
    end = time.monotonic() + WAIT_SECONDS
    while not seen():
        assert time.monotonic() < end, f"not within {WAIT_SECONDS} s: {what}"
        time.sleep(0.05)


def _timed(status: Mapping[str, Any]) -> dict[str, Any]:
    """A status whose conditions have all that the CRD asks for."""
    at = {"lastTransitionTime": "2026-01-01T00:00:00Z", "reason": "Tested", "message": ""}
    return {**status, "conditions": [{**each, **at} for each in status["conditions"]]}
