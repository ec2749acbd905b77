"""``schemas pull`` and ``validate --server`` against the real server, as a person runs them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hubctl.cli import main
from tests.kube import fleets
from tests.kube.api import Api
from tests.kube.variants import spoke

pytestmark = [pytest.mark.kube, pytest.mark.timeout(120, func_only=True)]

NAMESPACE = "asked-argo"


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Two spokes; the hub's objects live in a namespace that is not there yet."""
    gitops = {"remote": "https://git.example.com/fleet.git", "argocdNamespace": NAMESPACE}
    values = {
        "coordinationEngine": {"kserve": {"namespace": "asked-models", "models": [{"name": "m"}]}},
        "hubctl": {"gitops": gitops},
    }
    models = [{"name": "m", "version": "v1"}]
    fleets.write_fleet(tmp_path, values, spoke("a", models=models), spoke("b", models=models))
    return tmp_path


def own_template(fleet: Path, text: str) -> None:
    path = fleet / "templates" / "hub" / "own.yaml.j2"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("[% import 'provenance.j2' as provenance %]\n" + text)


def answers(data: str) -> dict[str, dict[str, Any]]:
    return {one["file"]: one for one in json.loads(data)["server"]["objects"]}


def run(fleet: Path, *arguments: str) -> int:
    return main.run(["-C", str(fleet), *arguments])


def test_pull_takes_what_the_fleet_renders_with_the_clusters_version(
    fleet: Path, api: Api, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fleet, "schemas", "pull", "--kubeconfig", str(kubeconfig)) == 0
    capsys.readouterr()
    assert run(fleet, "schemas", "list", "-o", "json") == 0
    listed = json.loads(capsys.readouterr().out)["schemas"]
    assert {one["clusterVersion"] for one in listed} == {"v1.33.13"}
    assert {one["source"] for one in listed} == {str(api.client.base_url).rstrip("/")}
    kinds = {one["kind"] for one in listed}
    assert kinds == {"AppProject", "ApplicationSet", "ConfigMap", "InferenceService", "PersistentVolumeClaim"}
    assert run(fleet, "validate", "--strict-schemas") == 0


def test_kind_that_the_cluster_does_not_serve_is_a_warning(
    fleet: Path, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_template(fleet, "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: a\n[[ provenance.labels() ]]\n")
    assert run(fleet, "schemas", "pull", "--kubeconfig", str(kubeconfig)) == 0
    assert "does not serve Widget (example.com/v1)" in capsys.readouterr().err


def test_namespace_of_the_hub_that_nobody_makes_is_a_refusal_until_it_is_rendered(
    fleet: Path, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = ("validate", "--server", "--kubeconfig", str(kubeconfig), "-o", "json")
    assert run(fleet, *asking) == 2
    refused = answers(capsys.readouterr().out)
    assert {one["verdict"] for one in refused.values()} == {"refused"}
    assert all(f"no namespace {NAMESPACE}" in one["message"] for one in refused.values())
    own_template(fleet, f"apiVersion: v1\nkind: Namespace\nmetadata:\n  name: {NAMESPACE}\n[[ provenance.labels() ]]\n")
    assert run(fleet, *asking) == 0
    accepted = answers(capsys.readouterr().out)
    assert {one["verdict"] for one in accepted.values()} == {"accepted"}
    assert "asked in default" in accepted["hub/appproject.yaml"]["note"]


def test_object_that_is_there_is_asked_for_as_an_apply(
    fleet: Path, api: Api, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    values = yaml.safe_load((fleet / "values-hub.yaml").read_text())
    values["hubctl"]["gitops"]["argocdNamespace"] = "asked-twice"
    (fleet / "values-hub.yaml").write_text(yaml.safe_dump(values))
    api.make_namespace("asked-twice")
    api.store(fleets.rendered(fleet, fleet).one("hub/appproject.yaml"))
    assert run(fleet, "validate", "--server", "--kubeconfig", str(kubeconfig), "-o", "json") == 0
    found = answers(capsys.readouterr().out)
    assert {path: one["askedAs"] for path, one in found.items()} == {
        "hub/appproject.yaml": "apply",
        "hub/applicationset-kubernetes.yaml": "create",
    }


def test_spokes_objects_are_asked_for_though_argo_makes_their_namespace_later(
    fleet: Path, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = ("validate", "--server", "--spoke", "a", "--kubeconfig", str(kubeconfig))
    assert run(fleet, *asking) == 0
    said = capsys.readouterr()
    assert "would take 3 of 3 objects" in said.err
    assert "spokes/a/storage.yaml" in said.out
    assert "spokes/b" not in said.out


def test_what_only_the_server_refuses_ends_with_2_and_its_words(
    fleet: Path, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An Ingress path without its slash: no schema tells."""
    ingress = (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: a\n  namespace: default\n"
        "[[ provenance.labels() ]]\nspec:\n  rules:\n    - http:\n        paths:\n          - path: no-slash\n"
        "            pathType: Prefix\n            backend: {service: {name: a, port: {number: 80}}}\n"
    )
    own_template(fleet, ingress)
    run(fleet, "schemas", "pull", "--kubeconfig", str(kubeconfig))
    assert run(fleet, "validate") == 0
    capsys.readouterr()
    assert run(fleet, "validate", "--server", "--kubeconfig", str(kubeconfig), "-o", "json") == 2
    assert "must be an absolute path" in answers(capsys.readouterr().out)["hub/own.yaml"]["message"]


def test_repeated_key_is_refused_before_the_server_could(
    fleet: Path, kubeconfig: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\n[[ provenance.labels() ]]\n"
    own_template(fleet, twice + "data:\n  a: w\n  a: x\n")
    assert run(fleet, "validate", "--server", "--kubeconfig", str(kubeconfig), "-o", "json") == 2
    refused = capsys.readouterr()
    assert 'duplicate entry with key "a"' in refused.err
    assert refused.out == ""


@pytest.fixture
def poor(api: Api, kubeconfig: Path, tmp_path: Path) -> Path:
    """The way in of a service account that has no right beyond being logged in."""
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "poor", "namespace": "default"}}
    api.store(yaml.safe_dump(account))
    path = "/api/v1/namespaces/default/serviceaccounts/poor/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {}}
    token = api.client.post(path, json=asked).json()["status"]["token"]
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"] = {"token": token}
    (tmp_path / "poor").write_text(json.dumps(config))
    return tmp_path / "poor"


def test_who_may_not_create_is_told_so_with_3(fleet: Path, poor: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(fleet, "validate", "--server", "--kubeconfig", str(poor)) == 3
    said = capsys.readouterr()
    assert "cannot create resource" in said.err
    assert "rights to create and patch" in said.err


def test_who_may_not_list_crds_gets_the_kinds_from_openapi(
    fleet: Path, poor: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fleet, "schemas", "pull", "--kubeconfig", str(poor), "-o", "json") == 0
    kinds = {one["kind"] for one in json.loads(capsys.readouterr().out)["added"]}
    assert kinds == {"AppProject", "ApplicationSet", "ConfigMap", "InferenceService", "PersistentVolumeClaim"}


def test_who_is_not_let_in_is_told_so_with_3(
    fleet: Path, poor: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = json.loads(poor.read_text())
    config["users"][0]["user"] = {"token": "not-a-token"}
    (tmp_path / "stranger").write_text(json.dumps(config))
    for command in (["schemas", "pull"], ["validate", "--server"]):
        assert run(fleet, *command, "--kubeconfig", str(tmp_path / "stranger")) == 3
        said = capsys.readouterr().err
        assert "Unauthorized" in said
        assert "not-a-token" not in said
