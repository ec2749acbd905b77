"""A fleet behind one server, and services that are as varied as those of real fleets."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from hubctl.model.predictor import InferenceService, Observation
from hubctl.model.route import UrlRoute
from hubctl.model.values import Features, ModelProfile
from tests.observe.faultserver import Exchange, normal

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = ModelProfile(features=Features(file="rows.json"))


def folder_of(path: Path) -> Path:
    """A folder of inputs with rows in it."""
    (path / "rows.json").write_text("[[0.1, 0.2], [0.3, 0.4]]")
    (path / "edge-03.json").write_text("[[1, 2, 3]]")
    return path


def service(
    cluster: str = "edge-00", name: str = "anomaly", url: str = "http://127.0.0.1:1", **changes: object
) -> InferenceService:
    """One model on one spoke."""
    made = InferenceService(cluster, name, "v1", "models", f"{name}-predictor", ROWS, UrlRoute(url=url))
    return replace(made, **changes)  # type: ignore[arg-type]


def fleet(urls: Sequence[str]) -> tuple[InferenceService, ...]:
    """Two models on each spoke; one spoke is dead, one has rows of its own, one model has no rows at all."""
    found = []
    for number, url in enumerate(urls):
        cluster = f"edge-{number:02}"
        to = "http://127.0.0.1:1" if number == 1 else f"{url}/{cluster}"
        own = ModelProfile(features=Features(file="edge-03.json")) if number == 3 else ROWS
        found.append(service(cluster, "anomaly", to, profile=own))
        found.append(service(cluster, "forecast", to, profile=ModelProfile(output="forecast") if number == 4 else ROWS))
    return tuple(found)


async def varied(exchange: Exchange) -> None:
    """What predictors answer: a spoke that sees an anomaly, one without its model, one that fails, and good ones."""
    spoke = exchange.path.split("/")[1]
    if spoke == "edge-05" and not exchange.line.startswith("GET"):
        await exchange.send(200, b'{"predictions": [' + b", ".join([b"-1"] * exchange.rows) + b"]}")
    elif spoke == "edge-06":
        await exchange.send(404, b'{"error": "Model with name x does not exist."}')
    elif spoke == "edge-07":
        await exchange.send(500, b'{"error": "boom"}')
    else:
        await normal(exchange)


def timeless(observations: Sequence[Observation]) -> list[Observation]:
    """The same without what differs from round to round."""
    return [replace(one, at=NOW, latency_ms=0.0) for one in observations]
