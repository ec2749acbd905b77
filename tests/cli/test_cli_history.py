"""``history`` and ``status --storage``, from a store that passes have written."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hubctl.cli import main
from hubctl.model.health import Condition, PredictorHealth
from hubctl.model.predictor import Outcome
from hubctl.store.schema import open_store
from tests.inputs.inputfolder import SPOKE, VALUES, Folder

BEGAN = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=30)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A fleet whose spoke turned anomalous 29 hours ago, and healthy an hour ago, with a new version."""
    made = Folder(tmp_path).write("values-hub.yaml", VALUES).write("clusters/edge-a.yaml", SPOKE)
    turns = ((0, Condition.HEALTHY, "v2"), (1, Condition.ANOMALOUS, "v2"), (29, Condition.HEALTHY, "v3"))
    (tmp_path / ".hubctl").mkdir()
    with open_store(f"sqlite:///{tmp_path / '.hubctl' / 'hubctl.db'}") as store:
        for hours, condition, version in turns:
            at = BEGAN + timedelta(hours=hours)
            health = PredictorHealth(
                "edge-a", "anomaly-detector", version, condition, "votes", at, at, at, Outcome.OK
            )  # fmt: skip
            store.journal.record([health], now=at)
    return made


def ran(folder: Folder, *words: str) -> int:
    return main.run(["-C", str(folder.root), *words])


def test_history_is_of_the_last_day(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(folder, "history", "edge-a", "-o", "json") == 0
    (only,) = json.loads(capsys.readouterr().out)["transitions"]
    assert only["before"] == {"condition": "anomalous", "version": "v2"}
    assert only["after"] == {"condition": "healthy", "version": "v3"}


def test_history_reaches_as_far_back_as_it_is_asked(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(folder, "history", "edge-a", "--model", "anomaly-detector", "--since", "48h") == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 3
    assert "anomalous" in shown[1]
    assert "v2 → v3" in shown[2]


def test_quiet_spoke_has_no_history_and_is_no_mistake(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert ran(folder, "history", "edge-a", "--since", "1m") == 0
    assert "nothing to show" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["edge-x"], "the spoke 'edge-x'"),
        (["edge-a", "--model", "disk", "--since", "1m"], "the model of edge-a 'disk'"),
        (["edge-a", "--since", "soon"], "--since soon"),
    ],
)
def test_history_of_what_is_not_known_names_what_is(
    folder: Folder, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert ran(folder, "history", *words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "hint: " in told


def test_storage_is_shown_table_by_table(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    ran(folder, "status", "--storage", "-o", "json")
    storage = json.loads(capsys.readouterr().out)["storage"]
    held = {table["name"]: table for table in storage["tables"]}
    assert (held["round"]["rows"], held["transition"]["rows"], held["memory"]["rows"]) == (3, 2, 2)
    assert held["round"]["atEnd"] > held["round"]["bytes"]
    assert storage["writtenPerDay"] >= storage["growsPerDay"] > 0
    ran(folder, "status", "--storage")
    shown = "".join(capsys.readouterr())
    assert "WRITTEN A DAY" in shown
    assert " written a day, of which " in shown
