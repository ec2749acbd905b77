"""Caches follow a real API server: through its restart, an expired watch, a missing kind, a user who may not."""

import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from hubctl.fleet.caches import Caches, Pace
from hubctl.fleet.cluster import Cluster, connect
from hubctl.model.snapshot import APPLICATIONS, MANAGED_CLUSTERS, Resource, Snapshot
from tests.inputs.hubobjects import managed
from tests.kube import apiserver, halfopen, hubs
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(240, func_only=True)]

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUICK = Pace(first=0.05, most=0.5, settled=0.5, patience=1.0, start=120.0)
WATCHER = "SharedInformer"


@pytest.fixture(scope="module")
def server(built: tuple[Path, ...]) -> Iterator[apiserver.Restartable]:
    """A server of these tests' own, with the hub's cluster kinds."""
    programs, definitions = built
    with TemporaryDirectory(prefix="hubctl-kube-") as folder, apiserver.restartable(programs, Path(folder)) as up:
        Api(up.client).define(definitions, "*managedcluster*")
        apiserver.kubeconfig(Path(folder), up.client)
        yield up


@pytest.fixture
def hub(server: apiserver.Restartable) -> Iterator[hubs.Hub]:
    made = hubs.Hub(server.client)
    yield made
    made.clear()


def connected(server: apiserver.Restartable, user: str = "admin") -> Cluster:
    text = (server.folder / "kubeconfig").read_text().replace("admin.pem", f"{user}.pem")
    named = server.folder / f"{user}.kubeconfig"
    named.write_text(text)
    return connect(named, None)


@pytest.fixture
def watched(request: pytest.FixtureRequest, server: apiserver.Restartable) -> Iterator[Caches]:
    """Caches of ManagedClusters and, where a test says so, of another kind; no thread outlives them."""
    more: tuple[Resource, ...] = getattr(request, "param", ())
    made = Caches(connected(server), (MANAGED_CLUSTERS, *more), QUICK)
    made.wait()
    yield made
    made.stop()
    assert [thread for thread in threading.enumerate() if thread.name == WATCHER] == []


def named(snapshot: Snapshot) -> set[str]:
    return {each["metadata"]["name"] for each in snapshot.of(MANAGED_CLUSTERS) or ()}


def test_caches_follow_what_joins_leaves_and_changes(hub: hubs.Hub, watched: Caches) -> None:
    assert watched.snapshot(NOW).of(MANAGED_CLUSTERS) == ()
    hub.join(managed("edge-a"), managed("edge-b"))
    hubs.until(lambda: named(watched.snapshot(NOW)) == {"edge-a", "edge-b"}, "both have joined")
    hub.leave("edge-a")
    hub.patch(f"{hubs.CLUSTERS}/edge-b", {"metadata": {"labels": {"tier": "gold"}}})

    def followed() -> bool:
        found = watched.snapshot(NOW).of(MANAGED_CLUSTERS) or ()
        return [each["metadata"].get("labels") for each in found] == [{"tier": "gold"}]

    hubs.until(followed, "one has left and one has changed")


def test_watch_survives_a_restart_of_the_server_and_an_expired_version(
    server: apiserver.Restartable, hub: hubs.Hub, watched: Caches, caplog: pytest.LogCaptureFixture
) -> None:
    hub.join(managed("edge-a"))
    hubs.until(lambda: named(watched.snapshot(NOW)) == {"edge-a"}, "it has joined")
    # A server that starts keeps no versions before its first list, and others' writes make the watch's an old one.
    for number in range(5):
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"other-{number}"}}
        assert server.client.post("/api/v1/namespaces", json=space).is_success
    server.stop()
    hubs.until(lambda: watched.snapshot(NOW).of(MANAGED_CLUSTERS) is None, "the kind is unread")
    assert "its watch has been failing for" in watched.snapshot(NOW).unread[MANAGED_CLUSTERS]
    server.start()
    hub.join(managed("edge-b"))
    hub.leave("edge-a")
    hubs.until(lambda: named(watched.snapshot(NOW)) == {"edge-b"}, "the caches are right again")
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


