"""Recording golden rows from files: what is written, what is shown, and what is refused as a whole."""

import os
from pathlib import Path

import pytest
import yaml

from hubctl.cli import main
from tests.inputs.inputfolder import SPOKE, VALUES, Folder

ROWS = "cpu,disk,expected\n0.1,2,1\n9,9.5,-1\n"
FILE = "golden/anomaly-detector.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path).write("values-hub.yaml", VALUES).write("clusters/edge-a.yaml", SPOKE)
    return made.write("rows.csv", ROWS)


def models(folder: Folder, *words: str) -> int:
    return main.run(["-C", str(folder.root), "models", *words])


def register(folder: Folder, *words: str, name: str = "anomaly-detector") -> int:
    return models(folder, "register", name, "--golden", str(folder.root / "rows.csv"), *words)


def files(folder: Folder) -> dict[str, str]:
    found = (Path(at) / name for at, _, names in os.walk(folder.root) for name in names)
    return {str(path): path.read_text() for path in found if path.suffix == ".yaml"}


def recorded(folder: Folder) -> object:
    return yaml.safe_load((folder.root / FILE).read_text())


def test_rows_with_answers_are_recorded_for_a_version(folder: Folder) -> None:
    assert register(folder, "--version", "v3") == 0
    assert recorded(folder) == {"rows": [[0.1, 2], [9, 9.5]], "expected": {"v3": [1, -1]}}
    golden = folder.load().clusters[0].models[0].golden
    assert golden is not None
    assert golden.expected == (1, -1)


def test_model_is_registered_and_recorded_in_one_change(folder: Folder) -> None:
    assert register(folder, "--version", "v1", "--cluster", "edge-a", name="disk") == 0
    golden = folder.load().clusters[0].models[1].golden
    assert golden is not None
    assert golden.version == "v1"


def test_answers_of_the_next_version_are_added_and_comments_stay(folder: Folder) -> None:
    register(folder, "--version", "v3")
    folder.change(FILE, "rows:", "# Ann chose these.\nrows:").write("next.csv", "expected\n1\n1\n")
    words = ("set-version", "anomaly-detector", "v4", "--golden-expected", str(folder.root / "next.csv"))
    before = files(folder)
    assert models(folder, *words, "--dry-run") == 0
    assert files(folder) == before
    assert models(folder, *words) == 0
    text = (folder.root / FILE).read_text()
    assert "# Ann chose these." in text
    assert text.endswith("  v3: [1, -1]\n  v4: [1, 1]\n")
    assert "version: v4" in (folder.root / "clusters/edge-a.yaml").read_text()


def test_dry_run_shows_the_new_file_and_writes_nothing(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    assert register(folder, "--version", "v3", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert f"+++ b/{FILE}" in shown
    assert "+  v3: [1, -1]" in shown
    assert not (folder.root / "golden").exists()


def test_rows_without_answers_wait_for_a_version(folder: Folder) -> None:
    folder.write("rows.csv", "1,2\n3,4\n")
    assert register(folder) == 0
    assert recorded(folder) == {"rows": [[1, 2], [3, 4]], "expected": {}}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("cpu,expected\n1,0\n", ("--version", "v3")),
        ("cpu,expected\nwarm,1\n", ("--version", "v3")),
        (ROWS, ("--golden-from", "edge-a")),
        (ROWS, ("--version", "v3", "--golden-from", "nowhere")),
        (ROWS, ("--version", "v3", "--golden-from", "http://user:password@example.com")),
        (ROWS, ("--version", "not a version")),
        (ROWS, ()),
    ],
)
def test_wrong_rows_answers_or_sources_leave_everything_as_it_was(
    folder: Folder, rows: str, words: tuple[str, ...]
) -> None:
    folder.write("rows.csv", rows)
    before = files(folder)
    assert register(folder, *words) == 2
    assert files(folder) == before
    assert not (folder.root / "golden").exists()


def test_version_cannot_be_recorded_without_rows(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("set-version", "anomaly-detector", "v4", "--golden-expected", str(folder.root / "rows.csv"))
    assert models(folder, *words) == 2
    assert "there are no golden rows of anomaly-detector" in capsys.readouterr().err


def test_two_sources_of_answers_exclude_each_other(folder: Folder) -> None:
    words = ("--golden-expected", "x", "--golden-from", "edge-a")
    assert models(folder, "set-version", "anomaly-detector", "v4", *words) == 2
