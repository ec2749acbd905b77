"""Golden rows, declared outputs and negotiated protocols against a real KServe server with two frameworks."""

import asyncio
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import joblib
import lightgbm
import numpy as np
import pytest
import yaml
from sklearn.ensemble import IsolationForest

from hubctl.aggregate import aggregate
from hubctl.cli import main
from hubctl.demo import servers
from hubctl.inputs import read_sources, reload
from hubctl.model.fleet import services
from hubctl.model.golden import first_difference
from hubctl.model.health import FindingKind
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.values import Aggregate, Features, ModelProfile, Observe
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from hubctl.settings import Settings
from tests.observe.manymodels import LUCKY
from tests.observe.realserver import running

pytestmark = pytest.mark.servers
DETECTOR, RISK, KIND = "anomaly-detector", "risk", "kind"
ROWS = [[0.0, 0.1], [0.2, -0.1], [8.0, 9.0], [-7.0, 8.0]]
SCORES = {"output": "scores", "scores": {"threshold": 0.5, "anomaly_when": "above"}}
CLASSES = {"output": "classes", "classes": {"names": ["ok", "hot", "cold"], "anomaly": ["hot", "cold"]}}


def train(folder: Path, *, centre: float = 0.0) -> None:
    """An isolation forest around a centre, and boosters that tell far rows from near ones."""
    chance = np.random.default_rng(5)
    near = chance.normal(0, 1, (300, 2))
    far = chance.normal(9, 1, (300, 2))
    forest = IsolationForest(n_estimators=30, contamination=0.01, random_state=3).fit(near + centre)
    every, sides = np.vstack([near, far, -far]), np.repeat([0, 1, 2], 300)
    quiet = {"verbose": -1, "num_threads": 1, "num_leaves": 4, "seed": 1}
    risk = lightgbm.train({**quiet, "objective": "binary"}, lightgbm.Dataset(every, sides > 0), 20)
    kind = lightgbm.train({**quiet, "objective": "multiclass", "num_class": 3}, lightgbm.Dataset(every, sides), 20)
    for name in (DETECTOR, RISK, KIND):
        (folder / name).mkdir(parents=True)
    joblib.dump(forest, folder / DETECTOR / "model.joblib")
    risk.save_model(folder / RISK / "model.bst")
    kind.save_model(folder / KIND / "model.bst")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The models that are served, and beside them the same of another version."""
    root = tmp_path_factory.mktemp("models")
    train(root / "v1")
    train(root / "v2", centre=8.5)
    shutil.copytree(root / "v1", root / "served")
    return root


@pytest.fixture(scope="module")
def url(models: Path) -> Iterator[str]:
    """Where the real server listens."""
    (port,) = servers.free_ports(1)
    command = [sys.executable, "-m", "tests.observe.manymodels", "--http_port", str(port)]
    command += ["--model_dir", str(models / "served")]
    where = f"http://127.0.0.1:{port}"
    with running(command, models / "log", f"{where}/v2/health/ready", lambda answer: answer.status_code == 200):
        yield where


@pytest.fixture
def serve(models: Path, url: str) -> Iterator[Callable[[str], None]]:
    """Swaps the detector's artefact for that of a version, as a wrong copy on a spoke would, and back at the end."""

    def swap(version: str) -> None:
        shutil.copy(models / version / DETECTOR / "model.joblib", models / "served" / DETECTOR / "model.joblib")
        assert httpx.post(f"{url}/v2/repository/models/{DETECTOR}/load", json={}, trust_env=False).is_success

    yield swap
    swap("v1")