@pytest.mark.parametrize("watched", [(APPLICATIONS,)], indirect=True)
def test_kind_that_is_not_there_is_unread_until_it_is(
    server: apiserver.Restartable, hub: hubs.Hub, watched: Caches, built: tuple[Path, ...]
) -> None:
    found = watched.snapshot(NOW)
    assert found.of(MANAGED_CLUSTERS) == ()
    assert "404" in found.unread[APPLICATIONS] or "page not found" in found.unread[APPLICATIONS]
    hub.join(managed("edge-a"))
    hubs.until(lambda: named(watched.snapshot(NOW)) == {"edge-a"}, "the other kind is watched all the same")
    Api(server.client).define(built[1], "application-crd.yaml")
    hubs.until(lambda: watched.snapshot(NOW).of(APPLICATIONS) == (), "the new kind is listed")


class Ageing(Cluster):
    """Asks for changes since a version that the server has forgotten, whenever ``old`` is set."""

    def __init__(self, client: Any) -> None:
        super().__init__(client)
        self.old = False
        self.lists = 0

    def list(self, path: str, query: Mapping[str, str]) -> tuple[tuple[Mapping[str, Any], ...], str]:
        self.lists += 1
        self.old = False
        return super().list(path, query)

    def stream(self, path: str, query: Mapping[str, str], silence: float) -> Any:
        return super().stream(path, {**query, "resourceVersion": "1"} if self.old else query, silence)


def test_forgotten_version_makes_the_kind_be_listed_anew(server: apiserver.Restartable, hub: hubs.Hub) -> None:
    ageing = Ageing(connected(server)._client)
    caches = Caches(ageing, (MANAGED_CLUSTERS,), replace(QUICK, watch=1.0))
    try:
        caches.wait()
        assert ageing.lists == 1
        ageing.old = True
        hub.join(managed("edge-a"))
        hubs.until(lambda: ageing.lists == 2, "the kind to be listed anew")
        hubs.until(lambda: named(caches.snapshot(NOW)) == {"edge-a"}, "the caches to be right again")
    finally:
        caches.stop()


def test_connection_that_went_silent_is_given_up(server: apiserver.Restartable, hub: hubs.Hub) -> None:
    with halfopen.relay(int(str(server.client.base_url.port))) as way:
        through = connected(server)
        through.address = f"https://127.0.0.1:{way.port}"
        caches = Caches(through, (MANAGED_CLUSTERS,), replace(QUICK, watch=2.0, silence=1.0))
        try:
            caches.wait()
            way.silence()
            hub.join(managed("edge-a"))
            hubs.until(lambda: named(caches.snapshot(NOW)) == {"edge-a"}, "a new connection")
        finally:
            caches.stop()


def test_watch_ends_when_it_is_stopped_although_its_connection_is_silent(
    server: apiserver.Restartable, hub: hubs.Hub
) -> None:
    with halfopen.relay(int(str(server.client.base_url.port))) as way:
        through = connected(server)
        through.address = f"https://127.0.0.1:{way.port}"
        caches = Caches(through, (MANAGED_CLUSTERS,), replace(QUICK, watch=600.0))
        caches.wait()
        hub.join(managed("edge-a"))
        hubs.until(lambda: named(caches.snapshot(NOW)) == {"edge-a"}, "the watch is open")
        way.silence()
        caches.stop()
        assert [thread for thread in threading.enumerate() if thread.name == WATCHER] == []


def test_user_who_may_not_list_is_told_so_and_shows_no_credential(server: apiserver.Restartable) -> None:
    caches = Caches(connected(server, "guest"), (MANAGED_CLUSTERS,), QUICK)
    try:
        caches.wait()
        told = caches.snapshot(NOW).unread[MANAGED_CLUSTERS]
    finally:
        caches.stop()
    assert 'User "guest" cannot list resource' in told
    assert "BEGIN" not in told
