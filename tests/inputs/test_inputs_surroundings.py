"""The coordination engine's variables in hubctl's own environment, read as upstream reads them, after the file."""

from dataclasses import replace
from pathlib import Path

import pytest

from hubctl.errors import InputError
from hubctl.inputs import load_inputs, surroundings
from hubctl.inputs.document import parse
from hubctl.model.fleet import HubInputs
from hubctl.render.engine import of_hub
from hubctl.settings import read_settings
from tests.inputs.inputfolder import Folder

BARE = "coordinationEngine:\n  enabled: true\n"


def loaded(folder: Folder, **variables: str) -> HubInputs:
    return load_inputs(replace(folder.settings(), kserve=tuple(sorted(variables.items()))))


def told(folder: Folder, **variables: str) -> dict[str, tuple[object, str, str]]:
    values = loaded(folder, **variables).values
    document = parse((folder.root / "values-hub.yaml").read_text(), "values-hub.yaml")
    found = surroundings.told(values, document, tuple(sorted(variables.items())))
    return {one.key.removeprefix("coordinationEngine.kserve."): (one.value, one.source, one.overruled) for one in found}


@pytest.fixture
def bare(folder: Folder) -> Folder:
    """A values file that says nothing of KServe."""
    folder.write("values-hub.yaml", BARE)
    return folder


def test_settings_keep_only_what_the_engine_reads_of_kserve(tmp_path: Path) -> None:
    environ = {"KSERVE_TIMEOUT": "5s", "KSERVE_NAMESPACE": "", "ENABLE_KSERVE_INTEGRATION": "0", "PATH": "/bin"}
    found = read_settings(str(tmp_path), environ).kserve
    assert found == (("ENABLE_KSERVE_INTEGRATION", "0"), ("KSERVE_TIMEOUT", "5s"))


def test_models_are_discovered_as_the_engine_discovers_them(bare: Folder) -> None:
    kserve = loaded(
        bare,
        KSERVE_ANOMALY_DETECTOR_SERVICE="anomaly-detector-stable",
        KSERVE_DISK_FAILURE_PREDICTOR_SERVICE="disk",
        KSERVE_DISK_FAILURE_PREDICTOR_SERVICE_HOST="10.0.0.1",
        KSERVE_NAMESPACE_SERVICE="no",
        KSERVE_TIMEOUT_X_SERVICE="no",
        KSERVE_PREDICTOR_PORT_SERVICE="no",
    ).values.kserve
    registry = {model.name: model.service for model in kserve.registry}
    assert registry == {"anomaly-detector": "anomaly-detector-stable", "disk-failure-predictor": "disk"}


def test_model_variable_names_the_model_of_its_service(bare: Folder) -> None:
    bare.change("clusters/edge-a.yaml", "name: anomaly-detector", "name: isolation")
    values = loaded(bare, KSERVE_ANOMALY_DETECTOR_SERVICE="s", KSERVE_ANOMALY_DETECTOR_MODEL="isolation").values
    assert [(one.name, one.service) for one in values.kserve.registry] == [("isolation", "s")]


def test_what_the_file_says_goes_before_the_variable(folder: Folder) -> None:
    variables = {
        "KSERVE_NAMESPACE": "elsewhere",
        "KSERVE_TIMEOUT": "30s",
        "KSERVE_ANOMALY_DETECTOR_SERVICE": "other",
        "KSERVE_DISK_SERVICE": "disk",
    }
    assert told(folder, **variables) == {
        "enabled": (True, "default", ""),
        "namespace": ("models", "values-hub.yaml:3", "KSERVE_NAMESPACE"),
        "predictorPort": (8080, "default", ""),
        "timeout": (30.0, "KSERVE_TIMEOUT", ""),
        "services.anomaly_detector": (
            "anomaly-detector-predictor", "values-hub.yaml:5", "KSERVE_ANOMALY_DETECTOR_SERVICE",
        ),
        "services.disk": ("disk", "KSERVE_DISK_SERVICE", ""),
        "services.predictive_analytics": ("predictive-analytics-predictor", "values-hub.yaml:6", ""),
    }  # fmt: skip


def test_namespace_of_the_variable_is_where_models_live(bare: Folder) -> None:
    inputs = loaded(bare, KSERVE_NAMESPACE="edge-models", KSERVE_ANOMALY_DETECTOR_SERVICE="s")
    assert inputs.clusters[0].namespace == "edge-models"


