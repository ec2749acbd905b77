"""A whole pass beside a real API server: what agents and Argo CD wrote there becomes findings, and ends them again.

The ManifestWorks and Applications are those that hubctl renders; only their status is written here, as agents would.
"""

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.e2e.predictors import Loop
from tests.e2e.world import MARK, MODEL, OTHER, SICK, World
from tests.fleet import hubobjects as hub
from tests.kube import fleets
from tests.kube.api import Api

pytestmark = [pytest.mark.kube, pytest.mark.timeout(600, func_only=True)]

NAMESPACE = "self-healing-platform"
LEASES = {"cut": "True", "dead": "Unknown", "mute": "Unknown", "lame": "False"}
"""Spokes whose two ways differ, and what their klusterlets say; the others' report."""

SPOKES = (*LEASES, "drifting", "failing", "late", "loading", "lost", "well", "worn")

TROUBLES = {
    "spoke-route:cut",
    "spoke-down:dead",
    "agent-silent:mute",
    "spoke-api:lame",
    f"version-drift:drifting/{MODEL}",
    "sync-failed:failing",
    "not-delivered:late",
    f"service-not-ready:loading/{MODEL}",
    f"service-absent:lost/{MODEL}",
    "application-degraded:worn",
}


@dataclass
class Hub:
    """The objects of a fleet on the API server, whose status is written as agents and Argo CD write it."""

    client: httpx.Client
    fleet: fleets.Fleet
    spokes: tuple[str, ...]
    made: list[str] = field(default_factory=list)

    def make(self, api: Api) -> None:
        for spoke in self.spokes:
            api.make_namespace(spoke)
            managed = hub.managed_cluster(spoke)
            self.put(f"/apis/{hub.CLUSTER_API}/managedclusters", managed)
            self.put(self._works(spoke), yaml.safe_load(self.fleet.one(f"hub/feedback-{spoke}.yaml")))
            application = yaml.safe_load(self.fleet.applications[spoke])
            api.make_namespace(application["metadata"]["namespace"])
            self.put(self._applications(application["metadata"]["namespace"]), application)

    def put(self, path: str, body: Mapping[str, Any]) -> None:
        answer = self.client.post(path, json=body)
        assert answer.is_success, answer.text
        self.made.append(f"{path}/{body['metadata']['name']}")

    def status(self, path: str, status: Mapping[str, Any]) -> None:
        """A status as its owner writes it; an Application has no subresource for it."""
        body = {"status": status}
        headers = {"content-type": "application/merge-patch+json"}
        answer = self.client.patch(path, content=json.dumps(body), headers=headers)
        assert answer.is_success, answer.text

    def lease(self, spoke: str, available: str) -> None:
        said = hub.managed_cluster(spoke, available)["status"]
        self.status(f"/apis/{hub.CLUSTER_API}/managedclusters/{spoke}/status", said)

    def feedback(self, spoke: str, *changed: dict[str, Any], **said: Any) -> None:
        """Both models as they should be, but for what is said of the first."""
        first = changed or (manifest(MODEL, **said),)
        status = hub.work(spoke, *first, manifest(OTHER, ordinal=2))["status"]
        self.status(f"{self._works(spoke)}/hubctl-fleet-feedback/status", status)

    def argo(self, spoke: str, revision: str, *words: str, **more: Any) -> None:
        status = hub.application(spoke, *words, revision=revision, **more)["status"]
        status["sync"].pop("comparedTo")
        self.status(f"{self._applications('openshift-gitops')}/hubctl-{spoke}", status)

    def well(self, revision: str) -> None:
        """All is as it should be."""
        for spoke in self.spokes:
            self.lease(spoke, "True")
            self.feedback(spoke)
            self.argo(spoke, revision)

    def trouble(self, revision: str) -> None:
        """One thing is wrong with each spoke but one."""
        for spoke, available in LEASES.items():
            self.lease(spoke, available)
        self.feedback("drifting", version="v0", storageUri=f"pvc://model-storage-pvc/{MODEL}/v0")
        self.feedback("loading", ready="False", failure="ModelLoadFailed")
        self.feedback("lost", manifest(MODEL, available="False"))
        self.argo("failing", revision, "OutOfSync", phase="Failed", errors=("SyncError",))
        self.argo("late", revision, "OutOfSync")
        self.argo("worn", revision, health="Degraded")

    def remove(self) -> None:
        for path in self.made:
            self.client.delete(path)

    @staticmethod
    def _works(spoke: str) -> str:
        return f"/apis/{hub.WORK_API}/namespaces/{spoke}/manifestworks"

    @staticmethod
    def _applications(namespace: str) -> str:
        return f"/apis/argoproj.io/v1alpha1/namespaces/{namespace}/applications"