@pytest.fixture
def folder(tmp_path: Path, url: str) -> Path:
    """The inputs of a spoke that serves the detector."""
    (tmp_path / "values-hub.yaml").write_text(
        "coordinationEngine: {kserve: {namespace: models, services: {anomaly_detector: d, lucky: l}}}\n"
    )
    (tmp_path / "clusters").mkdir()
    (tmp_path / "clusters/edge-a.yaml").write_text(
        "apiVersion: hubctl.io/v1alpha1\nkind: Spoke\nmetadata: {name: edge-a}\nspec:\n  platform: openshift\n"
        f'  version: "4.18"\n  route: {{type: url, url: "{url}"}}\n  models:\n'
        f"    - name: {DETECTOR}\n      version: v1  # Ann's\n    - {{name: lucky, version: v7}}\n"
    )
    (tmp_path / "rows.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in ROWS))
    return tmp_path


def hubctl(folder: Path, *words: str) -> int:
    return main.run(["-C", str(folder), *words])


def golden(folder: Path, model: str = DETECTOR) -> Any:
    return yaml.safe_load((folder / "golden" / f"{model}.yaml").read_text())


def polled(folder: Path, service: InferenceService, rows: object = None) -> Observation:
    (folder / "live.json").write_text(json.dumps(rows))
    features = Features(file="live.json") if rows is not None else None
    profile = service.profile.model_copy(update={"features": features})

    async def once() -> Observation:
        async with Poller(Observe(), folder, {}) as poller:
            (found,) = await poller.poll([replace(service, profile=profile)])
        return found

    return asyncio.run(once())


def detector(folder: Path) -> InferenceService:
    settings = Settings(directory=folder, state=folder / ".hubctl")
    return next(one for one in services(reload(read_sources(settings), {})) if one.name == DETECTOR)


def record(folder: Path, url: str) -> None:
    words = ("--golden", str(folder / "rows.csv"), "--version", "v1", "--golden-from", url)
    assert hubctl(folder, "models", "register", DETECTOR, *words) == 0


def test_recorded_answers_match_in_both_protocols_and_the_live_rows_vote(folder: Path, url: str) -> None:
    record(folder, url)
    assert golden(folder) == {"rows": ROWS, "expected": {"v1": [1, 1, -1, -1]}}
    for protocol in ("v1", "v2", "auto"):
        one = detector(folder)
        one = replace(one, profile=one.profile.model_copy(update={"protocol": protocol}))
        found = polled(folder, one, [[0.1, 0.1], [9.0, -9.0], [0.0, 0.2]])
        assert (found.outcome, found.reason, found.served_version) == (Outcome.OK, "", "v1")
        assert (found.instances, found.anomalies, found.votes) == (3, 1, True)


def test_swapped_artefact_is_found_at_the_first_poll(folder: Path, url: str, serve: Callable[[str], None]) -> None:
    record(folder, url)
    serve("v2")
    found = polled(folder, detector(folder), [[0.1, 0.1]])
    assert (found.outcome, found.reason) == (Outcome.GOLDEN_MISMATCH, Reason.GOLDEN_DIFFERS)
    assert found.detail == "golden row 1: expected 1, got -1"
    assert (found.votes, found.served_version) == (False, "")
    (told,) = aggregate([found], (), Aggregate(raise_after=1), now=found.at).findings
    assert (told.kind, told.deterministic) == (FindingKind.PREDICTOR_FAULT, True)


def test_version_that_has_not_arrived_is_named_even_without_live_rows(
    folder: Path, url: str, serve: Callable[[str], None]
) -> None:
    record(folder, url)
    serve("v2")
    assert hubctl(folder, "models", "set-version", DETECTOR, "v2", "--golden-from", url) == 0
    assert "version: v2  # Ann's" in (folder / "clusters/edge-a.yaml").read_text()
    good = polled(folder, detector(folder))
    assert (good.outcome, good.reason, good.served_version) == (Outcome.OK, Reason.NO_FEATURES, "v2")
    serve("v1")
    old = polled(folder, detector(folder))
    assert (old.outcome, old.reason, old.served_version) == (Outcome.GOLDEN_MISMATCH, "golden_other_version", "v1")


def test_spoke_is_asked_only_for_the_version_that_git_gives_it(folder: Path, url: str) -> None:
    record(folder, url)
    before = (folder / "clusters/edge-a.yaml").read_text(), golden(folder)
    assert hubctl(folder, "models", "set-version", DETECTOR, "v2", "--golden-from", "edge-a") == 4
    assert ((folder / "clusters/edge-a.yaml").read_text(), golden(folder)) == before
    assert hubctl(folder, "models", "set-version", DETECTOR, "v1", "--golden-from", "edge-a") == 0


@pytest.mark.parametrize(("version", "told"), [("v7", "otherwise when asked again"), ("v8", "it serves version v7")])
def test_answers_that_may_not_be_recorded_are_refused_and_nothing_is_written(
    folder: Path, url: str, version: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "rows.csv").write_text("1,2\n" * 60)
    words = ("--golden", str(folder / "rows.csv"), "--version", version, "--golden-from", url)
    assert hubctl(folder, "models", "register", LUCKY, *words) == 4
    assert told in capsys.readouterr().err
    assert not (folder / "golden").exists()


def test_predictor_without_the_model_is_a_remote_failure(folder: Path, url: str) -> None:
    words = ("--golden", str(folder / "rows.csv"), "--version", "v1", "--golden-from", url)
    assert hubctl(folder, "models", "register", "nowhere", *words) == 3
    assert "nowhere" not in (folder / "values-hub.yaml").read_text()


@pytest.mark.parametrize("protocol", ["v1", "v2", "auto"])
@pytest.mark.parametrize(("name", "said"), [(RISK, SCORES), (KIND, CLASSES)])
def test_boosters_vote_by_score_and_by_class(
    folder: Path, service: Callable[..., InferenceService], url: str, protocol: str, name: str, said: dict[str, Any]
) -> None:
    profile = ModelProfile.model_validate({"protocol": protocol, **said})
    found = polled(folder, service(url, name=name, profile=profile), ROWS[:3])
    assert (found.outcome, found.reason, found.votes) == (Outcome.OK, "", True)
    assert (found.instances, found.anomalies) == (3, 1)


def test_classes_are_never_taken_for_labels(folder: Path, service: Callable[..., InferenceService], url: str) -> None:
    found = polled(folder, service(url, name=KIND, profile=ModelProfile()), ROWS)
    assert (found.outcome, found.reason) == (Outcome.MALFORMED, Reason.LABEL_TYPE)


def test_unknown_model_is_absent_whatever_the_protocol(
    folder: Path, service: Callable[..., InferenceService], url: str
) -> None:
    found = polled(folder, service(url, name="nope", profile=ModelProfile(protocol="auto")), ROWS)
    assert (found.outcome, found.reason, found.window) == (Outcome.NOT_FOUND, Reason.MODEL_ABSENT, "")


def test_served_model_is_described(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hubctl(folder, "models", "describe", DETECTOR, "-o", "json") == 0
    (one,) = json.loads(capsys.readouterr().out)["models"]
    assert (one["cluster"], one["ready"], one["speaks"]) == ("edge-a", True, ["v1", "v2"])


def test_thousands_of_comparisons_of_a_healthy_model_show_no_mismatch() -> None:
    chance = np.random.default_rng(1)
    forest = IsolationForest(n_estimators=8, random_state=3).fit(chance.normal(0, 1, (300, 2)))
    expected = tuple(forest.predict(np.array(ROWS)))
    scores = tuple((float(score),) for score in forest.score_samples(np.array(ROWS)))
    for size in chance.integers(0, 40, 1000):
        rows = np.vstack([chance.normal(0, 3, (size, 2)), ROWS])
        got = tuple((float(score),) for score in forest.score_samples(rows)[size:])
        assert first_difference(scores, got, 1e-12) is None
        if size % 4 == 0:
            assert first_difference(expected, tuple(forest.predict(rows))[size:], 0) is None
