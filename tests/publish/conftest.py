"""An empty remote, and git that reads no configuration of this machine."""

from pathlib import Path

import pytest

from tests.publish.remotes import Remote, plain_git


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_git(monkeypatch)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    """An empty bare repository."""
    return Remote.made(tmp_path / "remote.git")
