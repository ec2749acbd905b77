"""What the hub gets for each way to deliver."""

from typing import Any

import pytest
import yaml

from hubctl.model.fleet import HubInputs
from hubctl.model.values import HubValues
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree
from tests.render.fleets import hub, service, spoke

PLACEMENT = {"clusterSet": "fleet", "matchLabels": {"vendor": "OpenShift"}}


def rendered(templates: Templates, **delivery: Any) -> dict[str, list[Any]]:
    gitops = {"remote": "https://git.example.com/fleet.git"}
    values = HubValues.model_validate({"hubctl": {"gitops": gitops, "delivery": delivery}})
    one = spoke("edge", service("edge", "m"), service("edge", "n", namespace="other"))
    files = render_tree(HubInputs(values, (one,)), templates).files
    return {path: list(yaml.safe_load_all(data)) for path, data in files.items() if path.startswith("hub/")}


def application_set(files: dict[str, list[Any]]) -> Any:
    return files["hub/applicationset-openshift.yaml"][0]["spec"]


@pytest.mark.parametrize("generator", ["clusters", "clusterDecisionResource"])
def test_cluster_is_delivered_only_with_the_delivery_file_of_its_name(templates: Templates, generator: str) -> None:
    [found] = application_set(rendered(templates, generator=generator, placement=PLACEMENT))["generators"]
    first, second = found["matrix"]["generators"]
    assert list(first) == [generator]
    assert second["git"]["files"] == [{"path": "rendered/spokes/{{ .name }}/delivery.yaml"}]
    assert found["selector"] == {"matchLabels": {"platform": "openshift"}}


def test_decisions_are_those_of_the_placement(templates: Templates) -> None:
    files = rendered(templates, generator="clusterDecisionResource", placement={"name": "p", **PLACEMENT})
    [found] = application_set(files)["generators"]
    decisions = found["matrix"]["generators"][0]["clusterDecisionResource"]
    binding, placement, registered = files["hub/placement.yaml"]
    assert decisions["labelSelector"]["matchLabels"]["cluster.open-cluster-management.io/placement"] == "p"
    assert placement["metadata"]["name"] == registered["spec"]["placementRef"]["name"] == "p"
    assert binding["metadata"]["name"] == binding["spec"]["clusterSet"] == "fleet"
    assert {each["metadata"]["namespace"] for each in (binding, placement)} == {"openshift-gitops"}


def test_cluster_out_of_sight_stays_selected(templates: Templates) -> None:
    _, placement, _ = rendered(templates, placement=PLACEMENT)["hub/placement.yaml"]
    assert {(each["key"].rpartition("/")[2], each["operator"]) for each in placement["spec"]["tolerations"]} == {
        ("unreachable", "Exists"),
        ("unavailable", "Exists"),
    }


def test_pulled_application_is_left_to_the_spoke_and_never_removed(templates: Templates) -> None:
    files = rendered(templates, model="pull", placement=PLACEMENT)
    spec = application_set(files)
    metadata = spec["template"]["metadata"]
    group = "apps.open-cluster-management.io"
    assert metadata["labels"][f"{group}/pull-to-ocm-managed-cluster"] == "true"
    assert metadata["annotations"][f"{group}/ocm-managed-cluster"] == "{{ .destination }}"
    assert metadata["annotations"]["argocd.argoproj.io/skip-reconcile"] == "true"
    assert spec["template"]["spec"]["destination"]["server"] == "https://kubernetes.default.svc"
    assert spec["syncPolicy"] == {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True}
    assert files["hub/placement.yaml"][2]["spec"]["createBlankClusterSecrets"] is True


@pytest.mark.parametrize("model", ["push", "pull"])
@pytest.mark.parametrize("generator", ["git", "clusters", "clusterDecisionResource"])
def test_applications_are_guarded_whoever_makes_them(templates: Templates, model: str, generator: str) -> None:
    spec = application_set(rendered(templates, model=model, generator=generator, placement=PLACEMENT))
    removing = {"push": "sync", "pull": "create-update"}
    assert spec["syncPolicy"] == {"applicationsSync": removing[model], "preserveResourcesOnDeletion": True}
    (ignored,) = spec["template"]["spec"]["ignoreDifferences"]
    assert {"/status", "/metadata/finalizers"} < set(ignored["jsonPointers"])
    assert "strategy" not in spec
    assert "hubctl.io/step" not in spec["template"]["metadata"]["labels"]


def test_what_may_happen_to_applications_can_be_narrowed(templates: Templates) -> None:
    spec = application_set(rendered(templates, applicationsSync="create-only"))
    assert spec["syncPolicy"]["applicationsSync"] == "create-only"


STEPS = [{"group": "canary", "maxUpdate": 1}, {"name": "half", "maxUpdate": "50%"}, {"match": {"a": "b"}}]


@pytest.mark.parametrize("model", ["push", "pull"])
@pytest.mark.parametrize("generator", ["git", "clusters", "clusterDecisionResource"])
def test_steps_select_applications_by_the_step_of_their_spoke(templates: Templates, model: str, generator: str) -> None:
    strategy = {"type": "RollingSync", "steps": STEPS}
    spec = application_set(
        rendered(templates, model=model, generator=generator, placement=PLACEMENT, strategy=strategy)
    )
    found = spec["strategy"]["rollingSync"]["steps"]
    assert spec["strategy"]["type"] == "RollingSync"
    assert [step["matchExpressions"] for step in found] == [
        [{"key": "hubctl.io/step", "operator": "In", "values": [name]}] for name in ("canary", "half", "step-3")
    ]
    assert [step.get("maxUpdate", "all") for step in found] == [1, "50%", "all"]
    assert spec["template"]["metadata"]["labels"]["hubctl.io/step"] == "{{ .step }}"
    assert spec["template"]["spec"]["syncPolicy"]["automated"]["prune"] is True


def test_delivery_file_says_the_step_of_its_spoke(templates: Templates) -> None:
    files = render_tree(hub(spoke("a", step="canary"), spoke("b")), templates).files
    assert yaml.safe_load(files["spokes/a/delivery.yaml"])["step"] == "canary"
    assert "step" not in yaml.safe_load(files["spokes/b/delivery.yaml"])


def test_project_of_the_pull_model_allows_each_namespace_as_the_spoke_sees_itself(templates: Templates) -> None:
    [project] = rendered(templates, model="pull", placement=PLACEMENT)["hub/appproject.yaml"]
    server = "https://kubernetes.default.svc"
    assert project["spec"]["destinations"] == [
        {"server": server, "namespace": "other"},
        {"server": server, "namespace": "self-healing-platform"},
    ]


def test_nothing_of_open_cluster_management_is_made_unasked(templates: Templates) -> None:
    assert "hub/placement.yaml" not in rendered(templates)
    assert len(rendered(templates, placement=PLACEMENT | {"gitOpsCluster": False})["hub/placement.yaml"]) == 2