@pytest.mark.parametrize("text", ["false", "0", "F", "FALSE", "f", "False"])
def test_switch_of_the_environment_is_off_even_where_the_file_says_on(folder: Folder, text: str) -> None:
    folder.change("values-hub.yaml", "  kserve:\n", "  kserve:\n    enabled: true\n")
    values = loaded(folder, ENABLE_KSERVE_INTEGRATION=text).values
    assert not values.kserve.enabled
    assert values.switch == "ENABLE_KSERVE_INTEGRATION"
    assert told(folder, ENABLE_KSERVE_INTEGRATION=text)["enabled"] == (False, "ENABLE_KSERVE_INTEGRATION", "")


def test_switch_of_the_environment_does_not_switch_on_what_the_file_switched_off(folder: Folder) -> None:
    folder.change("values-hub.yaml", "  kserve:\n", "  kserve:\n    enabled: false\n")
    values = loaded(folder, ENABLE_KSERVE_INTEGRATION="true").values
    assert not values.kserve.enabled
    assert values.switch == "coordinationEngine.kserve.enabled"


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("ENABLE_KSERVE_INTEGRATION", "no"),
        ("KSERVE_PREDICTOR_PORT", "tcp://10.0.0.7:80"),
        ("KSERVE_PREDICTOR_PORT", "8_080"),
        ("KSERVE_TIMEOUT", "10"),
        ("KSERVE_TIMEOUT", "soon"),
    ],
)
def test_what_the_engine_cannot_read_is_its_default_and_a_warning(folder: Folder, variable: str, text: str) -> None:
    inputs = loaded(folder, **{variable: text})
    assert inputs.values == loaded(folder).values
    assert any(warning.startswith(f"{variable} is not read") and text in warning for warning in inputs.warnings)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("KSERVE_TIMEOUT", "500ms"),
        ("KSERVE_TIMEOUT", "2m1s"),
        ("KSERVE_TIMEOUT", "-10s"),
        ("KSERVE_NAMESPACE", "Not A Name"),
        ("KSERVE_PREDICTOR_PORT", "70000"),
        ("KSERVE_DISK_SERVICE", "disk.other"),
    ],
)
def test_what_no_engine_could_use_is_refused_by_its_variable(folder: Folder, variable: str, text: str) -> None:
    folder.change("values-hub.yaml", "    namespace: models\n", "")
    with pytest.raises(InputError) as caught:
        loaded(folder, **{variable: text})
    assert caught.value.where == variable


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("10s", 10), ("1m30s", 90), ("1.5h", 5400), ("300ms", 0.3), ("+.5s", 0.5), ("0", 0), ("-1s", -1), ("7µs", 7e-6)],
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert surroundings.go_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "10", "s", "1d", "1 s", "1s ", "--1s", "1e3s"])
def test_other_durations_are_none(text: str) -> None:
    assert surroundings.go_duration(text) is None


def test_timeout_of_the_file_that_no_engine_starts_with_is_a_warning(folder: Folder) -> None:
    folder.change("values-hub.yaml", "    namespace: models\n", "    namespace: models\n    timeout: 5m\n")
    told = "coordinationEngine.kserve.timeout is 300s; the coordination engine only starts with 1s to 2m"
    assert f"values-hub.yaml:4 {told}" in loaded(folder).warnings


def test_engine_on_the_hub_gets_the_registry(bare: Folder) -> None:
    inputs = loaded(bare, KSERVE_NAMESPACE="m", KSERVE_ANOMALY_DETECTOR_SERVICE="s", KSERVE_TIMEOUT="1m30s")
    assert of_hub(inputs) == {
        "namespace": "m",
        "env": {
            "ENABLE_KSERVE_INTEGRATION": "true",
            "KSERVE_ANOMALY_DETECTOR_SERVICE": "s",
            "KSERVE_NAMESPACE": "m",
            "KSERVE_TIMEOUT": "90s",
        },
    }


def test_hub_without_an_engine_and_hub_that_is_a_spoke_get_none_of_their_own(folder: Folder) -> None:
    assert of_hub(loaded(folder)) is None
    folder.change("values-hub.yaml", "  kserve:\n", "  enabled: true\n  kserve:\n")
    assert of_hub(loaded(folder)) is not None
    folder.change("clusters/edge-a.yaml", "  name: edge-a\n", "  name: edge-a\n  labels: {local-cluster: 'true'}\n")
    assert of_hub(loaded(folder)) is None


def test_engine_without_a_service_is_told_to_leave_kserve_alone(folder: Folder) -> None:
    """It would not start otherwise."""
    folder.write("values-hub.yaml", BARE)
    (folder.root / "clusters" / "edge-a.yaml").unlink()
    found = of_hub(loaded(folder))
    assert found is not None
    assert found["env"]["ENABLE_KSERVE_INTEGRATION"] == "false"
