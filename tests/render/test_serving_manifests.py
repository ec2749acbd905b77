"""Each way to serve a model, as the InferenceService that it becomes."""

from typing import Any

import pytest
import yaml

from hubctl.model.cluster import ManagedCluster
from hubctl.model.predictor import InferenceService
from hubctl.model.serving import FORMATS, HfStorage, OciStorage
from hubctl.model.values import ModelProfile
from hubctl.render.templates import Templates
from hubctl.render.tree import render_tree
from tests.render.fleets import hub, spoke


def served(profile: dict[str, Any], version: str = "v1") -> InferenceService:
    return InferenceService("edge", "m", version, "models", "m-predictor", ModelProfile.model_validate(profile))


def rendered(templates: Templates, profile: dict[str, Any], **changes: object) -> dict[str, Any]:
    one: ManagedCluster = spoke("edge", served(profile), **changes)
    found: dict[str, Any] = yaml.safe_load(
        render_tree(hub(one), templates).files["spokes/edge/inferenceservice-m.yaml"]
    )
    return found


@pytest.mark.parametrize("name", FORMATS)
def test_format_is_served_over_the_first_protocol_that_it_speaks(templates: Templates, name: str) -> None:
    protocol = FORMATS[name][0]
    model = rendered(templates, {"format": name, "protocol": protocol})["spec"]["predictor"]["model"]
    assert (model["modelFormat"]["name"], model["protocolVersion"]) == (name, protocol)


@pytest.mark.parametrize(("protocol", "path"), [("v1", "/v1/models/m"), ("v2", "/v2/models/m/ready")])
def test_readiness_probe_follows_the_protocol(templates: Templates, protocol: str, path: str) -> None:
    model = rendered(templates, {"protocol": protocol})["spec"]["predictor"]["model"]
    assert model["readinessProbe"]["httpGet"] == {"path": path, "port": 8080}


def test_container_of_the_users_own_is_asked_on_its_own_port(templates: Templates) -> None:
    container = {"image": "quay.io/fleet/{model}:{version}", "args": ["--model_name={model}"], "port": 9000}
    predictor = rendered(templates, {"container": container})["spec"]["predictor"]
    assert "model" not in predictor
    [found] = predictor["containers"]
    assert (found["name"], found["image"], found["args"]) == (
        "kserve-container",
        "quay.io/fleet/m:v1",
        ["--model_name=m"],
    )
    assert found["ports"] == [{"containerPort": 9000, "protocol": "TCP"}]
    assert found["readinessProbe"]["httpGet"] == {"path": "/v1/models/m", "port": 9000}


@pytest.mark.parametrize(
    ("said", "topology", "expected"),
    [
        ({}, "ha", {"limits": {"cpu": "1", "memory": "2Gi"}, "requests": {"cpu": "1", "memory": "2Gi"}}),
        ({}, "sno", {"limits": {"cpu": "1", "memory": "2Gi"}, "requests": {"cpu": "250m", "memory": "512Mi"}}),
        (
            {"requests": {"cpu": "4"}, "limits": {"memory": "0.5Gi"}},
            "ha",
            {"limits": {"cpu": "4", "memory": "512Mi"}, "requests": {"cpu": "4", "memory": "512Mi"}},
        ),
        (
            {"requests": {"cpu": "0.5"}, "limits": {"cpu": "2"}},
            "sno",
            {"limits": {"cpu": "2", "memory": "2Gi"}, "requests": {"cpu": "500m", "memory": "512Mi"}},
        ),
    ],
)
def test_container_leaves_no_resource_for_the_webhook_to_fill_in(
    templates: Templates, said: dict[str, Any], topology: str, expected: dict[str, Any]
) -> None:
    profile = {"container": {"image": "quay.io/fleet/m:{version}"}, "resources": said}
    [found] = rendered(templates, profile, topology=topology)["spec"]["predictor"]["containers"]
    assert found["resources"] == expected


def test_quantities_are_spelled_as_the_webhook_would_store_them(templates: Templates) -> None:
    profile = {"resources": {"requests": {"cpu": "0.5"}, "limits": {"memory": "1024Mi"}}}
    model = rendered(templates, profile)["spec"]["predictor"]["model"]
    assert model["resources"] == {"limits": {"memory": "1Gi"}, "requests": {"cpu": "500m"}}


OCI = OciStorage(image="quay.io/fleet/{model}:{version}")
HF = HfStorage(repo="fleet/{model}:{version}")


@pytest.mark.parametrize(("storage", "uri"), [(OCI, "oci://quay.io/fleet/m:v1"), (HF, "hf://fleet/m:v1")])
def test_artefact_of_a_spoke_or_of_one_model_needs_no_claim(
    templates: Templates, storage: OciStorage | HfStorage, uri: str
) -> None:
    of_spoke = rendered(templates, {}, storage=storage)
    of_model = rendered(templates, {"storage": storage.model_dump()})
    assert of_spoke["spec"]["predictor"]["model"]["storageUri"] == uri
    assert of_model["spec"]["predictor"]["model"]["storageUri"] == uri
    files = render_tree(hub(spoke("edge", served({}), storage=storage)), templates).files
    assert "spokes/edge/storage.yaml" not in files


def test_gpus_are_requested_and_limited_alike_beside_other_resources(templates: Templates) -> None:
    profile = {"gpu": {"resource": "amd.com/gpu", "count": 2}, "resources": {"requests": {"cpu": "1"}}}
    resources = rendered(templates, profile)["spec"]["predictor"]["model"]["resources"]
    assert resources == {"limits": {"amd.com/gpu": "2"}, "requests": {"amd.com/gpu": "2", "cpu": "1"}}


def test_knative_spoke_splits_traffic_and_has_no_deployment_to_recreate(templates: Templates) -> None:
    found = rendered(templates, {"canaryTrafficPercent": 10}, deployment_mode="Serverless", topology="sno")
    assert found["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Serverless"
    assert found["spec"]["predictor"]["canaryTrafficPercent"] == 10
    assert "deploymentStrategy" not in found["spec"]["predictor"]
