"""``doctor`` on hubs with faults: each is named, with its repair."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.cli import main
from hubctl.diagnose.hub import examine
from hubctl.diagnose.need import Need
from hubctl.fleet.cluster import connect
from hubctl.fleet.listing import listed
from hubctl.model.snapshot import Resource
from tests.kube.api import Api, split

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

CLUSTERS = "/apis/cluster.open-cluster-management.io/v1/managedclusters"
WORKS = "/apis/work.open-cluster-management.io/v1/namespaces/{}/manifestworks"
ACCOUNTS = "/apis/authentication.open-cluster-management.io/v1beta1/namespaces/{}/managedserviceaccounts"
PLACED = "/apis/cluster.open-cluster-management.io/v1beta1/namespaces/{}"
BINDINGS = "/apis/cluster.open-cluster-management.io/v1beta2/namespaces/{}/managedclustersetbindings"
GITOPS = "/apis/apps.open-cluster-management.io/v1beta1/namespaces/{}/gitopsclusters"
ARGOCD = "/apis/argoproj.io/v1alpha1/namespaces/{}"
SPOKES = ("well", "refused", "outside", "silent", "ill", "leaving", "unproxied", "tokenless", "unsynced")
ABSENT = "stranger"
MERGE = "application/merge-patch+json"
ADDON = "feature.open-cluster-management.io/addon-"

VALUES = {
    "coordinationEngine": {"kserve": {"services": {"anomaly_detector": "anomaly-detector-predictor"}}},
    "hubctl": {
        "gitops": {"repoURL": "https://git.example.com/fleet.git"},
        "delivery": {"generator": "clusterDecisionResource", "placement": {"clusterSet": "doctors"}},
        "observe": {
            "tokenFile": "tokens/{cluster}",
            "route": {"type": "acm", "host": "cluster-proxy-user.apps.hub.example.com"},
        },
        "groups": [{"name": "all", "match": {}, "access": {"token": {}, "feedback": True}}],
    },
}


@dataclass(frozen=True, slots=True)
class Hub:
    """A fleet's folder, and the hub that it is for.

    Attributes:
        tag: begins every name, because a namespace never ends on a server without controllers.
    """

    folder: Path
    api: Api
    tag: str

    @property
    def space(self) -> str:
        """Argo CD's namespace."""
        return f"{self.tag}-argocd"

    @property
    def spokes(self) -> tuple[str, ...]:
        return tuple(f"{self.tag}-{name}" for name in SPOKES)

    def checks(self) -> dict[str, list[tuple[str, str, str]]]:
        """What doctor says of the hub: check to state, detail and hint, as often as there is one."""
        found: dict[str, list[tuple[str, str, str]]] = {}
        for each in self.doctor()["checks"]:
            if each["name"].startswith("hub"):
                found.setdefault(each["name"], []).append((each["state"], each["detail"], each["hint"]))
        return found

    def doctor(self) -> Any:
        out = self.folder / "doctor.json"
        with out.open("w") as sink, pytest.MonkeyPatch.context() as patched:
            patched.setattr("sys.stdout", sink)
            main.run(["-C", str(self.folder), "doctor", "--no-poll", "-o", "json"])
        return json.loads(out.read_text())

    def change(self, path: str, body: dict[str, Any]) -> None:
        """A merge patch of an object, or of its status."""
        answer = self.api.client.patch(path, content=json.dumps(body), headers={"content-type": MERGE})
        assert answer.is_success, answer.text

    def say(self, path: str, **status: Any) -> None:
        self.change(f"{path}/status", {"status": status})

    def condition(self, path: str, kind: str, status: str, message: str = "told so") -> None:
        self.say(path, conditions=[_condition(kind, status, message)])


def _condition(kind: str, status: str, message: str = "told so") -> dict[str, str]:
    return {
        "type": kind,
        "status": status,
        "reason": "Told",
        "message": message,
        "lastTransitionTime": "2026-11-23T10:00:00Z",
    }


def _available(status: str) -> list[dict[str, str]]:
    return [_condition("ManagedClusterJoined", "True"), _condition("ManagedClusterConditionAvailable", status)]


def _opened(folder: Path, api: Api, tag: str) -> Iterator[Hub]:
    """A hub where everything is well."""
    (folder / "clusters").mkdir(parents=True)
    hub = Hub(folder, api, tag)
    values = yaml.safe_load(yaml.safe_dump(VALUES))
    values["hubctl"]["gitops"]["argocdNamespace"] = hub.space
    (folder / "values-hub.yaml").write_text(yaml.safe_dump(values))
    api.make_namespace(hub.space)
    for name in hub.spokes:
        _join(hub, name)
    rendered = folder / "rendered"
    assert main.run(["-C", str(folder), "render", "--output", str(rendered)]) == 0
    for file in sorted((rendered / "hub").glob("*.yaml")):
        if "kustomization" not in file.name:
            for manifest in split(file.read_text()):
                api.store(manifest)
    _settle(hub)
    yield hub
    for name in hub.spokes:
        hub.api.client.patch(
            f"{CLUSTERS}/{name}", content='{"metadata": {"finalizers": []}}', headers={"content-type": MERGE}
        )
        api.client.delete(f"{CLUSTERS}/{name}")


