"""From `hubctl publish` to objects on a spoke, with nothing but Argo CD in between."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.argo.argocd import Servers
from tests.argo.cluster import Cluster
from tests.argo.installation import Installation, Object, eventually
from tests.kube.api import lost
from tests.kube.variants import spoke

pytestmark = [pytest.mark.argo, pytest.mark.timeout(300, func_only=True)]

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
        self.argo.register(self.name, **self.spoke.access)
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
    for document in documents:
        live = delivery.spoke.api.live(document)
        assert live, document
        assert lost(yaml.safe_load(document), live) == []
