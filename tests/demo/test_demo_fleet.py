import json
from pathlib import Path

import pytest
import yaml

from hubctl.demo import fleet, generator
from hubctl.errors import InputError
from hubctl.inputs.load import load_inputs
from hubctl.model.fleet import HubInputs
from hubctl.model.route import UrlRoute
from hubctl.settings import Settings

PORTS = {key: 20000 + number for number, key in enumerate(fleet.KEYS)}


@pytest.fixture
def written(tmp_path: Path) -> Path:
    fleet.write_fleet(tmp_path, remote=tmp_path / "fleet.git", ports=PORTS, webhook="http://127.0.0.1:9/hook")
    return tmp_path


def load(folder: Path) -> HubInputs:
    return load_inputs(Settings(directory=folder, state=folder / ".hubctl"))


def rows(folder: Path, cluster: str, model: str) -> list[list[float]]:
    found: list[list[float]] = json.loads((folder / "features" / cluster / f"{model}.json").read_text())["instances"]
    return found


def test_written_files_are_inputs_without_a_warning(written: Path) -> None:
    inputs = load(written)
    assert [cluster.name for cluster in inputs.clusters] == ["cloud-east", "cloud-west", "edge-north", "edge-south"]
    assert inputs.warnings == ()


def test_fleet_has_each_platform_topology_and_storage(written: Path) -> None:
    clusters = load(written).clusters
    assert [cluster.platform for cluster in clusters].count("openshift") == 2
    assert {cluster.topology for cluster in clusters if cluster.platform == "openshift"} == {"ha", "sno"}
    assert [cluster.storage.type for cluster in clusters].count("s3") == 1


def test_every_route_is_its_own_servers_port(written: Path) -> None:
    models = [model for cluster in load(written).clusters for model in cluster.models]
    assert {(model.cluster, model.name) for model in models} == set(fleet.KEYS)
    for model in models:
        assert model.route == UrlRoute(url=f"http://127.0.0.1:{PORTS[model.cluster, model.name]}")


def test_mode_webhook_and_policies_are_those_asked_for(tmp_path: Path) -> None:
    fleet.write_fleet(
        tmp_path, remote=tmp_path / "fleet.git", ports=PORTS, mode="approve", webhook="http://127.0.0.1:9/"
    )
    section = load(tmp_path).values.hubctl
    actions = {policy.on: policy.action for policy in section.remediation.policies}
    assert section.remediation.mode == "approve"
    assert section.notify.webhooks[0].url == "http://127.0.0.1:9/"
    assert actions["model-anomaly"] == actions["model-fault"] == "rollback-model"
    assert actions["spoke-anomaly"] == "notify"


def test_new_version_reaches_the_named_spokes_only(written: Path) -> None:
    fleet.set_version(written, model="anomaly-detector", version="v2", clusters=("edge-north", "cloud-west"))
    models = [cluster.model("anomaly-detector") for cluster in load(written).clusters]
    assert [model.version for model in models if model] == ["v1", "v2", "v2", "v1"]


def test_version_of_a_model_that_a_spoke_does_not_serve_is_refused(written: Path) -> None:
    with pytest.raises(InputError, match="found no model 'predictive-analytics'") as caught:
        fleet.set_version(written, model="predictive-analytics", version="v2", clusters=("edge-north", "edge-south"))
    assert "clusters/edge-south.yaml" in caught.value.where
    north = load(written).cluster("edge-north")
    assert north is not None
    assert [model.version for model in north.models] == ["v1", "v1", "v1"]


@pytest.mark.parametrize(("cluster", "model"), fleet.KEYS)
def test_windows_have_the_models_width(written: Path, cluster: str, model: str) -> None:
    assert {len(row) for row in rows(written, cluster, model)} == {len(generator.feature_names(model))}


def test_each_round_and_each_spoke_has_a_window_of_its_own(written: Path) -> None:
    first = rows(written, "edge-north", "anomaly-detector")
    assert first != rows(written, "edge-south", "anomaly-detector")
    fleet.write_windows(written, number=1)
    assert first != rows(written, "edge-north", "anomaly-detector")
    fleet.write_windows(written, number=0)
    assert first == rows(written, "edge-north", "anomaly-detector")


def test_only_broken_spokes_get_broken_metrics(written: Path) -> None:
    fleet.write_windows(written, number=1, broken=("edge-south",))
    cpu = {cluster: rows(written, cluster, "anomaly-detector")[0][0] for cluster, _ in fleet.KEYS}
    assert cpu.pop("edge-south") > 0.8
    assert max(cpu.values()) < 0.7


def test_cluster_files_read_as_a_person_would_write_them(written: Path) -> None:
    document = yaml.safe_load((written / "clusters" / "edge-south.yaml").read_text())
    assert list(document) == ["apiVersion", "kind", "metadata", "spec"]
    assert document["spec"]["version"] == "4.18"
