from pathlib import Path

import joblib
import numpy as np
import pytest

from hubctl.demo import generator, training

SEEDS = range(1000, 1020)


def shares(path: Path, kind: str, *, broken: bool) -> list[float]:
    """Share of rows called anomalous, per window."""
    model = joblib.load(path / training.MODEL_FILE)
    windows = (training.window(kind, seed=seed, broken=broken) for seed in SEEDS)
    return [float(np.mean(model.predict(rows) == -1)) for rows in windows]


@pytest.mark.parametrize("kind", ["anomaly-detector", "network-anomaly"])
def test_good_model_finds_few_normal_rows_anomalous(models: Path, kind: str) -> None:
    assert max(shares(models / kind / "v1", kind, broken=False)) < 0.2


@pytest.mark.parametrize("kind", ["anomaly-detector", "network-anomaly"])
def test_good_model_finds_most_broken_rows_anomalous(models: Path, kind: str) -> None:
    assert min(shares(models / kind / "v1", kind, broken=True)) > 0.8


def test_bad_version_finds_most_normal_rows_anomalous(models: Path) -> None:
    assert min(shares(models / "anomaly-detector" / "v2", "anomaly-detector", broken=False)) > 0.8


@pytest.mark.parametrize("seed", [1, 20, 300])
def test_models_tell_good_from_bad_whatever_the_seed(tmp_path: Path, seed: int) -> None:
    training.train_anomaly_detector(tmp_path / "good", seed=seed)
    training.train_bad_anomaly_detector(tmp_path / "bad", seed=seed)
    assert max(shares(tmp_path / "good", "anomaly-detector", broken=False)) < 0.2
    assert min(shares(tmp_path / "good", "anomaly-detector", broken=True)) > 0.8
    assert min(shares(tmp_path / "bad", "anomaly-detector", broken=False)) > 0.8


def test_forecast_is_nearer_to_the_next_minute_than_the_present_one_is(models: Path) -> None:
    model = joblib.load(models / "predictive-analytics" / "v1" / training.MODEL_FILE)
    now, after = generator.minute_pairs("predictive-analytics", seed=99, rows=500)
    forecast = model.predict(now)
    assert forecast.shape == (500, 5)
    assert np.abs(forecast - after).mean() < np.abs(now - after).mean()


def test_anomaly_detector_has_the_engines_45_features_metric_by_metric() -> None:
    names = generator.feature_names("anomaly-detector")
    assert len(names) == 45
    assert names[:2] == ("node_cpu_utilization_value", "node_cpu_utilization_mean_5m")
    assert names[-1] == "container_restart_count_pct_change"


@pytest.mark.parametrize("kind", generator.METRICS)
def test_every_window_is_as_wide_as_its_feature_names(kind: str) -> None:
    rows = training.window(kind, seed=1, rows=3, broken=True)
    assert [len(row) for row in rows] == [len(generator.feature_names(kind))] * 3


def test_derived_features_agree_with_the_values_they_are_derived_from() -> None:
    row = dict(
        zip(
            generator.feature_names("anomaly-detector"),
            generator.metric_rows("anomaly-detector", seed=5, rows=1)[0],
            strict=True,
        )
    )
    cpu = {part: row[f"node_cpu_utilization_{part}"] for part in generator.WINDOW}
    assert cpu["diff"] == pytest.approx(cpu["value"] - cpu["lag_1"])
    assert cpu["pct_change"] == pytest.approx(cpu["diff"] / cpu["lag_1"])
    assert cpu["min_5m"] <= cpu["value"] <= cpu["max_5m"]


def test_same_seed_gives_the_same_window_and_another_seed_another() -> None:
    first = training.window("network-anomaly", seed=1, broken=False)
    assert first == training.window("network-anomaly", seed=1, broken=False)
    assert first != training.window("network-anomaly", seed=2, broken=False)
