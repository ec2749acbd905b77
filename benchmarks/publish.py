"""What publishing costs beside ``git add -A && git commit`` in a work tree: CPU seconds, children included.

Each way publishes the same fleet three times: first commit, the same again, one spoke changed. hubctl's time is all of
it: fetch, comparison, commit, push. The work tree's is told in parts, because writing its files depends on the file
system far more than on git. Runs are interleaved; text is in memory before the clock starts; each step opens its
repository anew. Set TMPDIR to choose the file system.
"""

import argparse
import asyncio
import os
import platform
import resource
import statistics
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from hubctl.model import tree
from hubctl.publish import branch
from hubctl.publish.repository import Repository

FILES = 6
RUNS = 3
STEPS = ("first commit", "no change", "one spoke changed")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
Files = Mapping[str, bytes]
Way = Callable[[Path, Path, Files], list[float]]


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


def cpu() -> float:
    """CPU seconds of this process and its ended children."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def by_work_tree(folder: Path, remote: Path, files: Files) -> list[float]:
    """Write every file; add and commit; push: CPU seconds of each."""
    work = folder / "work"
    if not work.exists():
        git(folder, "clone", "--quiet", str(remote), str(work))
        git(work, "checkout", "--quiet", "-b", "main")
    marks = [cpu()]
    for path, data in files.items():
        target = work / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    marks.append(cpu())
    git(work, "add", "-A")
    if staged := subprocess.run(["git", "-C", str(work), "diff", "--cached", "--quiet"], check=False).returncode:
        git(work, "commit", "--quiet", "-m", "Publish")
    marks.append(cpu())
    if staged:
        git(work, "push", "--quiet", "origin", "HEAD:refs/heads/main")
    marks.append(cpu())
    return [end - start for start, end in pairwise(marks)]


def by_hubctl(folder: Path, remote: Path, files: Files) -> list[float]:
    """Publish as the command does: CPU seconds in one number."""
    start = cpu()
    repository = Repository(folder / "state", str(remote), "main")
    wanted = tree.Wanted(files, ("rendered",), "Publish")
    asyncio.run(branch.publish(repository, lambda _: wanted, branch.PublishOptions(), now=NOW))
    return [cpu() - start]


def measure(way: Way, trees: tuple[Files, ...]) -> list[list[float]]:
    """What each step cost on fresh repositories, checked to end in as many files as wanted."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        remote = folder / "remote.git"
        subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
        spent = [way(folder, remote, files) for files in trees]
        asked = ["git", "-C", str(remote), "ls-tree", "-r", "--name-only", "main"]
        assert len(subprocess.run(asked, check=True, capture_output=True).stdout.splitlines()) == len(trees[-1])
    return spent


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, default=1000)
    spokes = parser.parse_args().spokes
    trees = (fleet(spokes), fleet(spokes), fleet(spokes, "-changed"))
    measure(by_hubctl, (fleet(2),))  # imports are outside the clock
    pairs = [(measure(by_hubctl, trees), measure(by_work_tree, trees)) for _ in range(RUNS)]
    version = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(
        f"{spokes} spokes, {FILES} files each; CPU seconds with children; median of {RUNS}, hubctl's range in brackets"
    )
    print(f"Python {platform.python_version()}, {version}, {os.cpu_count()} CPUs\n")
    print(f"{'':18}|{'hubctl, all':^24}|{'work tree':^36}|{'hubctl / work tree':^24}")
    print(f"{'':18}|{'push included':^24}|{'write':>10}{'add, commit':>14}{'push':>10}  |{'all':>8}{'add, commit':>14}")
    for index, step in enumerate(STEPS):
        ours = sorted(mine[index][0] for mine, _ in pairs)
        mine = statistics.median(ours)
        parts = [statistics.median(part) for part in zip(*(theirs[index] for _, theirs in pairs), strict=True)]
        shown = f"{mine:8.3f} ({ours[0]:.3f}-{ours[-1]:.3f})"
        row = f"{step:18}|{shown:^24}|{parts[0]:10.3f}{parts[1]:14.3f}{parts[2]:10.3f}  |"
        print(f"{row}{mine / sum(parts):8.2f}{mine / parts[1]:14.2f}")


if __name__ == "__main__":
    main()
