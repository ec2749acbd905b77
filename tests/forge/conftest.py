"""A Gitea for the session, and the rule that these tests run only when somebody asks for them.

They ask with `-m forge`, with HUBCTL_FORGE=1 or by naming this folder: the first run builds for minutes.
"""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forge import gitea

HERE = Path(__file__).resolve().parent
BUILD_SECONDS = 3600
NO_TOOLS = 69
"""Exit code of build.sh where there is nothing to build with."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "forge: talks with a real Gitea, which is built once")


def pytest_ignore_collect(config: pytest.Config) -> bool | None:
    """True leaves this folder alone; None has no opinion."""
    asked = os.environ.get("HUBCTL_FORGE") == "1" or config.option.markexpr == "forge"
    named = (Path(config.invocation_params.dir, arg.partition("::")[0]).resolve() for arg in config.args)
    return None if asked or any(path.is_relative_to(HERE) for path in named) else True


@pytest.fixture(autouse=True)
def _plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


@pytest.fixture(scope="session")
def server() -> Iterator[gitea.Gitea]:
    done = subprocess.run([HERE / "build.sh"], capture_output=True, text=True, check=False, timeout=BUILD_SECONDS)
    if done.returncode == NO_TOOLS and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    with (
        tempfile.TemporaryDirectory(prefix="hubctl-forge-") as folder,
        gitea.running(Path(done.stdout.strip()), Path(folder)) as up,
    ):
        yield up
