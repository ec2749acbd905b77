"""The same poller against real KServe model servers: their own answers, not our idea of them."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from hubctl.demo import servers, training
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.values import Features, ModelProfile, Observe
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason

pytestmark = pytest.mark.servers
Ask = Callable[..., Any]
DETECTOR, ANALYTICS = "anomaly-detector", "predictive-analytics"


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """One loop for the module, so that its servers start once."""
    return "asyncio"


@pytest.fixture(scope="module")
async def urls(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[dict[str, str]]:
    """Where the real servers listen, by model."""
    root = tmp_path_factory.mktemp("models")
    training.train_anomaly_detector(root / DETECTOR, seed=3, rows=400)
    training.train_predictive_analytics(root / ANALYTICS, seed=3, rows=200)
    orders = [servers.Order(name, root / name, root / f"{name}.log") for name in (DETECTOR, ANALYTICS)]
    started = await servers.start_all(orders)
    yield {server.model: server.url for server in started}
    await servers.stop_all(started)


@pytest.fixture
def ask(urls: dict[str, str], service: Callable[..., InferenceService], tmp_path: Path) -> Ask:
    """Polls one model once with the rows given, or without any."""

    async def once(server: str, rows: object = None, *, name: str = "", **settings: Any) -> Observation:
        (tmp_path / "rows.json").write_text(json.dumps(rows))
        features = Features(file="rows.json") if rows is not None else None
        profile = ModelProfile.model_validate({"features": features, **settings})
        async with Poller(Observe(), tmp_path, {}) as poller:
            (found,) = await poller.poll([service(urls[server], name=name or server, profile=profile)])
        return found

    return once


async def test_each_row_gets_a_label_and_the_answer_votes(ask: Ask) -> None:
    rows = training.window(DETECTOR, seed=1, broken=False)
    found = await ask(DETECTOR, rows)
    assert (found.outcome, found.reason, found.votes) == (Outcome.OK, "", True)
    assert found.instances == len(rows) > found.anomalies


async def test_broken_rows_are_counted_as_anomalies(ask: Ask) -> None:
    good = await ask(DETECTOR, training.window(DETECTOR, seed=1, broken=False))
    bad = await ask(DETECTOR, training.window(DETECTOR, seed=1, broken=True))
    assert bad.anomalies > good.instances / 2 > good.anomalies
    assert bad.window != good.window


async def test_forecast_rows_are_read_and_do_not_vote(ask: Ask) -> None:
    found = await ask(ANALYTICS, training.window(ANALYTICS, seed=1, broken=False), output="forecast")
    assert (found.outcome, found.votes) == (Outcome.OK, False)
    assert found.instances > 0


async def test_forecast_is_never_taken_for_labels(ask: Ask) -> None:
    found = await ask(ANALYTICS, training.window(ANALYTICS, seed=1, broken=False), output="labels")
    assert (found.outcome, found.reason, found.votes) == (Outcome.MALFORMED, Reason.LABEL_TYPE, False)


async def test_ready_model_without_rows_is_present(ask: Ask) -> None:
    found = await ask(DETECTOR)
    assert (found.outcome, found.reason, found.votes) == (Outcome.OK, Reason.NO_FEATURES, False)


@pytest.mark.parametrize("rows", [None, [[1.0]]])
async def test_unknown_model_is_absent_with_rows_and_without(ask: Ask, rows: object) -> None:
    found = await ask(DETECTOR, rows, name="nope")
    assert (found.outcome, found.reason) == (Outcome.NOT_FOUND, Reason.MODEL_ABSENT)
    assert "Model with name nope does not exist." in found.detail


async def test_rows_of_another_width_are_the_callers_fault(ask: Ask) -> None:
    found = await ask(DETECTOR, [[1.0, 2.0, 3.0]])
    assert (found.outcome, found.reason) == (Outcome.MALFORMED, Reason.REJECTED_INPUT)
    assert "features" in found.detail


async def test_v2_gives_the_labels_that_v1_gives(ask: Ask) -> None:
    rows = training.window(DETECTOR, seed=1, broken=True)
    first, second = await ask(DETECTOR, rows), await ask(DETECTOR, rows, protocol="v2")
    assert (second.outcome, second.reason, second.votes) == (Outcome.OK, "", True)
    assert (second.anomalies, second.instances, second.window) == (first.anomalies, first.instances, first.window)
    assert second.anomalies


async def test_v2_forecast_has_a_row_for_each_row(ask: Ask) -> None:
    rows = training.window(ANALYTICS, seed=1, broken=False)
    found = await ask(ANALYTICS, rows, output="forecast", protocol="v2")
    assert (found.outcome, found.reason, found.instances, found.votes) == (Outcome.OK, "", len(rows), False)


async def test_v2_forecast_is_never_taken_for_labels(ask: Ask) -> None:
    found = await ask(ANALYTICS, training.window(ANALYTICS, seed=1, broken=False), protocol="v2")
    assert (found.outcome, found.votes) == (Outcome.MALFORMED, False)


async def test_v2_model_without_rows_is_present(ask: Ask) -> None:
    found = await ask(DETECTOR, protocol="v2")
    assert (found.outcome, found.reason) == (Outcome.OK, Reason.NO_FEATURES)


@pytest.mark.parametrize("rows", [None, [[1.0]]])
async def test_v2_unknown_model_is_absent(ask: Ask, rows: object) -> None:
    found = await ask(DETECTOR, rows, name="nope", protocol="v2")
    assert (found.outcome, found.reason) == (Outcome.NOT_FOUND, Reason.MODEL_ABSENT)


async def test_v2_rows_of_another_width_are_the_callers_fault(ask: Ask) -> None:
    found = await ask(DETECTOR, [[1.0, 2.0, 3.0]], protocol="v2")
    assert (found.outcome, found.reason) == (Outcome.MALFORMED, Reason.REJECTED_INPUT)
