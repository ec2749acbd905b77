"""The demo's tests run real model servers; the models are trained once for all of them."""

from pathlib import Path

import pytest

from hubctl.demo import training


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("models")
    training.train_all(root, seed=7)
    return root
