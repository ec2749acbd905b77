"""When tests of an optional folder run, and how they come to the programs that they start."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

NO_GO = 69
"""Exit code of a build script where there is nothing to build with."""


def asked_for(config: pytest.Config, folder: Path) -> bool:
    """Whether somebody asks for a folder's tests: by marker, by HUBCTL_NAME=1 or by naming the folder."""
    if os.environ.get(f"HUBCTL_{folder.name.upper()}") == "1" or config.option.markexpr == folder.name:
        return True
    named = (Path(config.invocation_params.dir, arg.partition("::")[0]).resolve() for arg in config.args)
    return any(path.is_relative_to(folder) for path in named)


@dataclass(frozen=True, slots=True)
class Build:
    """How a build script ended: the folders that it printed, and what it said to people."""

    code: int
    folders: tuple[Path, ...]
    said: str


def build(script: Path, config: pytest.Config) -> Build:
    """Runs a build script; what it says goes to the terminal at once, since a first build takes minutes."""
    terminal = config.pluginmanager.getplugin("terminalreporter")
    said = ""
    with subprocess.Popen([script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        for line in process.stderr:
            said += line
            if terminal:
                terminal.write_line(line.rstrip())
        folders = tuple(Path(line) for line in process.stdout.read().splitlines())
    return Build(process.returncode, folders, said)


def built(script: Path, config: pytest.Config) -> tuple[Path, ...]:
    """The folders that a build script fills and prints; skips where it cannot, but fails in CI."""
    done = build(script, config)
    if done.code == NO_GO and not os.environ.get("CI"):
        pytest.skip(done.said.strip())
    assert done.code == 0, done.said
    return done.folders
