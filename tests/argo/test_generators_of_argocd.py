"""Argo CD's own applicationset-controller makes exactly the Applications that each way to deliver promises."""

from typing import Any

import pytest

from tests.argo.installation import PROJECT, Installation, Object
from tests.kube import variants
from tests.kube.variants import models, spoke

pytestmark = [pytest.mark.argo, pytest.mark.timeout(120, func_only=True)]

WANTED_LABELS = {"vendor": "OpenShift"}

SPOKES = (
    spoke("east", models=models("detector")),
    spoke("west.1", platform="openshift", version="4.18", topology="sno", namespace="west", models=models("detector")),
    spoke("plain", models=models("other")),
)
"""East and west carry the labels and are selected by the Placement; plain is only known to Argo CD."""

EVERY, SOME = {"east", "west.1", "plain"}, {"east", "west.1"}

REACHED = {
    "git": EVERY,
    "clusters": EVERY,
    "labelled clusters": SOME,
    "decisions": SOME,
    "decisions of another": SOME,
    "pulled by git": EVERY,
    "pulled by decisions": SOME,
    "pulled by clusters": EVERY,
    "steps": EVERY,
    "steps by decisions": SOME,
    "steps, pulled": EVERY,
    "nothing removed": EVERY,
}
STEP = "step-3"
"""Which step of the variants takes spokes without labels."""


def populate(argo: Installation, delivery: dict[str, Any]) -> None:
    """What is on the hub beside the fleet: clusters with and without a spoke's file, a decision for an unknown one."""
    for name in ("east", "west.1", "stranger"):
        argo.register(name, labels=WANTED_LABELS)
    argo.register("plain")
    placement = delivery.get("placement", {}).get("name", "hubctl-fleet")
    argo.decide("east", "west.1", "stranger", "ghost", placement=placement,
                config_map=delivery.get("configMap", "acm-placement"))  # fmt: skip


def promised(argo: Installation, name: str, delivery: dict[str, Any]) -> Object:
    """An Application as the documents promise it, without what hubctl does not decide."""
    west = name == "west.1"
    labels = {
        "app.kubernetes.io/managed-by": "hubctl",
        "hubctl.io/platform": "openshift" if west else "kubernetes",
        "hubctl.io/topology": "sno" if west else "ha",
    }
    if "strategy" in delivery:
        labels["hubctl.io/step"] = STEP
    source = f"rendered/spokes/{name}"
    annotations = {"hubctl.io/source": source, "argocd.argoproj.io/compare-options": "ServerSideDiff=true"}
    destination = {"name": name, "namespace": "west" if west else "self-healing-platform"}
    if delivery.get("model") == "pull":
        group = "apps.open-cluster-management.io"
        labels[f"{group}/pull-to-ocm-managed-cluster"] = "true"
        annotations |= {
            f"{group}/ocm-managed-cluster": name,
            f"{group}/ocm-managed-cluster-app-namespace": argo.namespace,
            "argocd.argoproj.io/skip-reconcile": "true",
        }
        del destination["name"]
        destination["server"] = "https://kubernetes.default.svc"
    return {
        "labels": labels,
        "annotations": annotations,
        "finalizers": [],
        "owner": f"hubctl-{'openshift' if west else 'kubernetes'}",
        "project": PROJECT,
        "source": {"repoURL": argo.url, "targetRevision": "main", "path": source},
        "destination": destination,
        "automated": {"prune": True, "selfHeal": True},
    }


def told(application: Object) -> Object:
    """The same of an Application that was made."""
    metadata, spec = application["metadata"], application["spec"]
    return {
        "labels": metadata["labels"],
        "annotations": metadata["annotations"],
        "finalizers": metadata.get("finalizers", []),
        "owner": metadata["ownerReferences"][0]["name"],
        "project": spec["project"],
        "source": spec["source"],
        "destination": spec["destination"],
        "automated": spec["syncPolicy"]["automated"],
    }


def test_every_variant_has_its_expectation() -> None:
    assert set(REACHED) == set(variants.DELIVERIES)


@pytest.mark.parametrize("name", variants.DELIVERIES)
def test_every_way_to_deliver_makes_exactly_the_promised_applications(generating: Installation, name: str) -> None:
    delivery = variants.DELIVERIES[name]
    populate(generating, delivery)
    generating.begin(delivery, *SPOKES)
    generating.refresh()
    wanted = {f"hubctl-{each}": promised(generating, each, delivery) for each in REACHED[name]}
    assert {key: told(each) for key, each in generating.applications().items()} == wanted
    assert {generating.error(each) for each in generating.sets()} == {""}