@pytest.fixture(scope="module")
def well(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub where everything is well, and stays so."""
    yield from _opened(tmp_path_factory.mktemp("well") / "fleet", api, "sound")


@pytest.fixture
def hub(well: Hub, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """The same, and the way to it."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    return well


@pytest.fixture
def breaking(api: Api, kubeconfig: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that a test breaks."""
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))
    yield from _opened(tmp_path / "fleet", api, "broken")


def _join(hub: Hub, name: str) -> None:
    hub.api.make_namespace(name)
    spec = {"platform": "openshift", "version": "4.18", "models": [{"name": "anomaly-detector", "version": "v1"}]}
    head = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": name}}
    (hub.folder / "clusters" / f"{name}.yaml").write_text(yaml.safe_dump(head | {"spec": spec}))
    cluster = {
        "apiVersion": "cluster.open-cluster-management.io/v1",
        "kind": "ManagedCluster",
        "metadata": {
            "name": name,
            "labels": {f"{ADDON}cluster-proxy": "available", f"{ADDON}managed-serviceaccount": "available"},
        },
        "spec": {"hubAcceptsClient": True},
    }
    hub.api.store(yaml.safe_dump(cluster))
    hub.say(f"{CLUSTERS}/{name}", conditions=_available("True"))


def _settle(hub: Hub) -> None:
    """What the hub's controllers would make of the objects."""
    chosen = [{"clusterName": name, "reason": ""} for name in hub.spokes]
    decision = {
        "apiVersion": "cluster.open-cluster-management.io/v1beta1",
        "kind": "PlacementDecision",
        "metadata": {
            "name": "hubctl-fleet-decision-1",
            "namespace": hub.space,
            "labels": {"cluster.open-cluster-management.io/placement": "hubctl-fleet"},
        },
    }
    hub.api.store(yaml.safe_dump(decision))
    hub.say(f"{PLACED.format(hub.space)}/placementdecisions/hubctl-fleet-decision-1", decisions=chosen)
    for name in hub.spokes:
        reference = {"name": "hubctl-poller", "lastRefreshTimestamp": "2026-11-23T10:00:00Z"}
        hub.say(f"{ACCOUNTS.format(name)}/hubctl-poller", tokenSecretRef=reference)
        application = {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": f"hubctl-{name}", "namespace": hub.space},
            "spec": {"project": "hubctl-fleet", "destination": {"name": name}},
        }
        hub.api.store(yaml.safe_dump(application))


def test_hub_that_serves_the_fleet_is_well(hub: Hub) -> None:
    assert hub.checks() == {"hub": [("ok", "serves 9 spokes", "")]}


def test_every_fault_of_a_broken_hub_is_named_with_its_repair(breaking: Hub) -> None:
    hub, tag = breaking, breaking.tag
    placed, argocd = PLACED.format(hub.space), ARGOCD.format(hub.space)
    head = {"apiVersion": "hubctl.io/v1alpha1", "kind": "Spoke", "metadata": {"name": ABSENT}}
    spec = {"platform": "openshift", "version": "4.18", "models": [{"name": "anomaly-detector", "version": "v1"}]}
    (hub.folder / "clusters" / f"{ABSENT}.yaml").write_text(yaml.safe_dump(head | {"spec": spec}))
    hub.change(f"{CLUSTERS}/{tag}-refused", {"spec": {"hubAcceptsClient": False}})
    hub.say(f"{CLUSTERS}/{tag}-outside", conditions=[_condition("HubAcceptedManagedCluster", "True")])
    hub.say(f"{CLUSTERS}/{tag}-silent", conditions=_available("Unknown"))
    hub.say(f"{CLUSTERS}/{tag}-ill", conditions=_available("False"))
    hub.change(f"{CLUSTERS}/{tag}-leaving", {"metadata": {"finalizers": ["tests.hubctl.io/stays"]}})
    hub.api.client.delete(f"{CLUSTERS}/{tag}-leaving")
    hub.change(f"{CLUSTERS}/{tag}-unproxied", {"metadata": {"labels": {f"{ADDON}cluster-proxy": "unreachable"}}})
    hub.change(f"{CLUSTERS}/{tag}-tokenless", {"metadata": {"labels": {f"{ADDON}managed-serviceaccount": None}}})
    hub.say(f"{ACCOUNTS.format(f'{tag}-tokenless')}/hubctl-poller", tokenSecretRef=None)
    hub.condition(f"{BINDINGS.format(hub.space)}/doctors", "Bound", "False", "no cluster set doctors")
    hub.condition(f"{placed}/placements/hubctl-fleet", "PlacementSatisfied", "False", "no set is bound")
    chosen = [{"clusterName": name, "reason": ""} for name in hub.spokes if name != f"{tag}-well"]
    hub.say(f"{placed}/placementdecisions/hubctl-fleet-decision-1", decisions=chosen)
    hub.say(f"{GITOPS.format(hub.space)}/hubctl-fleet", phase="failed", message="no Argo CD in this namespace")
    hub.condition(
        f"{WORKS.format(f'{tag}-well')}/hubctl-fleet-feedback", "Applied", "False", "may not create a ClusterRole"
    )
    forbidden = 'cannot list placementdecisions: it is forbidden: User "applicationset-controller"'
    hub.condition(f"{argocd}/applicationsets/hubctl-openshift", "ErrorOccurred", "True", forbidden)
    hub.api.client.delete(f"{argocd}/applications/hubctl-{tag}-well")
    state = {"phase": "Failed", "message": "one or more objects failed to apply"}
    operation = {"operation": {"sync": {}}, "startedAt": "2026-11-23T10:00:00Z"}
    hub.change(f"{argocd}/applications/hubctl-{tag}-unsynced", {"status": {"operationState": state | operation}})
    hub.api.client.delete(f"{argocd}/appprojects/hubctl-fleet")

    found = hub.checks()
    every = [told for checks in found.values() for told in checks]
    assert all(state == "failed" and hint for state, _, hint in every), found
    told = {(name, part) for name, part in EXPECTED if any(part in detail for _, detail, _ in found.get(name, ()))}
    assert told == set(EXPECTED)
    assert len(EXPECTED) >= 12


EXPECTED = (
    ("hub clusters", "no ManagedCluster of this name: stranger"),
    ("hub clusters", "is not accepted by the hub: broken-refused"),
    ("hub clusters", "has not joined the hub: broken-outside"),
    ("hub clusters", "no sign of life lately: broken-silent"),
    ("hub clusters", "an API server that is not well: broken-ill"),
    ("hub clusters", "is being deleted on the hub: broken-leaving"),
    ("hub add-on cluster-proxy", "is unreachable on broken-unproxied"),
    ("hub add-on managed-serviceaccount", "is absent on broken-tokenless"),
    ("hub managedserviceaccounts", "broken-tokenless/hubctl-poller: has no token yet"),
    ("hub managedclustersetbindings", "broken-argocd/doctors: Bound is False: no cluster set doctors"),
    ("hub placements", "selects too few: no set is bound"),
    ("hub placements", "broken-argocd/hubctl-fleet does not select broken-well, stranger"),
    ("hub gitopsclusters", "failed: no Argo CD in this namespace"),
    ("hub manifestworks", "broken-well/hubctl-fleet-feedback: Applied is False: may not create a ClusterRole"),
    ("hub manifestworks", "not on the hub: stranger/hubctl-fleet-feedback"),
    ("hub applicationsets", "cannot list placementdecisions"),
    ("hub delivery broken-well", "there is no Application broken-argocd/hubctl-broken-well"),
    ("hub delivery broken-unsynced", "failed to sync: one or more objects failed to apply"),
    ("hub appprojects", "not on the hub: broken-argocd/hubctl-fleet"),
)
"""What doctor has to say of the broken hub: check and a part of the detail."""


def test_hub_whose_server_is_away_is_one_fault(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    away = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": "none"}}],
        "current-context": "c",
    }
    (tmp_path / "away").write_text(yaml.safe_dump(away))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "away"))
    [(state, detail, hint)] = hub.checks()["hub"]
    assert (state, "no answer" in detail, "kubectl" in hint) == ("failed", True, True)


