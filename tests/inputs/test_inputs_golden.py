"""Golden rows in the folder of the inputs: who gets them, what is refused, and recording them without losing a word."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubctl.inputs import golden
from hubctl.inputs.document import parse
from hubctl.model.golden import Golden
from hubctl.model.outputs import Reading
from tests.inputs.inputfolder import SPOKE, VALUES, Folder

FILE = "golden/anomaly-detector.yaml"
GOLDEN = """\
rows:
  - [0.1, 2]  # quiet
  - [9, 9.5]
expected:
  v2: [1, -1]
  v3: [-1, -1.0]
"""
OF_MODEL = "hubctl:\n  models:\n    anomaly-detector:\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path).write("values-hub.yaml", VALUES).write("clusters/edge-a.yaml", SPOKE).write(FILE, GOLDEN)


def served(folder: Folder) -> Golden | None:
    return folder.load().clusters[0].models[0].golden


def test_predictor_of_a_recorded_version_gets_rows_and_all_known_answers(folder: Folder) -> None:
    found = served(folder)
    assert found is not None
    assert (found.version, found.expected, found.rows) == ("v3", (-1, -1), ((0.1, 2.0), (9.0, 9.5)))
    assert (found.known["v2"], len(found.digest)) == ((1, -1), 32)


def test_version_that_is_not_recorded_is_warned_about_and_sends_nothing(folder: Folder) -> None:
    folder.change(FILE, "v3:", "v1:")
    (warning,) = [text for text in folder.load().warnings if "has no answers" in text]
    assert served(folder) is None
    assert "of v3, the version of 1 spoke" in warning
    assert "--golden-from" in warning


def test_answers_that_are_all_alike_are_doubted(folder: Folder) -> None:
    assert f"{FILE}: v3 answers every row alike; add rows that it answers otherwise" in folder.load().warnings


def test_file_of_an_unknown_model_is_warned_about(folder: Folder) -> None:
    folder.write("golden/anomaly-detektor.yaml", GOLDEN)
    assert any("no model 'anomaly-detektor' is registered" in text for text in folder.load().warnings)


def test_json_is_read_like_yaml(folder: Folder) -> None:
    before = served(folder)
    (folder.root / FILE).unlink()
    data = {"rows": [[0.1, 2], [9, 9.5]], "expected": {"v2": [1, -1], "v3": [-1, -1]}}
    folder.write("golden/anomaly-detector.json", json.dumps(data))
    assert served(folder) == before


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("[1, -1]", "[1, 0]", "found 0, expected a label of -1 or 1"),
        ("[1, -1]", "[1, 0.5]", "found 0.5, expected a label"),
        ("[1, -1]", "[1]", "found 1 answers, expected 2, one a row"),
        ("[1, -1]", '[1, "-1"]', "found '-1', expected a label"),
        ("[1, -1]", "[1, [1]]", "found a list, expected a label"),
        ("[9, 9.5]", "[9]", "found 1 numbers, expected 2 as in the first row"),
        ("[9, 9.5]", "[9, warm]", "found 'warm'"),
        ("expected", "expectd", "expectd"),
    ],
)
def test_what_is_wrong_is_refused_with_its_line(folder: Folder, old: str, new: str, told: str) -> None:
    problem = folder.change(FILE, old, new).problems()[0]
    assert problem.where.startswith(f"{FILE}:")
    assert told in str(problem)


@pytest.mark.parametrize(
    ("profile", "expected", "wrong"),
    [
        ("output: scores\nscores: {threshold: 0.5, anomalyWhen: above}", "[0.25, 1e-05]", "[high, 1]"),
        ("output: classes\nclasses: {names: [ok, disk], anomaly: [disk]}", "[ok, disk]", "[ok, fan]"),
        ("output: forecast\nforecast: {width: 2}", "[[1, 2.5], [3, 4]]", "[[1, 2], [3]]"),
        ("labels: {normal: [ok, 0], anomaly: [bad, true]}", "[ok, true]", "[ok, false]"),
    ],
)
def test_answers_are_checked_against_what_is_declared(folder: Folder, profile: str, expected: str, wrong: str) -> None:
    lines = "".join(f"      {line}\n" for line in profile.splitlines())
    folder.write("values-hub.yaml", VALUES + OF_MODEL + lines)
    folder.write(FILE, f"rows: [[1], [2]]\nexpected: {{v3: {expected}}}\n")
    assert served(folder) is not None
    folder.write(FILE, f"rows: [[1], [2]]\nexpected: {{v3: {wrong}}}\n")
    assert "expected" in str(folder.problems()[0])


def test_named_file_has_to_be_there_and_below_the_folder(folder: Folder) -> None:
    (folder.root / FILE).rename(folder.root / "detector.yaml")
    assert served(folder) is None
    folder.write("values-hub.yaml", VALUES + OF_MODEL + "      golden: {file: detector.yaml}\n")
    assert served(folder) is not None
    folder.change("values-hub.yaml", "detector.yaml", "missing.yaml")
    assert "there is no file missing.yaml" in str(folder.problems()[0])
    folder.change("values-hub.yaml", "missing.yaml", "../missing.yaml")
    assert "below the folder of the inputs" in str(folder.problems()[0])


def test_two_files_of_one_model_are_refused(folder: Folder) -> None:
    folder.write("golden/anomaly-detector.json", "{}")
    assert "expected one file" in str(folder.problems()[0])


def test_recording_keeps_every_other_byte() -> None:
    text = golden.set_expected(GOLDEN, "v4", (1.0, -1.0), name=FILE)
    assert text == GOLDEN + "  v4: [1, -1]\n"
    assert golden.set_expected(text, "v4", (1, -1), name=FILE) == text
    assert "  v2: [-1, 1]\n" in golden.set_expected(GOLDEN, "v2", (-1, 1), name=FILE)


def test_first_recording_fills_a_new_file() -> None:
    for name in (FILE, "golden/m.json"):
        text = golden.set_expected(golden.new_text(name, "m", [[0.5], [1e-05]]), "v1", (1, -1), name=name)
        found = golden.checked(parse(text, name), Reading())
        assert (found.rows, found.known) == (((0.5,), (1e-05,)), {"v1": (1, -1)})


@given(
    rows=st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2), min_size=1, max_size=5
    )
)
def test_numbers_come_back_as_they_were_written(rows: list[list[float]]) -> None:
    text = golden.new_text(FILE, "m", rows)
    text = golden.set_expected(text, "v1", tuple(map(tuple, rows)), name=FILE)
    found = golden.checked(parse(text, FILE), Reading(output="forecast"))
    assert found.rows == found.known["v1"] == tuple(map(tuple, rows))
