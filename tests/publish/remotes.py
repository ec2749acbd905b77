"""A real bare remote, a second writer with a clone, and small fleets to publish."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubctl.model import tree
from hubctl.publish import branch
from hubctl.publish.repository import Repository


def plain_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Git with nothing of the person who runs the tests."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "A Person")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "person@example.com")


NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
OPTIONS = branch.PublishOptions(version="1.2.3", tries=3)


def git(folder: Path, *args: str, stdin: bytes = b"") -> str:
    """What git prints; fails the test when git fails."""
    done = subprocess.run(["git", "-C", str(folder), *args], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


def needs(program: str, package: str) -> None:
    """Skip the test where a program of this machine is missing; in CI, fail it."""
    if not shutil.which(program):
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{program} is missing: install {package}")


@dataclass(frozen=True)
class Remote:
    """A bare repository on disk and what is in its branch ``main``."""

    path: Path

    @classmethod
    def made(cls, path: Path, object_format: str = "sha1") -> "Remote":
        path.mkdir(parents=True)
        git(path, "init", "--quiet", "--bare", "--initial-branch=main", f"--object-format={object_format}")
        return cls(path)

    def repository(self, state: str = "state", *, patience: float = 20.0) -> Repository:
        return Repository(self.path.parent / state, str(self.path), "main", patience=patience)

    def tip(self) -> str:
        return git(self.path, "rev-parse", "main")

    def count(self) -> int:
        return int(git(self.path, "rev-list", "--count", "main"))

    def entries(self) -> dict[str, tuple[str, bytes]]:
        """Path to mode and bytes at the tip."""
        found = {}
        for line in git(self.path, "ls-tree", "-r", "-z", "main").split("\0"):
            if line:
                about, path = line.split("\t", 1)
                mode, _, blob = about.split()
                raw = subprocess.run(
                    ["git", "-C", str(self.path), "cat-file", "blob", blob], capture_output=True, check=True
                )
                found[path] = (mode, raw.stdout)
        return found

    def files(self) -> dict[str, bytes]:
        return {path: data for path, (_, data) in self.entries().items()}

    def object_count(self) -> int:
        return sum(1 for path in (self.path / "objects").rglob("*") if path.is_file())

    def hook(self, name: str, script: str) -> None:
        path = self.path / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def commit(self, files: Mapping[str, bytes | None], subject: str = "By hand") -> str:
        """A second writer's commit on the branch, from a clone of its own; None removes."""
        clone = self.path.parent / f"clone-{hashlib.sha1(os.urandom(8)).hexdigest()[:8]}"  # noqa: S324 - a name
        git(self.path.parent, "clone", "--quiet", str(self.path), str(clone))
        for path, data in files.items():
            target = clone / path
            if data is None:
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        git(clone, "add", "-A")
        git(clone, "commit", "--quiet", "--allow-empty", "-m", subject)
        git(clone, "push", "--quiet", "origin", "HEAD:refs/heads/main")
        return git(clone, "rev-parse", "HEAD")


def fleet(*spokes: str, text: str = "a: 1\n") -> dict[str, bytes]:
    """Two files a spoke, and the hub's."""
    each = {f"rendered/spokes/{spoke}/{name}.yaml": text.encode() for spoke in spokes for name in ("model", "storage")}
    return {**each, "rendered/hub/set.yaml": b"kind: ApplicationSet\n"}


def wanted(files: Mapping[str, bytes], *trailers: tuple[str, str]) -> tree.Wanted:
    """These files, with ``rendered`` ours whole."""
    return tree.Wanted(files, ("rendered",), "Publish the fleet", trailers=trailers)


async def publish(
    repository: Repository, files: Mapping[str, bytes], options: branch.PublishOptions = OPTIONS
) -> branch.Commit | None:
    """Publish these files, whatever the tip holds."""
    return await branch.publish(repository, lambda _: wanted(files), options, now=NOW)
