import asyncio
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from hubctl.demo import servers, training
from hubctl.errors import RemoteFailed
from tests.demo import orphans

pytestmark = pytest.mark.servers

ORPHAN_MAKER = """
import asyncio, sys
from pathlib import Path
from hubctl.demo import servers

async def main():
    server = await servers.start_server("anomaly-detector", Path(sys.argv[1]), log=Path(sys.argv[2]))
    print(server.port, flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@pytest.fixture
async def detector(models: Path, tmp_path: Path) -> AsyncIterator[servers.ModelServer]:
    server = await servers.start_server(
        "anomaly-detector", models / "anomaly-detector" / "v1", log=tmp_path / "server.log"
    )
    yield server
    await server.stop()


async def test_server_answers_a_label_for_every_row(detector: servers.ModelServer) -> None:
    normal = training.window("anomaly-detector", seed=1, broken=False)
    broken = training.window("anomaly-detector", seed=1, broken=True)
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{detector.url}/v1/models/anomaly-detector:predict", json={"instances": normal + broken}
        )
    labels = answer.json()["predictions"]
    assert answer.status_code == 200
    assert len(labels) == 48
    assert labels[:24].count(1) > 19
    assert labels[24:].count(-1) > 19


async def test_server_is_not_reachable_from_outside_the_loopback(detector: servers.ModelServer) -> None:
    # On Linux all of 127/8 is local: a server bound to every address would answer here.
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.2", detector.port)


async def test_stopped_server_has_left_its_port_and_its_log_is_quiet(detector: servers.ModelServer) -> None:
    await detector.stop()
    assert not detector.running
    assert servers.port_is_free(detector.port)
    assert "GET /v1/models" not in detector.log.read_text()


async def test_folder_without_a_model_is_an_error_that_shows_the_log(tmp_path: Path) -> None:
    with pytest.raises(RemoteFailed, match="FileNotFoundError") as caught:
        await servers.start_server("anomaly-detector", tmp_path / "nothing", log=tmp_path / "server.log")
    assert "server.log" in caught.value.hint


async def test_taken_port_is_an_error_that_names_it(models: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(RemoteFailed, match=f"port {port} .* is taken"):
            await servers.start_server(
                "anomaly-detector", models / "anomaly-detector" / "v1", log=tmp_path / "server.log", port=port
            )


async def test_one_failing_start_stops_the_others(models: Path, tmp_path: Path) -> None:
    good, bad = servers.free_ports(2)
    orders = [
        servers.Order("anomaly-detector", models / "anomaly-detector" / "v1", tmp_path / "good.log", good),
        servers.Order("network-anomaly", tmp_path / "nothing", tmp_path / "bad.log", bad),
    ]
    with pytest.raises(RemoteFailed, match="network-anomaly"):
        await servers.start_all(orders)
    assert servers.port_is_free(good)


async def test_server_ends_with_a_parent_that_is_killed(models: Path, tmp_path: Path) -> None:
    folder, log = models / "anomaly-detector" / "v1", tmp_path / "server.log"
    assert await orphans.port_is_given_back(ORPHAN_MAKER, str(folder), str(log), seconds=5)
