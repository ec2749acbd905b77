"""From `hubctl publish` to objects on a spoke, with nothing but Argo CD in between."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.argo.argocd import RESYNC_SECONDS, Servers
from tests.argo.cluster import Cluster
from tests.argo.installation import Installation, Object, eventually
from tests.kube.api import lost
from tests.kube.variants import spoke

pytestmark = [pytest.mark.argo, pytest.mark.timeout(300, func_only=True)]

BY_DECISION = {"generator": "clusterDecisionResource", "placement": {"clusterSet": "fleet"}}
KIND = "serving.kserve.io/v1beta1"


@dataclass(frozen=True, slots=True)
class Delivery:
    """An installation with both controllers, and a spoke whose name and namespace no other test has."""

    argo: Installation
    spoke: Cluster
    name: str

    def write(self, version: str, *names: str, delivery: dict[str, Any] | None = None, **spec: Any) -> None:
        """The fleet's files, with one spoke, whose models are all of one version."""
        chosen = [{"name": name, "version": version} for name in names or ("detector",)]
        self.argo.write(delivery or {}, spoke(self.name, namespace=self.name, models=chosen, **spec))

    def begin(self, *names: str, delivery: dict[str, Any] | None = None, **spec: Any) -> None:
        """Version v1, delivered."""
        self.argo.register(self.name, self.spoke.access)
        self.write("v1", *names, delivery=delivery, **spec)
        tip = self.argo.publish()
        self.argo.apply_hub()
        self.synced(tip)

    def publish(self, *arguments: str) -> None:
        """Publishes what was written and waits until it is on the spoke."""
        self.synced(self.argo.publish(*arguments))

    def synced(self, tip: str) -> Object:
        """The Application's status, once Argo CD says that the spoke is as a commit wants it."""
        self.argo.refresh()
        return eventually(self.status, lambda status: reached(status) == ("Synced", tip, "Succeeded"), seconds=120)

    def status(self) -> Object:
        """Of the spoke's Application; empty where there is none."""
        application = self.argo.applications().get(f"hubctl-{self.name}", {})
        found: Object = application.get("status", {})
        return found

    def rendered(self) -> list[str]:
        """What the branch holds for the spoke, as kustomize builds it."""
        folder = self.argo.fleet.parent / "build"
        self.argo.hubctl("render", "--output", str(folder))
        return self.argo.built(folder / "spokes" / self.name)

    def settle(self) -> None:
        """Gives Argo CD the time to do what it must not do."""
        time.sleep(2 * RESYNC_SECONDS)

    def live(self, documents: list[str]) -> list[Object | None]:
        """Objects as they are on the spoke."""
        return [self.spoke.api.live(document) for document in documents]

    def model(self, name: str = "detector") -> Object | None:
        """An InferenceService on the spoke."""
        metadata = {"namespace": self.name, "name": name}
        return self.spoke.api.live(json.dumps({"apiVersion": KIND, "kind": "InferenceService", "metadata": metadata}))

    def version(self) -> str:
        """That the model on the spoke is of."""
        found = self.model()
        assert found
        return str(found["spec"]["predictor"]["model"]["storageUri"]).rpartition("/")[2]


def reached(status: Object) -> tuple[str, str, str]:
    """Sync status, the commit that was synced last, and how that ended."""
    operation = status.get("operationState", {})
    commit = operation.get("syncResult", {}).get("revision", "")
    return status.get("sync", {}).get("status", ""), commit, operation.get("phase", "")


@pytest.fixture
def delivery(generating: Installation, servers: Servers, hub_config: Path, edge: Cluster) -> Iterator[Delivery]:
    with servers.applications(hub_config, generating.namespace):
        yield Delivery(generating, edge, generating.namespace)


def test_published_spoke_arrives_object_by_object(delivery: Delivery) -> None:
    delivery.begin()
    documents = delivery.rendered()
    assert len(documents) > 2
    for document, live in zip(documents, delivery.live(documents), strict=True):
        assert live, document
        assert lost(yaml.safe_load(document), live) == []


def test_new_version_and_its_rollback_change_the_living_object(delivery: Delivery) -> None:
    delivery.begin()
    before = delivery.model()
    delivery.write("v2")
    delivery.publish()
    assert delivery.version() == "v2"
    # What `rollback-model` commits.
    delivery.argo.remote.commit({f"overrides/{delivery.name}.detector.rollback.yaml": pin(delivery.name)})
    delivery.publish()
    assert delivery.version() == "v1"
    after = delivery.model()
    assert before
    assert after
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    assert after["spec"] == before["spec"]


def pin(cluster: str) -> bytes:
    """An override that takes v2 back."""
    models = [{"name": "detector", "version": "v1", "insteadOf": "v2"}]
    override = {
        "apiVersion": "hubctl.io/v1alpha1",
        "kind": "Override",
        "metadata": {"name": f"{cluster}.detector.rollback"},
        "spec": {"cluster": cluster, "models": models},
    }
    return yaml.safe_dump(override).encode()