def manifest(model: str, *, available: str = "True", ordinal: int = 1, **said: Any) -> dict[str, Any]:
    serving = hub.serving("v1", f"pvc://model-storage-pvc/{model}/v1", **said)
    found = hub.manifest(model, available=available, ordinal=ordinal, **serving)
    found["resourceMeta"]["namespace"] = NAMESPACE
    return found


def change(values: dict[str, Any]) -> None:
    """Feedback for everybody, and findings at once."""
    values["groups"] = [{"name": "all", "match": {}, "access": {"feedback": True}}]
    values["witness"] = {"settle": 0, "leaseGrace": 0}
    values["remediation"]["policies"] = []


@contextmanager
def beside(api: Api, folder: Path, kubeconfig: Path, spokes: tuple[str, ...]) -> Iterator[tuple[World, Hub]]:
    """A fleet whose predictors all answer, published, and its objects on the API server, where all is well."""
    loop = Loop()
    world = World.made(folder, loop, spokes)
    world.edit_values(change)
    world.environ["KUBECONFIG"] = str(kubeconfig)
    objects = Hub(api.client, fleets.rendered(world.fleet, folder / "nowhere"), spokes)
    try:
        objects.make(api)
        world.inside("publish")
        objects.well(world.tip())
        yield world, objects
    finally:
        objects.remove()
        world.predictors.close()
        loop.close()


@pytest.fixture(autouse=True)
def mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MARK, uuid.uuid4().hex)


def free(made: Any) -> set[str]:
    """Keys of the findings that nothing wider explains."""
    return {found["key"] for found in made["findings"] if not found["inhibitedBy"]}


def reconcile(world: World, expect: int = 0) -> Any:
    """One pass as a program: the Kubernetes client reads KUBECONFIG once a process."""
    world.new_window()
    return world.hubctl("reconcile", "-o", "json", expect=expect).json


def test_each_trouble_on_the_hub_is_one_finding_and_ends_when_it_does(
    api: Api, tmp_path: Path, kubeconfig: Path, server_folder: Path
) -> None:
    with beside(api, tmp_path, kubeconfig, SPOKES) as (world, objects):
        objects.trouble(world.tip())
        world.predictors.down("cut", "dead")
        assert free(reconcile(world)) == TROUBLES
        assert set(world.open_keys()) == TROUBLES
        check_shown(world)

        objects.well(world.tip())
        world.predictors.up("cut", "dead")
        assert free(reconcile(world)) == set()
        assert world.open_keys() == []

        # Somebody who may read nothing on the hub.
        guest = json.loads(kubeconfig.read_text())
        proof = str(server_folder / "guest.pem")
        guest["users"][0]["user"] = {"client-certificate": proof, "client-key": proof}
        (world.home / "guest").write_text(json.dumps(guest))
        world.environ["KUBECONFIG"] = str(world.home / "guest")
        [found] = reconcile(world)["findings"]
        assert found["key"] == "hub-unreachable"
        assert "forbidden" in found["summary"]


def check_shown(world: World) -> None:
    """What people see of the troubles."""
    shown = {one["name"]: one for one in world.status()["clusters"]}
    assert shown["dead"]["witness"]["klusterlet"]["lease"] == "stale"
    assert shown["drifting"]["models"][0]["reason"] == "not-served"
    assert shown["well"]["witness"]["services"][0]["current"] is True
    assert "Git says anomaly-detector v1, drifting serves v0" in world.inside("status", expect=1).out
    incident = next(one["id"] for one in world.incidents() if one["kind"] == "version-drift")
    assert "Witnesses: what the hub's own objects said" in world.inside("explain", incident).out


def test_version_is_judged_once_it_is_served_and_no_silent_spoke_is_acted_on_unasked(
    api: Api, tmp_path: Path, kubeconfig: Path
) -> None:
    with beside(api, tmp_path, kubeconfig, ("east", "north", "south", "west")) as (world, objects):
        world.edit_values(lambda hubctl: hubctl["aggregate"].update(settle="1h"))
        world.set_policies({"name": "back", "on": "model-anomaly", "action": "rollback-model"})
        world.set_mode("auto")
        reconcile(world)
        assert {cluster["health"] for cluster in world.status()["clusters"]} == {"healthy"}

        world.roll_out("v2", *SICK)
        world.edit_values(lambda hubctl: hubctl["aggregate"].update(settle=0))
        world.inside("publish")
        objects.well(world.tip())
        objects.feedback("west", version="v2", storageUri=f"pvc://model-storage-pvc/{MODEL}/v2")
        objects.lease("north", "Unknown")
        assert free(reconcile(world)) == {"agent-silent:north", f"model-anomaly:{MODEL}@v2"}
        (done,) = world.remediations()
        assert (done["state"], [target["cluster"] for target in done["targets"]]) == ("applied", ["west"])
        assert world.actions() == [done["id"]]
