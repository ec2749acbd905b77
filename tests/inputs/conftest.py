"""Fixtures of the inputs room."""

from pathlib import Path

import pytest

from tests.inputs.inputfolder import OVERRIDE, SPOKE, VALUES, Folder


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path).write("values-hub.yaml", VALUES).write("clusters/edge-a.yaml", SPOKE)


@pytest.fixture
def override() -> str:
    return OVERRIDE


@pytest.fixture
def data() -> Path:
    return Path(__file__).parent / "data"
