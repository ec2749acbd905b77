"""The same poller against a real MLServer, which speaks v2 only: OpenShift AI's runtime for scikit-learn."""

import asyncio
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hubctl.demo import servers
from hubctl.model.golden import Golden, digest_of
from hubctl.model.predictor import InferenceService, Observation, Outcome
from hubctl.model.values import ModelProfile, Observe
from hubctl.observe.interview import Asker, Described, Recorded
from hubctl.observe.poll import Poller
from hubctl.observe.reason import Reason
from tests.observe.realserver import running

pytestmark = pytest.mark.servers
ROOT = Path(__file__).parents[2]
DETECTOR = "anomaly-detector"
ROWS = ((0.0, 0.1), (0.2, -0.1), (8.0, 9.0), (-7.0, 8.0))
V1, V2 = (1, 1, -1, -1), (-1, -1, 1, -1)
Make = Callable[..., InferenceService]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where MLServer listens; its environment is made by ``make test``, or named by ``HUBCTL_MLSERVER``."""
    venv = Path(os.environ.get("HUBCTL_MLSERVER") or ROOT / ".cache/mlserver")
    if not (venv / "bin/mlserver").exists():
        assert not os.environ.get("CI"), f"no MLServer in {venv}: `make .cache/mlserver/stamp`"
        pytest.skip("needs MLServer: `make .cache/mlserver/stamp`")
    folder = tmp_path_factory.mktemp("mlserver")
    ports = servers.free_ports(3)
    train = [str(venv / "bin/python"), str(ROOT / "tests/mlserver/train.py"), str(folder), *map(str, ports)]
    subprocess.run(train, check=True, timeout=120)
    where = f"http://127.0.0.1:{ports[0]}"
    command = [str(venv / "bin/mlserver"), "start", str(folder)]
    ready = f"{where}/v2/models/{DETECTOR}/ready"
    with running(command, folder / "log", ready, lambda answer: answer.status_code == 200):
        yield where


@pytest.fixture
def model(service: Make, url: str) -> Make:
    """A predictor behind MLServer."""

    def make(name: str = DETECTOR, known: dict[str, tuple[int, ...]] | None = None, **said: Any) -> InferenceService:
        profile = ModelProfile.model_validate({"protocol": "v2", "features": {"file": "rows.json"}, **said})
        golden = Golden(ROWS, "v1", known, 0, digest_of(ROWS)) if known else None
        return service(url, name=name, profile=profile, golden=golden)

    return make


def polled(folder: Path, *asked: InferenceService, rows: object = ROWS) -> Observation:
    (folder / "rows.json").write_text(json.dumps(rows))

    async def rounds() -> Observation:
        async with Poller(Observe(), folder, {}) as poller:
            for one in asked:
                (found,) = await poller.poll([one])
        return found

    return asyncio.run(rounds())


def test_labels_of_shape_n_by_1_vote_and_the_server_says_its_version(model: Make, tmp_path: Path) -> None:
    found = polled(tmp_path, model())
    assert (found.outcome, found.reason, found.votes) == (Outcome.OK, "", True)
    assert (found.instances, found.anomalies, found.served_version) == (4, 2, "v1")


@pytest.mark.parametrize("protocol", ["v2", "auto"])
def test_golden_rows_match_behind_live_ones(model: Make, tmp_path: Path, protocol: str) -> None:
    one = model(known={"v1": V1, "v2": V2}, protocol=protocol)
    found = polled(tmp_path, one, one, rows=[[0.1, 0.1]])
    assert (found.outcome, found.instances, found.anomalies, found.served_version) == (Outcome.OK, 1, 0, "v1")


def test_v1_alone_is_not_spoken_there(model: Make, tmp_path: Path) -> None:
    found = polled(tmp_path, model(protocol="v1"))
    assert (found.outcome, found.reason) == (Outcome.NOT_FOUND, Reason.PATH_NOT_FOUND)


@pytest.mark.parametrize(
    ("known", "reason", "served"),
    [({"v1": V1, "v2": V2}, "golden_other_version", "v2"), ({"v1": V1}, "golden_differs", "")],
)
def test_model_of_another_artefact_is_found_at_the_first_poll(
    model: Make, tmp_path: Path, known: dict[str, tuple[int, ...]], reason: str, served: str
) -> None:
    found = polled(tmp_path, model("moved", known))
    assert (found.outcome, found.reason, found.served_version) == (Outcome.GOLDEN_MISMATCH, reason, served)


def test_model_without_rows_is_present_and_an_unknown_one_absent(model: Make, tmp_path: Path) -> None:
    plain = model()
    bare = replace(plain, profile=plain.profile.model_copy(update={"features": None}))
    assert polled(tmp_path, bare).reason == Reason.NO_FEATURES
    for protocol in ("v2", "auto"):
        found = polled(tmp_path, model("nope", protocol=protocol))
        assert (found.outcome, found.reason) == (Outcome.NOT_FOUND, Reason.MODEL_ABSENT)


def test_rows_of_another_width_end_in_an_answer_that_is_no_prediction(model: Make, tmp_path: Path) -> None:
    found = polled(tmp_path, model(), rows=[[1.0, 2.0, 3.0]])
    assert found.outcome in (Outcome.UNREACHABLE, Outcome.MALFORMED)
    assert not found.votes


def test_served_model_says_what_it_is_and_answers_golden_rows(model: Make, tmp_path: Path) -> None:
    one = model(protocol="auto")

    async def asked() -> tuple[Described, Recorded]:
        async with Asker(Observe(), tmp_path, {}) as asker:
            await asker.begin([one], None)
            return await asker.describe(one), await asker.record(one, ROWS)

    described, recorded = asyncio.run(asked())
    assert (described.speaks, described.text("name")) == (("v2",), DETECTOR)
    assert described.ready["v1"].reason == Reason.PATH_NOT_FOUND
    assert (recorded.answers, recorded.version) == (V1, "v1")
