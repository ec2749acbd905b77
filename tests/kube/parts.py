"""When tests of an optional folder run, and how they come to the programs that they start."""

import os
import subprocess
from pathlib import Path

import pytest

BUILD_SECONDS = 3600
NO_GO = 69
"""Exit code of a build script where there is nothing to build with."""


def asked_for(config: pytest.Config, folder: Path) -> bool:
    """Whether somebody asks for a folder's tests: by marker, by HUBCTL_NAME=1 or by naming the folder."""
    if os.environ.get(f"HUBCTL_{folder.name.upper()}") == "1" or config.option.markexpr == folder.name:
        return True
    named = (Path(config.invocation_params.dir, arg.partition("::")[0]).resolve() for arg in config.args)
    return any(path.is_relative_to(folder) for path in named)


def built(script: Path) -> tuple[Path, ...]:
    """The folders that a build script fills and prints; skips where it cannot, but fails in CI."""
    done = subprocess.run([script], capture_output=True, text=True, check=False, timeout=BUILD_SECONDS)
    if done.returncode == NO_GO and not os.environ.get("CI"):
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, done.stderr
    return tuple(Path(line) for line in done.stdout.splitlines())
