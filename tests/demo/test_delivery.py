import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from hubctl.demo import delivery, remote, servers, training
from hubctl.demo.delivery import Delivery
from hubctl.errors import InputError

DETECTOR = ("edge-north", "anomaly-detector")
NETWORK = ("edge-south", "network-anomaly")

servers_run = pytest.mark.servers


def manifest(model: str, uri: str) -> str:
    return json.dumps(
        {
            "apiVersion": "serving.kserve.io/v1beta1",
            "kind": "InferenceService",
            "metadata": {"name": model},
            "spec": {"predictor": {"model": {"storageUri": uri}}},
        }
    )


@dataclass(frozen=True, slots=True)
class Fleet:
    """A clone whose rendered tree a test writes by hand, and the delivery that follows it."""

    clone: Path
    delivery: Delivery

    async def publish(self, **files: str | None) -> None:
        """Writes or removes files below rendered/spokes (``edge_north__delivery`` is edge-north/delivery.yaml)."""
        for name, text in files.items():
            cluster, _, file = name.partition("__")
            path = self.clone / "rendered" / "spokes" / cluster.replace("_", "-") / f"{file}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_text(text)
        await remote.push_change(self.clone, "Publish")


@pytest.fixture
async def fleet(models: Path, tmp_path: Path) -> AsyncIterator[Fleet]:
    bare = await remote.make_remote(tmp_path / "fleet.git")
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "values-hub.yaml").write_text("hubctl: {}\n")
    await remote.push_inputs(clone, bare)
    ports = delivery.ports([DETECTOR, NETWORK])
    async with Delivery(bare, models=models, logs=tmp_path / "logs", ports=ports) as running:
        yield Fleet(clone, running)


async def labels(server: servers.ModelServer) -> list[int]:
    """What it answers to a normal window."""
    rows = training.window(server.model, seed=1, broken=False)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{server.url}/v1/models/{server.model}:predict", json={"instances": rows})
    found: list[int] = answer.json()["predictions"]
    return found


async def test_branch_without_rendered_spokes_starts_nothing(fleet: Fleet) -> None:
    done = await fleet.delivery.sync()
    assert done.commit
    assert done.changes == ()
    assert fleet.delivery.servers == {}


async def test_remote_without_a_commit_is_synced_to_nothing(tmp_path: Path, models: Path) -> None:
    bare = await remote.make_remote(tmp_path / "empty.git")
    done = await Delivery(bare, models=models, logs=tmp_path, ports={}).sync()
    assert done == delivery.Synced(commit="")


@servers_run
async def test_models_are_started_restarted_on_their_port_and_stopped(fleet: Fleet) -> None:
    await fleet.publish(
        edge_north__delivery="cluster: edge-north",
        edge_north__detector=manifest("anomaly-detector", "pvc://model-storage-pvc/anomaly-detector/v1"),
        edge_south__delivery="cluster: edge-south",
        edge_south__network=manifest("network-anomaly", "s3://models/prod/network-anomaly/v1"),
    )
    first = await fleet.delivery.sync()
    assert first.changes == (
        "edge-north-anomaly-detector: started with v1",
        "edge-south-network-anomaly: started with v1",
    )
    before = fleet.delivery.servers
    assert (await labels(before[DETECTOR])).count(1) > 19
    assert (await fleet.delivery.sync()).changes == ()

    await fleet.publish(
        edge_north__detector=manifest("anomaly-detector", "pvc://model-storage-pvc/anomaly-detector/v2"),
        edge_south__network=None,
    )
    second = await fleet.delivery.sync()
    assert second.commit != first.commit
    assert second.changes == ("edge-north-anomaly-detector: restarted with v2", "edge-south-network-anomaly: stopped")
    after = fleet.delivery.servers
    assert list(after) == [DETECTOR]
    assert after[DETECTOR].url == before[DETECTOR].url
    assert (await labels(after[DETECTOR])).count(-1) > 19
    assert servers.port_is_free(before[NETWORK].port)


@servers_run
async def test_spoke_without_a_delivery_file_is_left_as_it_is(fleet: Fleet) -> None:
    await fleet.publish(
        edge_north__delivery="cluster: edge-north",
        edge_north__detector=manifest("anomaly-detector", "pvc://model-storage-pvc/anomaly-detector/v1"),
    )
    await fleet.delivery.sync()
    await fleet.publish(
        edge_north__delivery=None,
        edge_north__detector=manifest("anomaly-detector", "pvc://model-storage-pvc/anomaly-detector/v2"),
    )
    assert (await fleet.delivery.sync()).changes == ()
    assert (await labels(fleet.delivery.servers[DETECTOR])).count(1) > 19


@servers_run
async def test_missing_version_leaves_its_predecessor_and_a_dead_server_is_restarted(fleet: Fleet) -> None:
    await fleet.publish(
        edge_north__delivery="cluster: edge-north",
        edge_north__detector=manifest("anomaly-detector", "pvc://model-storage-pvc/anomaly-detector/v1"),
    )
    await fleet.delivery.sync()
    await fleet.delivery.servers[DETECTOR].stop()
    assert (await fleet.delivery.sync()).changes == ("edge-north-anomaly-detector: restarted with v1",)
    await fleet.publish(
        edge_north__detector=manifest("anomaly-detector", "pvc://model-storage-pvc/anomaly-detector/v9")
    )
    done = await fleet.delivery.sync()
    assert done.changes == ("edge-north-anomaly-detector: anomaly-detector/v9 is not among the models, not delivered",)
    assert fleet.delivery.servers[DETECTOR].running


async def test_model_without_a_port_is_refused_by_name(fleet: Fleet) -> None:
    await fleet.publish(
        edge_west__delivery="cluster: edge-west",
        edge_west__detector=manifest("anomaly-detector", "pvc://model-storage-pvc/anomaly-detector/v1"),
    )
    with pytest.raises(InputError, match="no port is allotted for edge-west-anomaly-detector"):
        await fleet.delivery.sync()


@pytest.mark.parametrize("uri", ["", "hf://org/model", "pvc://claim/v1", "s3://bucket/../v1"])
def test_storage_without_model_and_version_is_refused(uri: str) -> None:
    files = {"a/delivery.yaml": b"", "a/m.yaml": manifest("m", uri).encode()}
    with pytest.raises(InputError, match="storageUri") as caught:
        delivery.read_desired(files)
    assert caught.value.where == "a/m.yaml"


def test_ports_are_distinct_and_one_for_each_model_of_a_spoke() -> None:
    allotted = delivery.ports([DETECTOR, NETWORK, DETECTOR])
    assert set(allotted) == {DETECTOR, NETWORK}
    assert len(set(allotted.values())) == 2
