"""The steered model servers of these tests, held against a real KServe server: the same questions, the same answers."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from hubctl.demo import servers, training
from tests.e2e.predictors import Loop, Predictors
from tests.e2e.world import MODEL

pytestmark = pytest.mark.servers


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory, loop: Loop) -> Iterator[tuple[str, str]]:
    """Where a real server and ours serve the same model."""
    root = tmp_path_factory.mktemp("models")
    training.train_anomaly_detector(root / MODEL, seed=3, rows=400)
    (real,) = loop.do(servers.start_all([servers.Order(MODEL, root / MODEL, root / "log")]), seconds=60)
    ours = Predictors(loop, ("north",), {("north", MODEL): "v1"})
    ours.open()
    yield real.url, f"http://127.0.0.1:{ours.listeners['north'].port}"
    ours.close()
    loop.do(servers.stop_all([real]))


def shape(value: Any) -> Any:
    """A JSON value with types for its leaves."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    return [type(each).__name__ for each in value] if isinstance(value, list) else type(value).__name__


def asked(url: str, model: str, rows: object) -> tuple[int, str, Any]:
    """Status, content type and the body's shape."""
    with httpx.Client(trust_env=False, timeout=20) as client:
        address = f"{url}/v1/models/{model}"
        found = client.post(f"{address}:predict", json={"instances": rows}) if rows else client.get(address)
    return found.status_code, found.headers["content-type"], shape(found.json())


@pytest.mark.parametrize("rows", [None, training.window(MODEL, seed=1, broken=False)], ids=["ready", "predict"])
@pytest.mark.parametrize("model", [MODEL, "nothing"])
def test_steered_server_answers_as_a_real_one_does(urls: tuple[str, str], model: str, rows: object) -> None:
    real, ours = urls
    assert asked(ours, model, rows) == asked(real, model, rows)


def test_steered_server_says_of_an_unknown_model_what_a_real_one_says(urls: tuple[str, str]) -> None:
    said = [httpx.get(f"{url}/v1/models/nothing", trust_env=False).json() for url in urls]
    assert said[0] == said[1]
