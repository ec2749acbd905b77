"""Conditions and Events on the real API server: what it takes, what it aggregates, and what a refusal comes to."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
import yaml

from hubctl.errors import RemoteFailed
from hubctl.fleet import standing
from hubctl.fleet.cluster import Cluster, connect
from hubctl.fleet.events import MOST, REFRESH, Events
from hubctl.model.notice import Notice, Subject
from hubctl.passes import Pass
from hubctl.report.conditions import Facts, conditions
from hubctl.report.teller import Teller
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

NAMESPACE = "told"
NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OWN = Subject("v1", "ConfigMap", "hubctl-status", NAMESPACE, "u-1")
SPOKE = Subject("cluster.open-cluster-management.io/v1", "ManagedCluster", "edge-a", uid="u-2")


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def server(api: Api, kubeconfig: Path) -> Iterator[Cluster]:
    api.make_namespace(NAMESPACE)
    yield connect(kubeconfig, None)
    for namespace in (NAMESPACE, "default"):
        api.client.delete(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")
    api.client.delete(f"/api/v1/namespaces/{NAMESPACE}/configmaps/hubctl-status")


def events(api: Api, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """The Events that hubctl wrote."""
    found = api.client.get(f"/apis/events.k8s.io/v1/namespaces/{namespace}/events").json()["items"]
    return [one for one in found if one["reportingController"] == "hubctl.io/hubctl"]


def status(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/hubctl-status").json()
    return found


async def test_lasting_trouble_is_one_event_with_a_growing_series_also_after_a_restart(
    api: Api, server: Cluster
) -> None:
    notice = Notice(OWN, "PassFailed", "Reconcile", "the store is full", "StoreUnavailable", warning=True)
    clock = Clock()
    first = Events(server, "pod-1", clock)
    for _ in range(5):
        await first.write([notice], NOW)
    [seen] = events(api)
    assert (seen["type"], seen["reason"], seen["note"]) == ("Warning", "PassFailed", "the store is full")
    assert "series" not in seen
    clock.now = REFRESH
    later = NOW + timedelta(minutes=5)
    await first.write([notice], later)
    [seen] = events(api)
    assert seen["series"] == {"count": 6, "lastObservedTime": "2026-03-01T12:05:00.000000Z"}
    await Events(server, "pod-2", Clock()).write([notice], later)
    [seen] = events(api)
    assert seen["series"]["count"] == 7


async def test_event_about_what_has_no_namespace_is_where_kubectl_looks_for_it(api: Api, server: Cluster) -> None:
    await Events(server, "pod-1").write([Notice(SPOKE, "IncidentOpened", "Judge", "x" * 3000, "inc-1")], NOW)
    [seen] = events(api, "default")
    assert seen["regarding"] == {
        "apiVersion": SPOKE.api_version,
        "kind": "ManagedCluster",
        "name": "edge-a",
        "uid": "u-2",
    }
    assert len(seen["note"]) == 1024


async def test_no_pass_writes_more_events_than_the_bound(api: Api, server: Cluster) -> None:
    many = [Notice(OWN, "IncidentOpened", "Judge", "x", f"inc-{number}") for number in range(MOST + 7)]
    assert await Events(server, "pod-1").write(many, NOW) == 7
    assert len(events(api)) == MOST


async def test_conditions_are_written_when_they_change_and_not_before(api: Api, server: Cluster) -> None:
    good = conditions(Pass(NOW), Facts())
    subject = await standing.write(server, NAMESPACE, good, NOW)
    before = status(api)
    assert subject.uid == before["metadata"]["uid"]
    assert (before["data"]["Ready"], before["data"]["Paused"]) == ("True", "False")
    later = NOW + timedelta(minutes=1)
    await standing.write(server, NAMESPACE, good, later)
    assert status(api)["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]
    await standing.write(server, NAMESPACE, conditions(None, Facts(failed=RemoteFailed("away"))), later)
    found = {one["type"]: one for one in yaml.safe_load(status(api)["data"]["conditions"])}
    assert (found["Ready"]["status"], found["Ready"]["lastTransitionTime"]) == ("False", "2026-03-01T12:01:00Z")
    assert found["ConfigurationValid"]["lastTransitionTime"] == "2026-03-01T12:00:00Z"


async def test_conditions_come_back_when_a_person_spoils_or_removes_them(api: Api, server: Cluster) -> None:
    await standing.write(server, NAMESPACE, conditions(Pass(NOW), Facts()), NOW)
    path = f"/api/v1/namespaces/{NAMESPACE}/configmaps/hubctl-status"
    patch = {"data": {"conditions": "{ not yaml", "Ready": "Perhaps"}}
    api.client.patch(path, json=patch, headers={"content-type": "application/merge-patch+json"})
    await standing.write(server, NAMESPACE, conditions(Pass(NOW), Facts()), NOW)
    assert status(api)["data"]["Ready"] == "True"
    api.client.delete(path)
    await standing.write(server, NAMESPACE, conditions(Pass(NOW), Facts()), NOW)
    assert status(api)["data"]["Ready"] == "True"


async def test_hub_that_cannot_be_told_fails_no_pass_and_is_logged_once(server: Cluster) -> None:
    teller = Teller("no-such-namespace")
    with structlog.testing.capture_logs() as logged:
        await teller.tell(server, Pass(NOW), Facts(), NOW)
        await teller.tell(server, Pass(NOW), Facts(), NOW)
    assert [line["event"] for line in logged] == ["the hub is not told"]
    assert "no-such-namespace" in logged[0]["error"]
    await teller.tell(None, Pass(NOW), Facts(), NOW)


async def test_pass_is_told_with_its_conditions_and_its_events(api: Api, server: Cluster) -> None:
    made = Pass(NOW, problems=(RemoteFailed("the remote is away"),))
    await Teller(NAMESPACE).tell(server, made, Facts(RemoteFailed("wrong file")), NOW)
    assert {one["reason"] for one in events(api)} == {"PassIncomplete", "ConfigurationRefused"}
    assert {one["regarding"]["uid"] for one in events(api)} == {status(api)["metadata"]["uid"]}
    assert status(api)["data"]["RemoteReachable"] == "False"
