"""What of a model's serving does not fit together is refused where it is written, also when it comes from two files."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.inputs.settle import patched
from hubctl.model.fleet import services
from hubctl.model.serving import FORMATS, misfit, spelled
from hubctl.model.values import ModelPatch, ModelProfile
from tests.inputs.inputfolder import VALUES, Folder

WRONG = {
    "container: {image: 'a:{version}'}, format: onnx": "expected exactly one of format and container",
    "container: {image: 'a:{version}'}, runtime: b": "runtime is for a format",
    "format: onnx": "format onnx speaks protocol v2 only, expected protocol: v2",
    "runtime: kserve-mlserver": "runtime kserve-mlserver speaks protocol v2 only",
    "format: tensorflow, protocol: v2, runtime: kserve-tensorflow-serving": "speaks protocol v1 only",
    "format: skleran": "format 'skleran' needs a runtime of its own; without one expected sklearn, xgboost",
    "gpu: {}, resources: {limits: {nvidia.com/gpu: '1'}}": "expected nvidia.com/gpu either in gpu or in resources",
}


@pytest.mark.parametrize("profile", WRONG)
def test_profile_that_no_server_can_serve_is_refused_at_its_line(folder: Folder, profile: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  models:\n    anomaly-detector: {{{profile}}}\n")
    (problem,) = folder.problems()
    assert problem.where == "values-hub.yaml:9 hubctl.models.anomaly-detector"
    assert WRONG[profile] in problem.message


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("container: {image: quay.io/a}", "expected {version} in image or args"),
        ("storage: {type: oci, image: 'quay.io/{model}'}", "expected {version} in it"),
        ("storage: {type: hf, repo: 'https://a/b'}", "expected owner/model:revision"),
        ("storage: {type: pvc}", "expected hf or oci"),
        ("gpu: {resource: gpu}", "expected an extended resource such as nvidia.com/gpu"),
        ("protocol: v3", "expected v1, v2 or auto"),
        ("canaryTrafficPercent: 101", "expected less than or equal to 100"),
    ],
)
def test_wrong_value_of_serving_says_what_was_expected(folder: Folder, section: str, message: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  models:\n    anomaly-detector:\n      {section}\n")
    (problem,) = folder.problems()
    assert message in problem.message


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("{protocol: auto, runtime: mine}", "nothing says what runtime mine speaks, found auto"),
        ("{protocol: auto, container: {image: 'a/{model}:{version}'}}", "a container's readiness probe needs its"),
    ],
)
def test_protocol_is_left_open_only_where_rendering_knows_it(folder: Folder, section: str, message: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  models:\n    anomaly-detector: {section}\n")
    assert message in folder.problems()[0].message


@pytest.mark.parametrize(
    ("section", "spoken", "path"),
    [
        ("{protocol: auto}", "v1", "/v1/models/{model}"),
        ("{protocol: auto, format: onnx}", "v2", "/v2/models/{model}/ready"),
        ("{protocol: auto, runtime: kserve-mlserver}", "v2", "/v2/models/{model}/ready"),
        ("{protocol: auto, runtime: kserve-tensorflow-serving}", "v1", "/v1/models/{model}"),
    ],
)
def test_open_protocol_is_rendered_as_the_server_speaks(folder: Folder, section: str, spoken: str, path: str) -> None:
    folder.write("values-hub.yaml", f"{VALUES}hubctl:\n  models:\n    anomaly-detector: {section}\n")
    profile = folder.load().clusters[0].models[0].profile
    assert (profile.spoken, profile.readiness_path) == (spoken, path)


def patch(folder: Folder, text: str, spec: str = "") -> Folder:
    added = f"  overrides: {{models: {{anomaly-detector: {{{text}}}}}}}\n{spec}"
    return folder.write("clusters/edge-a.yaml", (folder.root / "clusters/edge-a.yaml").read_text() + added)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("format: onnx", "anomaly-detector: format onnx speaks protocol v2 only, expected protocol: v2"),
        ("canaryTrafficPercent: 5", "anomaly-detector: canaryTrafficPercent needs deployment mode Knative"),
        ("gpu: {}, resources: {limits: {nvidia.com/gpu: '1'}}", "either in gpu or in resources"),
    ],
)
def test_patch_that_does_not_fit_the_fleets_profile_is_refused_in_the_spokes_file(
    folder: Folder, text: str, message: str
) -> None:
    (problem,) = patch(folder, text).problems()
    assert problem.where == "clusters/edge-a.yaml:11 spec.overrides.models.anomaly-detector"
    assert message in problem.message


def test_canary_is_taken_on_a_knative_spoke(folder: Folder) -> None:
    inputs = patch(folder, "canaryTrafficPercent: 5", "  deploymentMode: Knative\n").load()
    assert inputs.clusters[0].models[0].profile.canary_traffic_percent == 5
    assert inputs.clusters[0].deployment_mode == "Serverless"


def test_model_that_speaks_v2_is_delivered_and_asked(folder: Folder) -> None:
    inputs = patch(folder, "protocol: v2").load()
    assert [service.profile.protocol for service in services(inputs)] == ["v2"]
    assert not any("anomaly-detector" in warning for warning in inputs.warnings)


@pytest.mark.parametrize(
    ("mode", "kserve", "word"),
    [
        ("RawDeployment", None, "RawDeployment"),
        ("Standard", None, "RawDeployment"),
        ("Knative", None, "Serverless"),
        ("Standard", "0.15.2", "RawDeployment"),
        ("Knative", "0.9", "Serverless"),
        ("RawDeployment", "0.16", "Standard"),
        ("Serverless", "0.20.1", "Knative"),
        ("Serverless", "1.0", "Knative"),
    ],
)
def test_deployment_mode_is_spelled_for_the_spokes_kserve(mode: Any, kserve: str | None, word: str) -> None:
    assert spelled(mode, kserve) == word


def test_container_and_format_replace_each_other_in_a_patch() -> None:
    container = {"image": "a:{version}"}
    fleet = ModelProfile.model_validate(
        {"format": "xgboost", "runtime": "r", "storage": {"type": "hf", "repo": "a/b:{version}"}}
    )
    own = patched(fleet, ModelPatch.model_validate({"container": container}))
    assert (own.model_format, own.runtime, own.storage) == (None, None, None)
    back = patched(own, ModelPatch(format="lightgbm"))
    assert (back.model_format, back.container) == ("lightgbm", None)


profiles = st.sampled_from([{"format": name, "protocol": spoken} for name, both in FORMATS.items() for spoken in both])
servers = st.sampled_from([{"container": {"image": "a:{version}"}}, {"format": "sklearn"}])


@given(profiles, servers)
def test_patch_of_container_or_format_never_leaves_both(profile: dict[str, Any], server: dict[str, Any]) -> None:
    found = patched(ModelProfile.model_validate(profile), ModelPatch.model_validate(server))
    assert misfit(found) == ""
    assert (found.model_format is None) == (found.container is not None) == ("container" in server)


def test_exposure_that_does_not_fit_the_platform_is_refused_at_its_line(folder: Folder) -> None:
    (problem,) = folder.change("clusters/edge-a.yaml", "  models:", "  expose: {host: a}\n  models:").problems()
    assert problem.where == "clusters/edge-a.yaml:8 spec.expose"
    assert problem.message == "OpenShift AI makes the Route itself, expected no host"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("{a: b c}", "expected 1 to 63 letters"),
        ("{a b: c}", "expected a label's key"),
        ("{app.kubernetes.io/name: c}", "hubctl's own"),
    ],
)
def test_labels_that_an_api_server_refuses_are_refused_here(folder: Folder, labels: str, message: str) -> None:
    folder.change("clusters/edge-a.yaml", "  models:", f"  monitoring: {{labels: {labels}}}\n  models:")
    (problem,) = folder.problems()
    assert message in problem.message
