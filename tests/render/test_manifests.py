from typing import Any

import yaml

from hubctl.model.fleet import HubInputs
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree
from tests.render.fleets import hub, service, spoke


def load(files: Any, path: str) -> Any:
    documents = list(yaml.safe_load_all(files[path]))
    return documents[0] if len(documents) == 1 else documents


def test_every_object_says_that_hubctl_made_it_and_from_which_file(fleet: HubInputs, templates: Templates) -> None:
    for path, data in render_tree(fleet, templates).files.items():
        for document in yaml.safe_load_all(data):
            if path.endswith("delivery.yaml"):
                continue
            assert document["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "hubctl", path
            source = document["metadata"]["annotations"]["hubctl.io/source"]
            assert source == ("values-hub.yaml" if path.startswith("hub/") else f"clusters/{path.split('/')[1]}.yaml")


def test_each_model_of_a_spoke_becomes_an_inference_service(fleet: HubInputs, templates: Templates) -> None:
    files = render_tree(fleet, templates).files
    found = load(files, "spokes/edge-ha/inferenceservice-anomaly-detector.yaml")
    assert found["kind"] == "InferenceService"
    assert found["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "RawDeployment"
    model = found["spec"]["predictor"]["model"]
    assert model["storageUri"] == "pvc://model-storage-pvc/anomaly-detector/v1"
    assert model["readinessProbe"]["httpGet"]["path"] == "/v1/models/anomaly-detector"
    assert "spokes/edge-ha/inferenceservice-predictive-analytics.yaml" in files


def test_s3_spoke_reads_its_models_with_a_service_account_that_names_the_secret(
    fleet: HubInputs, templates: Templates
) -> None:
    files = render_tree(fleet, templates).files
    account = load(files, "spokes/cloud/storage.yaml")
    predictor = load(files, "spokes/cloud/inferenceservice-anomaly-detector.yaml")["spec"]["predictor"]
    assert (account["kind"], account["secrets"]) == ("ServiceAccount", [{"name": "model-storage-s3"}])
    assert predictor["serviceAccountName"] == account["metadata"]["name"]
    assert predictor["model"]["storageUri"] == "s3://models/prod/anomaly-detector/v1"


def test_single_node_spoke_gets_a_claim_and_a_rollout_that_one_node_can_serve(
    fleet: HubInputs, templates: Templates
) -> None:
    files = render_tree(fleet, templates).files
    assert load(files, "spokes/edge-sno/storage.yaml")["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert load(files, "spokes/edge-ha/storage.yaml")["spec"]["accessModes"] == ["ReadWriteMany"]
    predictor = load(files, "spokes/edge-sno/inferenceservice-anomaly-detector.yaml")["spec"]["predictor"]
    assert predictor["deploymentStrategy"] == {"type": "Recreate"}


def test_coordination_engine_gets_one_service_variable_per_model(fleet: HubInputs, templates: Templates) -> None:
    config = load(render_tree(fleet, templates).files, "spokes/edge-ha/coordination-engine.yaml")
    assert config["data"] == {
        "ENABLE_KSERVE_INTEGRATION": "true",
        "KSERVE_NAMESPACE": "self-healing-platform",
        "KSERVE_ANOMALY_DETECTOR_SERVICE": "anomaly-detector-predictor",
        "KSERVE_PREDICTIVE_ANALYTICS_SERVICE": "predictive-analytics-predictor",
    }


def test_models_of_two_namespaces_get_storage_in_each(templates: Templates) -> None:
    one = spoke("edge", service("edge", "anomaly-detector"), service("edge", "vision", namespace="vision"))
    claims = load(render_tree(hub(one), templates).files, "spokes/edge/storage.yaml")
    assert [claim["metadata"]["namespace"] for claim in claims] == ["self-healing-platform", "vision"]


def test_kustomization_lists_every_object_of_the_spoke_and_nothing_else(fleet: HubInputs, templates: Templates) -> None:
    files = render_tree(fleet, templates).files
    names = {path.rsplit("/", 1)[1] for path in files if path.startswith("spokes/edge-ha/")}
    listed = load(files, "spokes/edge-ha/kustomization.yaml")["resources"]
    assert set(listed) == names - {"kustomization.yaml", "delivery.yaml"}
    assert listed == sorted(listed)


def test_application_set_delivers_each_folder_to_its_spoke_by_name(fleet: HubInputs, templates: Templates) -> None:
    files = render_tree(fleet, templates).files
    spec = load(files, "hub/applicationset-kubernetes.yaml")["spec"]
    assert spec["generators"][0]["git"]["files"] == [{"path": "rendered/spokes/*/delivery.yaml"}]
    assert spec["generators"][0]["selector"] == {"matchLabels": {"platform": "kubernetes"}}
    assert spec["template"]["spec"]["destination"] == {"name": "{{ .destination }}", "namespace": "{{ .namespace }}"}
    assert spec["syncPolicy"]["preserveResourcesOnDeletion"] is True
    assert load(files, "spokes/cloud/delivery.yaml")["destination"] == "cloud-eu"


def test_project_allows_the_destinations_of_the_fleet_and_no_others(fleet: HubInputs, templates: Templates) -> None:
    project = load(render_tree(fleet, templates).files, "hub/appproject.yaml")
    assert [(place["name"], place["namespace"]) for place in project["spec"]["destinations"]] == [
        ("cloud-eu", "self-healing-platform"),
        ("edge-ha", "self-healing-platform"),
        ("edge-sno", "self-healing-platform"),
    ]


def test_quarantined_spoke_keeps_its_manifests_and_leaves_the_application_sets_reach(templates: Templates) -> None:
    files = render_tree(hub(spoke("edge", quarantined=True)), templates).files
    assert "spokes/edge/delivery.yaml" not in files
    assert "spokes/edge/inferenceservice-anomaly-detector.yaml" in files


def test_fleet_without_spokes_still_renders_a_project(templates: Templates) -> None:
    files = render_tree(hub(), templates).files
    assert load(files, "hub/appproject.yaml")["spec"]["destinations"] == []
    assert list(files) == ["hub/appproject.yaml", "hub/kustomization.yaml"]