def test_model_that_leaves_a_spoke_is_pruned_there(delivery: Delivery) -> None:
    delivery.begin("detector", "other")
    assert delivery.model("other")
    delivery.write("v1", "detector")
    tip = delivery.argo.publish()
    delivery.argo.refresh()
    going = eventually(lambda: delivery.model("other"), lambda found: "deletionTimestamp" in metadata(found))
    # Argo CD deletes in the foreground; what is left is done by the garbage collector, which a bare server lacks.
    assert metadata(going)["finalizers"] == ["foregroundDeletion"]
    delivery.spoke.change(path(delivery.name, "other"), {"metadata": {"finalizers": None}})
    delivery.synced(tip)
    assert delivery.model("other") is None
    assert "deletionTimestamp" not in metadata(delivery.model("detector"))


def metadata(item: Object | None) -> Object:
    found: Object = (item or {})["metadata"]
    return found


def path(namespace: str, name: str) -> str:
    """Where an InferenceService is served."""
    return f"/apis/{KIND}/namespaces/{namespace}/inferenceservices/{name}"


def test_change_by_hand_on_the_spoke_is_taken_back(delivery: Delivery) -> None:
    delivery.begin()
    changed = {"spec": {"predictor": {"model": {"storageUri": "pvc://models/detector/v9"}}}}
    delivery.spoke.change(path(delivery.name, "detector"), changed)
    assert delivery.version() == "v9"
    eventually(delivery.version, lambda version: version == "v1", seconds=90)


def test_removed_spoke_keeps_its_objects_and_gets_nothing_new(delivery: Delivery) -> None:
    delivery.begin()
    documents = delivery.rendered()
    kept = delivery.live(documents)
    delivery.argo.write({}, spoke("other", models=[{"name": "detector", "version": "v2"}]))
    delivery.argo.hubctl("clusters", "remove", delivery.name)
    delivery.argo.publish("--allow-removing", "1")
    delivery.argo.refresh()
    assert delivery.status() == {}
    delivery.settle()
    assert delivery.live(documents) == kept


def test_quarantined_spoke_keeps_its_objects_until_it_is_let_back(delivery: Delivery) -> None:
    delivery.begin()
    documents = delivery.rendered()
    kept = delivery.live(documents)
    override = f"overrides/{delivery.name}.quarantine.yaml"
    delivery.argo.remote.commit({override: quarantine(delivery.name)})
    delivery.write("v2")
    delivery.argo.publish()
    delivery.argo.refresh()
    assert delivery.status() == {}
    delivery.settle()
    assert delivery.live(documents) == kept
    delivery.argo.remote.commit({override: None})
    delivery.publish()
    assert delivery.version() == "v2"


def quarantine(cluster: str) -> bytes:
    head = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Override", "metadata": {"name": f"{cluster}.quarantine"}}
    return yaml.safe_dump({**head, "spec": {"cluster": cluster, "quarantine": True}}).encode()


def test_spoke_dropped_from_a_decision_loses_nothing_of_its_own(delivery: Delivery) -> None:
    delivery.argo.decide(delivery.name)
    delivery.begin(delivery=BY_DECISION)
    documents = delivery.rendered()
    kept = delivery.live(documents)
    delivery.argo.decide()
    delivery.argo.refresh()
    assert delivery.status() == {}
    delivery.settle()
    assert delivery.live(documents) == kept
    delivery.argo.decide(delivery.name)
    delivery.write("v2", delivery=BY_DECISION)
    delivery.publish()
    assert delivery.version() == "v2"


def test_spoke_that_pulls_is_left_alone_by_the_hub(delivery: Delivery) -> None:
    delivery.argo.register(delivery.name, delivery.spoke.access)
    delivery.write("v1", delivery={"model": "pull", "placement": {"clusterSet": "fleet"}})
    delivery.argo.publish()
    delivery.argo.apply_hub()
    delivery.argo.refresh()
    delivery.settle()
    assert f"hubctl-{delivery.name}" in delivery.argo.applications()
    assert reached(delivery.status()) == ("", "", "")
    assert delivery.model() is None


def test_model_in_a_namespace_that_is_missing_waits_for_it(delivery: Delivery) -> None:
    delivery.argo.register(delivery.name, delivery.spoke.access)
    elsewhere = f"{delivery.name}-else"
    chosen = [{"name": "detector", "version": "v1"}, {"name": "other", "version": "v1", "namespace": elsewhere}]
    tip = delivery.argo.begin({}, spoke(delivery.name, namespace=delivery.name, models=chosen))
    message = f'namespaces "{elsewhere}" not found'
    eventually(delivery.status, lambda status: message in str(status.get("operationState")), seconds=90)
    assert delivery.model("detector")
    delivery.spoke.api.make_namespace(elsewhere)
    delivery.synced(tip)
