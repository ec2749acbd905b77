"""Trains what MLServer serves in the tests: ``python train.py DIR HTTP_PORT GRPC_PORT METRICS_PORT``, with its Python.

Another scikit-learn than ours could not read its pickles, nor it ours.
"""

import json
import sys
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import IsolationForest

MODELS = {"anomaly-detector": ("v1", 0.0), "moved": ("v2", 8.5)}
"""Name: the version that MLServer says of it, and what it was trained around."""


def main(folder: Path, ports: list[int]) -> None:
    near = np.random.default_rng(5).normal(0, 1, (300, 2))
    http, grpc, metrics = ports
    server = {"http_port": http, "grpc_port": grpc, "metrics_port": metrics, "host": "127.0.0.1", "parallel_workers": 0}
    (folder / "settings.json").write_text(json.dumps(server))
    for name, (version, centre) in MODELS.items():
        (folder / name).mkdir()
        forest = IsolationForest(n_estimators=30, contamination=0.01, random_state=3).fit(near + centre)
        joblib.dump(forest, folder / name / "model.joblib")
        settings = {
            "name": name,
            "implementation": "mlserver_sklearn.SKLearnModel",
            "parameters": {"uri": "./model.joblib", "version": version},
        }
        (folder / name / "model-settings.json").write_text(json.dumps(settings))


if __name__ == "__main__":
    main(Path(sys.argv[1]), [int(port) for port in sys.argv[2:5]])
