"""A real KServe server with several models: ``python -m tests.observe.manymodels --http_port N --model_dir DIR``.

``DIR/<name>/model.joblib`` is served as KServe's own sklearn server does, and may be loaded again over the repository
API; beside it are LightGBM boosters, the second framework, and a model that answers by chance.
"""

import argparse
import logging
import random
from pathlib import Path

import joblib
import kserve
import lightgbm
from kserve.model_repository import ModelRepository
from kserve.utils.utils import get_predict_input, get_predict_response

from hubctl.demo.modelserver import end_with_stdin

LUCKY = "lucky"
"""The model that never answers alike twice."""


class Joblib(kserve.Model):  # type: ignore[misc]
    """A scikit-learn estimator."""

    def __init__(self, name: str, folder: Path) -> None:
        super().__init__(name)
        self.folder = folder

    def load(self) -> bool:
        self.fitted = joblib.load(self.folder / "model.joblib")
        self.ready = True
        return True

    async def predict(self, payload: object, headers: object = None, response_headers: object = None) -> object:
        del headers, response_headers
        return get_predict_response(payload, self.fitted.predict(get_predict_input(payload)), self.name)


class Booster(Joblib):
    """A LightGBM booster: a probability a row, or one for each class."""

    def load(self) -> bool:
        self.fitted = lightgbm.Booster(model_file=self.folder / "model.bst")
        self.ready = True
        return True


class Lucky(kserve.Model):  # type: ignore[misc]
    """Answers by chance, and says which version it is."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.ready = True

    async def predict(self, payload: object, headers: object = None, response_headers: object = None) -> object:
        del headers, response_headers
        rows = len(get_predict_input(payload))
        return {"predictions": [random.choice((1, -1)) for _ in range(rows)], "model_version": "v7"}  # noqa: S311


class Folder(ModelRepository):  # type: ignore[misc]
    """Loads a model again when it is told to."""

    async def load(self, name: str) -> bool:
        model = made(Path(self.models_dir) / name)
        model.load()
        self.update(model)
        return True


class Loopback(kserve.ModelServer):  # type: ignore[misc]
    """A model server that only this machine can reach."""

    async def _serve(self) -> None:
        self._rest_server.config.host = "127.0.0.1"
        await super()._serve()


def made(folder: Path) -> Joblib:
    """The model in a folder, not loaded yet."""
    kind = Booster if (folder / "model.bst").exists() else Joblib
    return kind(folder.name, folder)


def main() -> None:
    """Entry point of the program."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--http_port", type=int, required=True)
    parser.add_argument("--model_dir", type=Path, required=True)
    wanted, _ = parser.parse_known_args()
    end_with_stdin()
    logging.basicConfig(level=logging.WARNING)
    models = [made(folder) for folder in sorted(wanted.model_dir.iterdir())]
    for model in models:
        model.load()
    server = Loopback(
        http_port=wanted.http_port,
        workers=1,
        enable_grpc=False,
        enable_latency_logging=False,
        grace_period=3,
        registered_models=Folder(wanted.model_dir),
    )
    server.start([*models, Lucky(LUCKY)])


if __name__ == "__main__":
    main()
