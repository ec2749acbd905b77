"""``models register`` and the spokes that serve the new model: all files change, or none."""

from pathlib import Path

import pytest
import yaml

from hubctl.cli import main
from tests.inputs.inputfolder import SPOKE, VALUES, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    other = SPOKE.replace("edge-a", "edge-b").replace("version: v3", "version: v3  # Ann's")
    return (
        Folder(tmp_path)
        .write("values-hub.yaml", VALUES)
        .write("clusters/edge-a.yaml", SPOKE)
        .write("clusters/edge-b.yaml", other)
    )


def register(folder: Folder, *words: str) -> int:
    return main.run(["-C", str(folder.root), "models", "register", *words])


def served(folder: Folder, spoke: str) -> dict[str, str]:
    found = yaml.safe_load((folder.root / "clusters" / f"{spoke}.yaml").read_text())
    return {model["name"]: model["version"] for model in found["spec"]["models"]}


def text(folder: Folder) -> str:
    return "".join(path.read_text() for path in sorted(folder.root.rglob("*.yaml")))


def test_new_model_is_registered_and_listed_by_its_spokes(folder: Folder) -> None:
    assert register(folder, "disk", "--cluster", "edge-a", "--cluster", "edge-b", "--version", "v1") == 0
    assert served(folder, "edge-a") == served(folder, "edge-b") == {"anomaly-detector": "v3", "disk": "v1"}
    assert "disk: disk-predictor" in text(folder)
    assert "# Ann's" in text(folder)


def test_registered_model_is_only_added_to_spokes(folder: Folder) -> None:
    before = (folder.root / "values-hub.yaml").read_text()
    assert register(folder, "predictive-analytics", "--cluster", "edge-b", "--version", "v2") == 0
    assert (folder.root / "values-hub.yaml").read_text() == before
    assert served(folder, "edge-b")["predictive-analytics"] == "v2"
    assert "predictive-analytics" not in served(folder, "edge-a")


@pytest.mark.parametrize(
    "words",
    [
        ("disk", "--cluster", "edge-a", "--cluster", "nowhere", "--version", "v1"),
        ("disk", "--cluster", "edge-a", "--version", "not a version"),
        ("disk", "--cluster", "edge-a"),
        ("disk", "--version", "v1"),
        ("anomaly-detector", "--cluster", "edge-b", "--version", "v4"),
        ("predictive-analytics", "--cluster", "edge-b", "--version", "v4", "--description", "x"),
        ("anomaly-detector",),
        ("Not-A-Name", "--cluster", "edge-a", "--version", "v1"),
    ],
)
def test_what_cannot_be_is_refused_and_no_file_changes(folder: Folder, words: tuple[str, ...]) -> None:
    before = text(folder)
    assert register(folder, *words) == 2
    assert text(folder) == before


def test_dry_run_shows_every_file_and_changes_none(folder: Folder, capsys: pytest.CaptureFixture[str]) -> None:
    before = text(folder)
    assert register(folder, "disk", "--cluster", "edge-a", "--version", "v1", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "b/values-hub.yaml" in shown
    assert "b/clusters/edge-a.yaml" in shown
    assert text(folder) == before
