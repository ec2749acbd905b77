"""Every variant of the templates is allowed by the AppProject, taken by a spoke, and at rest once it is synced."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.argo.argocd import Servers
from tests.argo.cluster import Cluster
from tests.argo.installation import Installation, eventually
from tests.kube import variants
from tests.kube.api import lost

pytestmark = [pytest.mark.argo, pytest.mark.timeout(300, func_only=True)]


def placed(each: dict[str, Any]) -> dict[str, Any]:
    """A spoke of the variants in a namespace of its own, since all of them are one cluster here."""
    name = each["metadata"]["name"]
    served = each["spec"].get("models", [])
    chosen = [{**model, "namespace": f"{name}-else"} if "namespace" in model else model for model in served]
    return {**each, "spec": {**each["spec"], "namespace": name, "models": chosen}}


SPOKES = [placed(each) for each in variants.SPOKES]
NAMES = [each["metadata"]["name"] for each in SPOKES]


def test_every_variant_arrives_and_rests(
    generating: Installation, servers: Servers, hub_config: Path, edge: Cluster
) -> None:
    for name in NAMES:
        # Argo CD tells clusters apart by their address, and a client drops a query.
        generating.register(name, {**edge.access, "server": f"{edge.access['server']}?spoke={name}"})
        edge.api.make_namespace(f"{name}-else")
        # As for every ManagedCluster.
        generating.api.make_namespace(name)
    generating.write_values(variants.VALUES, *SPOKES)
    tip = generating.publish()
    generating.apply_hub()
    with servers.applications(hub_config, generating.namespace):
        generating.refresh()
        eventually(lambda: states(generating), lambda seen: set(seen.values()) == {("Synced", tip)}, seconds=200)
    folder = generating.fleet.parent / "build" / "spokes"
    for document in [document for name in NAMES for document in generating.built(folder / name)]:
        assert lost(yaml.safe_load(document), edge.api.live(document)) == []


def states(argo: Installation) -> dict[str, tuple[str, ...]]:
    """Spoke to what its Application says: sync status, commit, what is wrong and what is not in sync."""
    found = {}
    for name in NAMES:
        status = argo.applications()[f"hubctl-{name}"].get("status", {})
        sync = status.get("sync", {})
        wrong = [each["message"] for each in status.get("conditions", [])]
        apart = [f"{each['kind']} {each['name']}" for each in status.get("resources", []) if each["status"] != "Synced"]
        found[name] = (sync.get("status", ""), sync.get("revision", ""), *wrong, *apart)
    return found
