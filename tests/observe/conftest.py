"""Services to poll, and a poller over a folder with rows."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hubctl.model.predictor import InferenceService
from hubctl.model.route import UrlRoute
from hubctl.model.values import Features, ModelProfile, Observe
from hubctl.observe.poll import Poller

UVLOOP = ("asyncio", {"use_uvloop": True})
STOCK = ("asyncio", {"use_uvloop": False})
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The loop that polls; ``STOCK`` is the one where it is not installed."""
    return UVLOOP


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """A folder of inputs; every model on every spoke has the same two rows."""
    (tmp_path / "rows.json").write_text("[[0.1, 0.2], [0.3, 0.4]]")
    return tmp_path


@pytest.fixture
def service() -> Callable[..., InferenceService]:
    """Makes a model on a spoke that is reached at a URL."""

    def make(url: str = "", **changes: Any) -> InferenceService:
        profile = changes.pop("profile", ModelProfile(features=Features(file="rows.json")))
        known = {"cluster": "edge-a", "name": "anomaly-detector", "version": "v1", "namespace": "models"}
        known |= {"service": "anomaly-detector-predictor"} | changes
        return InferenceService(**{"profile": profile, "route": UrlRoute(url=url) if url else None, **known})

    return make


@pytest.fixture
def poller(rows: Path) -> Callable[..., Poller]:
    """Makes a poller with a short deadline over the folder of rows."""

    def make(environ: dict[str, str] | None = None, **settings: Any) -> Poller:
        observe = Observe(**{"deadline": 2.0, **settings})
        return Poller(observe, rows, environ or {}, clock=lambda: NOW)

    return make
