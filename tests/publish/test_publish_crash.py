"""Killed with SIGKILL at each step, then run again: the content is there once and both repositories are sound."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.publish.remotes import Remote, git

PROGRAM = Path(__file__).with_name("publisher.py")
WAIT = "touch {at}; while [ ! -e {go} ]; do sleep 0.02; done"


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """A file that appears when the program has come to the step where it is to be killed."""
    return tmp_path / "at"


@contextmanager
def publishing(remote: Remote, pause: str, path: str) -> Iterator[subprocess.Popen[bytes]]:
    """The program, in a process group of its own that is gone afterwards."""
    args = [sys.executable, str(PROGRAM), str(remote.path.parent / "state"), str(remote.path), "p", "1", pause]
    process = subprocess.Popen(
        args, start_new_session=True, env={**os.environ, "PATH": path}, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def slow_git(folder: Path, command: str, at: Path) -> str:
    """A PATH whose git stops in the middle of what it reads from standard input for that command."""
    folder.mkdir()
    real = shutil.which("git")
    half = f'(head -c 150; touch {at}; sleep 60) | exec {real} "$@"'
    (folder / "git").write_text(f'#!/bin/sh\ncase " $* " in *" {command} "*) {half};; *) exec {real} "$@";; esac\n')
    (folder / "git").chmod(0o755)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def wait_for(path: Path) -> None:
    for _ in range(1000):
        if path.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{path} did not appear")


def run_again(remote: Remote) -> None:
    args = [sys.executable, str(PROGRAM), str(remote.path.parent / "state"), str(remote.path), "p", "1"]
    assert subprocess.run(args, check=False, timeout=60).returncode == 0


def check(remote: Remote) -> None:
    cache = remote.path.parent / "state" / "repository.git"
    assert remote.files() == {"by-hand": b"", "overrides/p-0.yaml": b"p-0", "rendered/spokes/p-0/x.yaml": b"p-0"}
    assert remote.count() == 2
    git(remote.path, "fsck", "--strict")
    git(cache, "fsck", "--strict")
    assert [*cache.glob("fast_import_crash_*"), *cache.rglob("*.lock"), *cache.glob("objects/pack/tmp_*")] == []


@pytest.mark.parametrize("whole_group", [True, False], ids=["with-git", "git-lives-on"])
@pytest.mark.parametrize("step", ["render", "fast-import", "pre-receive", "post-receive"])
def test_killed_publish_leaves_one_commit_after_the_next(
    remote: Remote, at: Path, step: str, *, whole_group: bool
) -> None:
    remote.commit({"by-hand": b""})
    go = at.with_name("go")
    path = os.environ["PATH"]
    if step.endswith("receive"):
        remote.hook(step, WAIT.format(at=at, go=go))
    elif step == "fast-import":
        path = slow_git(at.with_name("bin"), step, at)
    with publishing(remote, str(at) if step == "render" else "", path) as process:
        wait_for(at)
        os.kill(process.pid, signal.SIGKILL)
        if whole_group:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        go.touch()
        run_again(remote)
    run_again(remote)
    check(remote)


def test_killed_at_any_moment_leaves_one_commit_after_the_next(remote: Remote) -> None:
    remote.commit({"by-hand": b""})
    for milliseconds in range(250, 650, 50):
        with publishing(remote, "", os.environ["PATH"]) as process:
            time.sleep(milliseconds / 1000)
            os.kill(process.pid, signal.SIGKILL)
    run_again(remote)
    check(remote)


def test_leftovers_of_killed_git_are_swept_up(remote: Remote) -> None:
    remote.commit({"by-hand": b""})
    run_again(remote)
    cache = remote.path.parent / "state" / "repository.git"
    for name in (
        "packed-refs.lock", "config.lock", "refs/hubctl/tip/main.lock", "fast_import_crash_77",
        "objects/pack/tmp_pack_x", "refs/hubctl/writing/0123.lock", "kept",
    ):  # fmt: skip
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_bytes(b"")
    shutil.copytree(cache, cache.with_suffix(".new"))
    remote.commit({"by-hand": b""})
    run_again(remote)
    assert (cache / "kept").exists(), "it was made anew instead"
    assert not (cache / "refs/hubctl/writing").exists()
    assert [*cache.glob("fast_import_crash_*"), *cache.rglob("*.lock"), *cache.glob("objects/pack/tmp_*")] == []