@pytest.mark.parametrize(("proof", "told"), [("guest.pem", "forbidden"), ("", "does not accept the credentials")])
def test_rights_that_are_missing_are_named(
    hub: Hub, server_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proof: str, told: str
) -> None:
    user = {"token": "made-up"}
    if proof:
        user = {name: str(server_folder / proof) for name in ("client-certificate", "client-key")}
    server = {
        "server": str(hub.api.client.base_url).rstrip("/"),
        "certificate-authority": str(server_folder / "ca.pem"),
    }
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": server}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": user}],
        "current-context": "c",
    }
    (tmp_path / "other").write_text(yaml.safe_dump(config))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "other"))
    every = [each for checks in hub.checks().values() for each in checks]
    assert every
    assert all(state == "failed" and told in detail and hint for state, detail, hint in every), every


def test_kind_that_the_hub_does_not_know_is_named(served: object, kubeconfig: Path) -> None:
    del served
    unknown = Resource("Remedy", "hubctl.example.com", "v1", "remedies")
    [check] = examine(Need(), {unknown: listed(connect(kubeconfig, None), unknown)})
    assert (check.name, check.state) == ("hub remedies", "failed")
    assert "knows no Remedy of hubctl.example.com/v1" in check.detail
    assert "install what brings hubctl.example.com" in check.hint
