"""Fixtures of the room that explains rendered files."""

from pathlib import Path

import pytest

from tests.explanation.explainedfolder import FILES, Folder


@pytest.fixture
def folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Folder:
    """A fleet with a group, an override, each spelling of the registry and a template of its own."""
    made = Folder(tmp_path, capsys)
    for name, text in FILES.items():
        made.write(name, text)
    return made
