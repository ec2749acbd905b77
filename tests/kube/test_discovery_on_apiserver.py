"""A fleet that a real API server names: 200 clusters that join, leave, go silent and are renamed, and the commands."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubctl import discovery
from hubctl.cli import main
from hubctl.errors import GuardRefused
from hubctl.fleet.cluster import connect
from hubctl.fleet.hubapi import HubApi
from hubctl.inputs import load
from hubctl.model import watching
from hubctl.model.inventory import Look, Trouble
from hubctl.settings import Settings, read_settings
from hubctl.store.schema import open_store
from tests.inputs.hubobjects import managed
from tests.kube import hubs
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(180, func_only=True)]

VALUES = """\
coordinationEngine: {kserve: {namespace: models, models: [{name: detector}]}}
hubctl:
  gitops: {remote: "https://git.example.com/fleet.git"}
  fleet: {source: acm}
  groups: [{name: all, match: {}, serve: [{name: detector, version: v1}]}]
"""
PLACED = VALUES.replace("source: acm", "source: acm, placements: [{namespace: fleet, name: edge}]")
T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def hub(api: Api) -> Iterator[hubs.Hub]:
    made = hubs.Hub(api.client)
    yield made
    made.clear()


@pytest.fixture
def settings(kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HUBCTL_KUBECONFIG", str(kubeconfig))
    (tmp_path / "values-hub.yaml").write_text(VALUES)
    (tmp_path / "clusters").mkdir()
    return read_settings(str(tmp_path), {"HUBCTL_KUBECONFIG": str(kubeconfig)})


async def look(settings: Settings, minutes: float) -> Look:
    """A look at the hub, so many minutes after the first."""
    sources = load.read_sources(settings)
    at = T0 + timedelta(minutes=minutes)
    api = HubApi(connect(settings.kubeconfig, None), watching.of_fleet(sources.values.hubctl.fleet))
    with open_store(f"sqlite:///{settings.state / 'hubctl.db'}") as store:
        return discovery.discovered(sources, store.inventories, await api.snapshot(at)).look


def said(capsys: pytest.CaptureFixture[str], settings: Settings, *words: str) -> tuple[int, str, str]:
    code = main.run(["-C", str(settings.directory), *words])
    told = capsys.readouterr()
    return code, told.out, told.err


def nowhere(settings: Settings) -> Path:
    """A kubeconfig of a hub where nobody answers."""
    made = settings.directory / "nowhere.kubeconfig"
    made.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", (settings.kubeconfig or made).read_text()))
    return made


async def test_two_hundred_clusters_join_leave_go_silent_and_are_renamed(hub: hubs.Hub, settings: Settings) -> None:
    hub.join(*hubs.fleet(200), managed("the-hub", labels={"local-cluster": "true"}))
    first = await look(settings, 0)
    assert len(first.changes.joined) == 200

    hub.join(managed("late"))
    hub.leave("edge-000", "edge-001")
    for name, status in (("edge-002", "Unknown"), ("edge-003", "False")):
        condition = managed(name, available=status)["status"]
        hub.patch(f"{hubs.CLUSTERS}/{name}/status", {"status": hubs._timed(condition)})
    taint = {"key": "cluster.open-cluster-management.io/unreachable", "effect": "NoSelect", "timeAdded": T0.isoformat()}
    hub.patch(f"{hubs.CLUSTERS}/edge-004", {"spec": {"taints": [taint]}})
    second = await look(settings, 1)
    assert second.changes.joined == ("late",)
    assert second.changes.missing == ("edge-000", "edge-001")
    assert second.inventory
    notes = {one.name: one.notes for one in second.inventory.members if one.notes and not one.missing_since}
    assert notes == {
        "edge-002": ("its agent is silent",),
        "edge-003": ("its API server is not available",),
        "edge-004": ("tainted: cluster.open-cluster-management.io/unreachable",),
    }

    hub.leave("edge-005")
    hub.join(managed("edge-005-new"))
    renamed = await look(settings, 5)
    assert (renamed.changes.joined, renamed.changes.missing) == (("edge-005-new",), ("edge-005",))
    assert (await look(settings, 12)).changes.left == ("edge-000", "edge-001")
    assert (await look(settings, 16)).changes.left == ("edge-005",)


def test_list_that_shrinks_waits_for_a_person(
    hub: hubs.Hub, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.join(*hubs.fleet(12))
    assert said(capsys, settings, "clusters", "list")[0] == 0
    hub.leave(*(f"edge-{number:03}" for number in range(5)))
    code, out, err = said(capsys, settings, "clusters", "list", "-o", "json")
    assert len(json.loads(out)["clusters"]) == 12
    assert "`hubctl clusters confirm --removing 5` lets them go" in err
    assert said(capsys, settings, "clusters", "confirm", "--removing", "4")[0] == 4
    assert said(capsys, settings, "clusters", "confirm", "--removing", "5")[0] == 0
    code, out, err = said(capsys, settings, "clusters", "list", "-o", "json")
    assert (code, len(json.loads(out)["clusters"]), err) == (0, 7, "")


async def test_placement_over_three_decision_objects_is_merged(api: Api, hub: hubs.Hub, settings: Settings) -> None:
    (settings.directory / "values-hub.yaml").write_text(PLACED)
    clusters = hubs.fleet(252)
    names = [one["metadata"]["name"] for one in clusters]
    hub.join(*clusters)
    api.make_namespace("fleet")
    for number in range(3):
        hub.decide("edge", number + 1, names[number * 100 : min(250, number * 100 + 100)])
    assert (await look(settings, 0)).changes.joined == tuple(names[:250])

    # The decisions are written anew one after another, and a cluster is in none of them for a moment.
    hub.decide("edge", 1, names[1:100])
    assert (await look(settings, 1)).changes.missing == (names[0],)
    hub.decide("edge", 3, [*names[200:250], names[0]])
    assert (await look(settings, 2)).changes.returned == (names[0],)

    for number in range(3):
        hub.decide("edge", number + 1, [])
    empty = await look(settings, 60)
    assert empty.trouble is Trouble.EMPTY
    assert empty.inventory
    assert len(empty.inventory.members) == 250


def test_commands_take_the_hubs_fleet_and_go_on_without_the_hub(
    hub: hubs.Hub, settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.join(managed("edge-a", labels={"tier": "gold"}), managed("edge-b"), managed("edge-c", accepted=False))
    refined = "apiVersion: hubctl.io/v1alpha1\nkind: Spoke\nmetadata: {name: edge-b}\nspec: {version: '4.20'}\n"
    (settings.directory / "clusters" / "edge-b.yaml").write_text(refined)
    code, out, err = said(capsys, settings, "clusters", "list", "-o", "json")
    assert code == 0
    assert "warning: ManagedCluster edge-c is not accepted by the hub yet" in err
    found: dict[str, Any] = {one["name"]: one for one in json.loads(out)["clusters"]}
    facts = {name: {each["fact"]: each["origin"] for each in one["facts"]} for name, one in found.items()}
    assert facts["edge-a"]["version"] == "ManagedCluster edge-a"
    assert facts["edge-b"]["version"] == "clusters/edge-b.yaml"
    assert facts["edge-b"]["platform"] == "ManagedCluster edge-b"
    assert facts["edge-a"]["models.detector"] == "group all"
    assert found["edge-b"]["origin"] == "ManagedCluster, file, group"

    code, online, err = said(capsys, settings, "render")
    assert code == 0, err
    assert "hubctl.io/source: ManagedCluster edge-a" in online or 'source: "ManagedCluster edge-a"' in online
    code, out, _ = said(capsys, settings, "render", "--explain", "spokes/edge-a/kustomization.yaml")
    assert (code, "ManagedCluster edge-a: metadata.name" in out) == (0, True)
    assert said(capsys, settings, "validate")[0] == 0
    assert said(capsys, settings, "render", "--check")[0] == 0

    code, _, err = said(capsys, settings, "clusters", "remove", "edge-a")
    assert (code, "ManagedCluster edge-a makes it a spoke" in err) == (2, True)
    code, _, err = said(capsys, settings, "models", "set-version", "detector", "v2")
    assert (code, "change it under serve of the group that names it" in err) == (2, True)

    monkeypatch.setenv("HUBCTL_KUBECONFIG", str(nowhere(settings)))
    code, offline, err = said(capsys, settings, "render", "--offline")
    assert (code, offline) == (0, online)
    assert "the fleet is as the hub told it 0 minutes ago: the hub's managedclusters cannot be read" in err
    code, away, err = said(capsys, settings, "render")
    assert (code, away) == (0, online)
    assert "no answer" in err
    checks = {
        one["name"]: one for one in json.loads(said(capsys, settings, "doctor", "--no-poll", "-o", "json")[1])["checks"]
    }
    assert checks["fleet"]["state"] == "warning"
    assert "2 spokes, 1 left out, as the hub named them" in checks["fleet"]["detail"]


def test_import_writes_the_hubs_clusters_as_files(
    hub: hubs.Hub, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.join(managed("edge-a"), managed("the-hub", labels={"local-cluster": "true"}))
    (settings.directory / "values-hub.yaml").write_text(VALUES.replace("acm", "files"))
    assert said(capsys, settings, "clusters", "import", "--from-hub", "--model", "detector@v1")[0] == 0
    assert [path.name for path in (settings.directory / "clusters").iterdir()] == ["edge-a.yaml"]
    (settings.directory / "values-hub.yaml").write_text(VALUES)
    code, out, _ = said(capsys, settings, "clusters", "import", "--from-hub", "-o", "json")
    assert (code, json.loads(out)["clusters"][0]["status"]) == (0, "unchanged")


@pytest.fixture
def remote(settings: Settings) -> Path:
    """A Git remote without commits, which the fleet is published to."""
    made = settings.directory.parent / f"{settings.directory.name}-remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(made)], check=True)
    values = settings.directory / "values-hub.yaml"
    repo = "https://git.example.com/fleet.git"
    values.write_text(VALUES.replace(f'{{remote: "{repo}"}}', f'{{remote: "{made}", repoURL: "{repo}"}}'))
    return made


def spokes_on(remote: Path) -> list[str]:
    """The spokes that the branch holds."""
    command = ["git", "-C", str(remote), "ls-tree", "--name-only", "main:rendered/spokes"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()


def incidents(capsys: pytest.CaptureFixture[str], settings: Settings) -> dict[str, str]:
    listed = json.loads(said(capsys, settings, "incidents", "list", "--all", "-o", "json")[1])["incidents"]
    return {one["key"]: one["state"] for one in listed}


def test_pass_opens_an_incident_for_a_fleet_that_shrinks_until_it_is_back(
    hub: hubs.Hub,
    settings: Settings,
    remote: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clusters = hubs.fleet(12)
    hub.join(*clusters)
    assert said(capsys, settings, "reconcile")[0] == 0
    assert len(spokes_on(remote)) == 12
    hub.leave(*(f"edge-{number:03}" for number in range(5)))
    code, out, err = said(capsys, settings, "reconcile")
    assert "finding  5 of 12 spokes are missing on the hub, expected at most 1: edge-000, edge-001" in out, err
    assert (code, len(spokes_on(remote))) == (0, 12)
    assert incidents(capsys, settings)["fleet-shrunk"] == "open"
    hub.join(*clusters[:5])
    assert said(capsys, settings, "reconcile")[0] == 0
    assert incidents(capsys, settings)["fleet-shrunk"] == "resolved"
    monkeypatch.setenv("HUBCTL_KUBECONFIG", str(nowhere(settings)))
    code, _, err = said(capsys, settings, "reconcile")
    assert (code, len(spokes_on(remote))) == (3, 12)
    assert "error: the hub's managedclusters cannot be read" in err


def test_controller_publishes_what_joins_while_it_runs_and_ends_with_its_watches(
    hub: hubs.Hub, settings: Settings, remote: Path
) -> None:
    hub.join(*hubs.fleet(3))
    log = settings.directory.parent / f"{settings.directory.name}.log"
    command = [sys.executable, "-m", "hubctl", "-C", str(settings.directory), "run", "--interval", "0.3s"]
    with log.open("wb") as sink, subprocess.Popen(command, stdout=sink, stderr=sink) as running:
        try:
            hubs.until(lambda: len(spokes_on(remote)) == 3, "the first three spokes")
            hub.join(managed("late"))
            hubs.until(lambda: "late" in spokes_on(remote), "the spoke that joins later")
        finally:
            running.terminate()
        assert running.wait(hubs.WAIT_SECONDS) == 0
    told = log.read_text()
    assert '"joined": ["late"]' in told
    assert "Traceback" not in told


async def test_hub_that_never_named_a_spoke_renders_nothing(hub: hubs.Hub, settings: Settings) -> None:
    hub.join(managed("edge-a", accepted=False))
    with pytest.raises(GuardRefused, match="no ManagedCluster is a spoke of this fleet: ManagedCluster edge-a is not"):
        await look(settings, 0)
