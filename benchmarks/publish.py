"""What publishing costs beside ``git add -A && git commit`` in a work tree: CPU seconds, children included.

Each way publishes the same fleet three times: first commit, the same again, one spoke changed. Both push to a bare
repository on disk. Runs are interleaved, medians are shown. Text is in memory before the clock starts; each step opens
its repository anew.
"""

import argparse
import asyncio
import os
import platform
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from hubctl.model import tree
from hubctl.publish import branch
from hubctl.publish.repository import Repository

FILES = 6
RUNS = 3
STEPS = ("first commit", "no change", "one spoke changed")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Files = Mapping[str, bytes]


def fleet(spokes: int, changed: str = "") -> dict[str, bytes]:
    """Files of about a kilobyte, six a spoke."""
    made = {}
    for number in range(spokes):
        name = f"edge-{number:05}"
        for file in range(FILES):
            lines = [f"  label-{line}: {name}-{file}-{line}{changed if number == 0 else ''}\n" for line in range(30)]
            made[f"rendered/spokes/{name}/file-{file}.yaml"] = "".join(lines).encode()
    return made


def git(folder: Path, *args: str) -> None:
    """Run git quietly."""
    identity = ("-c", "user.name=bench", "-c", "user.email=bench@localhost")
    subprocess.run(["git", "-C", str(folder), *identity, *args], check=True, capture_output=True)


def by_work_tree(folder: Path, remote: Path, files: Files) -> None:
    """Write every file, add, commit if something is staged, push."""
    work = folder / "work"
    if not work.exists():
        git(folder, "clone", "--quiet", str(remote), str(work))
        git(work, "checkout", "--quiet", "-b", "main")
    for path, data in files.items():
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    git(work, "add", "-A")
    staged = subprocess.run(["git", "-C", str(work), "diff", "--cached", "--quiet"], check=False)
    if staged.returncode:
        git(work, "commit", "--quiet", "-m", "Publish")
        git(work, "push", "--quiet", "origin", "HEAD:refs/heads/main")


def by_hubctl(folder: Path, remote: Path, files: Files) -> None:
    """Publish as the command does: fetch, compare, one commit of changed paths, push."""
    repository = Repository(folder / "state", str(remote), "main")
    wanted = tree.Wanted(files, ("rendered",), "Publish")
    asyncio.run(branch.publish(repository, lambda _: wanted, branch.PublishOptions(), now=NOW))


def cpu() -> float:
    """CPU seconds of this process and its ended children."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def measure(way: Callable[[Path, Path, Files], None], trees: tuple[Files, ...]) -> list[float]:
    """CPU seconds of each step, on fresh repositories; the two ways must end in the same tree."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        remote = folder / "remote.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
        spent = []
        for files in trees:
            start = cpu()
            way(folder, remote, files)
            spent.append(cpu() - start)
        listed = subprocess.run(
            ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", "main"], check=True, capture_output=True
        )
        assert len(listed.stdout.splitlines()) == len(trees[-1])
    return spent


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, default=1000)
    spokes = parser.parse_args().spokes
    trees = (fleet(spokes), fleet(spokes), fleet(spokes, "-changed"))
    measure(by_hubctl, (fleet(2),))  # imports and caches are outside the clock
    ways = {"hubctl": by_hubctl, "git add -A, commit, push": by_work_tree}
    runs: dict[str, list[list[float]]] = {name: [] for name in ways}
    for _ in range(RUNS):
        for name, way in ways.items():
            runs[name].append(measure(way, trees))
    medians = {name: [statistics.median(step) for step in zip(*run, strict=True)] for name, run in runs.items()}
    version = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{spokes} spokes, {FILES} files each, CPU seconds with children, push included, median of {RUNS}")
    print(f"Python {platform.python_version()}, {version}, {os.cpu_count()} CPUs\n")
    ours, theirs = medians.values()
    print(f"{'':20}{'hubctl':>10}{'work tree':>12}{'ratio':>8}")
    for step, mine, other in zip(STEPS, ours, theirs, strict=True):
        print(f"{step:20}{mine:10.3f}{other:12.3f}{mine / other:8.2f}")


if __name__ == "__main__":
    main()
