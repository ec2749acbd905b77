"""Rendering and publishing as whole commands: ``hubctl publish`` beside a plain script and git in a work tree.

Each publishes the same fleet three times to a bare repository of its own: first, the same again, one spoke changed.
git is told not to pack loose objects by itself, which would go on after the clock has stopped.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import measuring
from fleet import change_one_spoke, make_fleet
from measuring import Spent

STEPS = ("first commit", "nothing changed", "one spoke changed")
PLAIN = str(Path(__file__).with_name("plain.py"))
COMMIT = "git add -A && { git diff --cached --quiet || git commit --quiet --message Publish; }"
ENVIRON = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_COUNT": "2",
    "GIT_CONFIG_KEY_0": "gc.auto",
    "GIT_CONFIG_VALUE_0": "0",
    "GIT_CONFIG_KEY_1": "maintenance.auto",
    "GIT_CONFIG_VALUE_1": "false",
    **{f"GIT_{who}_{what}": "bench@localhost" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
}


def git(folder: Path, *args: str) -> str:
    """Run git outside of the clock."""
    return subprocess.run(["git", "-C", str(folder), *args], check=True, capture_output=True, text=True).stdout


def measure(spokes: int, scratch: Path) -> list[tuple[Spent, Spent, Spent, Spent]]:
    """For each step: hubctl; the script; ``git add`` and ``commit``; ``git push``. Checks that the trees are equal."""
    fleet, work = scratch / "fleet", scratch / "work"
    ours, theirs = scratch / "ours.git", scratch / "theirs.git"
    for repository in (ours, theirs):
        git(scratch, "init", "--quiet", "--bare", "--initial-branch=main", str(repository))
    git(scratch, "init", "--quiet", "--initial-branch=main", str(work))
    git(work, "remote", "add", "origin", str(theirs))
    make_fleet(fleet, spokes, str(ours))
    spent = []
    for step in STEPS:
        if step == STEPS[-1]:
            change_one_spoke(fleet)
        published = measuring.run((sys.executable, "-m", "hubctl", "-C", str(fleet), "publish"), scratch)
        shutil.rmtree(work / "rendered", ignore_errors=True)
        rendered = measuring.run((sys.executable, PLAIN, str(fleet), str(work / "rendered")), scratch)
        committed = measuring.run(("sh", "-c", COMMIT), work, ENVIRON)
        pushed = measuring.run(("git", "push", "--quiet", "origin", "main"), work, ENVIRON)
        trees = [git(remote, "rev-parse", "main:rendered") for remote in (ours, theirs)]
        assert trees[0] == trees[1], f"{step}: hubctl and git published different trees"
        spent.append((published, rendered, committed, pushed))
    counts = {git(remote, "rev-list", "--count", "main").strip() for remote in (ours, theirs)}
    assert counts == {"2"}, f"expected two commits, found {counts}"
    for folder in (fleet, work, ours, theirs):
        shutil.rmtree(folder)
    return spent
