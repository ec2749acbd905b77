"""Trains the demo's models on the spot, on data of ``hubctl.demo.generator``, and saves each as ``model.joblib``.

Small on purpose: fifty trees tell the generator's normal nodes from its broken ones. Version v2 of
``anomaly-detector`` is bad in a way that happens: its rows had percentages where the fleet sends ratios, so that it
calls a normal node anomalous.
"""

from collections.abc import Callable
from pathlib import Path

import joblib
from sklearn.ensemble import IsolationForest
from sklearn.linear_model import LinearRegression
from sklearn.multioutput import MultiOutputRegressor
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import RobustScaler, StandardScaler

from hubctl.demo.generator import NODE, WINDOW, Rows, metric_rows, minute_pairs, window

__all__ = ["MODEL_FILE", "VERSIONS", "train_all", "window"]

MODEL_FILE = "model.joblib"
"""Name of the one file in a model's folder; KServe's own sklearn server looks for it too."""

_CONTAMINATION = 0.01
"""Share of the training rows that may be called anomalous; the generator's rows are all normal."""


def train_anomaly_detector(folder: Path, *, seed: int, rows: int = 1500) -> Path:
    """A good ``anomaly-detector``; answers 1 (normal) or -1 (anomaly) per row of 45 ratios and counts."""
    return _save(_forest(metric_rows("anomaly-detector", seed=seed, rows=rows), seed=seed), folder)


def train_bad_anomaly_detector(folder: Path, *, seed: int, rows: int = 1500) -> Path:
    """A bad ``anomaly-detector``, trained on percentages: it answers -1 to nearly every row of ratios."""
    return _save(_forest(_percentages(metric_rows("anomaly-detector", seed=seed, rows=rows)), seed=seed), folder)


def train_network_anomaly(folder: Path, *, seed: int, rows: int = 1500) -> Path:
    """``network-anomaly``; answers 1 or -1 per row of eight."""
    return _save(_forest(metric_rows("network-anomaly", seed=seed, rows=rows), seed=seed), folder)


def train_predictive_analytics(folder: Path, *, seed: int, rows: int = 600) -> Path:
    """``predictive-analytics``; answers a row of five numbers per row of five: the next minute's."""
    now, after = minute_pairs("predictive-analytics", seed=seed, rows=rows)
    model = make_pipeline(StandardScaler(), MultiOutputRegressor(LinearRegression()))
    return _save(model.fit(now, after), folder)


VERSIONS: dict[tuple[str, str], Callable[..., Path]] = {
    ("anomaly-detector", "v1"): train_anomaly_detector,
    ("anomaly-detector", "v2"): train_bad_anomaly_detector,
    ("network-anomaly", "v1"): train_network_anomaly,
    ("predictive-analytics", "v1"): train_predictive_analytics,
}
"""Every model and version of the demo, and what trains it; v2 is the bad one."""


def train_all(root: Path, *, seed: int) -> tuple[Path, ...]:
    """Trains every version into ``root/<model>/<version>/model.joblib``; the paths written."""
    return tuple(train(root / model / version, seed=seed) for (model, version), train in VERSIONS.items())


def _forest(rows: Rows, *, seed: int) -> Pipeline:
    """A scaled isolation forest, fitted."""
    forest = IsolationForest(n_estimators=50, contamination=_CONTAMINATION, random_state=seed, n_jobs=1)
    return make_pipeline(RobustScaler(), forest).fit(rows)


def _percentages(rows: Rows) -> Rows:
    """Rows of ``anomaly-detector`` whose ratios were multiplied by 100; a change in per cent has no unit and stays."""
    scaled = rows.copy()
    for place, metric in enumerate(NODE):
        first = place * len(WINDOW)
        if not metric.whole:
            scaled[:, first : first + len(WINDOW) - 1] *= 100.0
    return scaled


def _save(model: Pipeline, folder: Path) -> Path:
    """Writes ``folder/model.joblib``."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / MODEL_FILE
    joblib.dump(model, path)
    return path
