"""What a long history costs whoever comes new to a branch: hubctl with an empty state folder beside full clones.

Bytes are those of the objects that were sent, CPU seconds those of both ends, since the remote is a folder here. Each
row begins with nothing; rounds are interleaved. The remote takes filters, as the large forges do, or not.
Set TMPDIR to choose the file system.
"""

import argparse
import asyncio
import os
import platform
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from hubctl.model import tree
from hubctl.publish import branch
from hubctl.publish.repository import Repository

RUNS = 3
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHANGED = 3
"""Files that each commit changes."""

Way = Callable[[Path, str], None]


def body(file: int, version: int) -> bytes:
    """A file of about a kilobyte; a version changes one of its lines."""
    lines = (f"  label-{line}: edge-{file:05}-{version if line == file % 30 else 0}\n" for line in range(30))
    return "".join(lines).encode()


def path_of(file: int) -> str:
    """Where it lies: a folder a spoke."""
    return f"rendered/spokes/edge-{file:05}/model.yaml"


def commits(number: int, files: int) -> Iterator[bytes]:
    """A fast-import stream: a first commit with every file, then small ones."""
    for commit in range(number):
        head = f"commit refs/heads/main\ncommitter bench <bench@localhost> {1_700_000_000 + commit} +0000\ndata 2\nc\n"
        yield head.encode()
        for file in range(files) if commit == 0 else {(commit * 7 + more) % files for more in range(CHANGED)}:
            data = body(file, commit)
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path_of(file).encode(), len(data), data)


def made(remote: Path, number: int, files: int, *, filters: bool) -> None:
    """A packed bare repository with that history."""
    subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(remote)], check=True)
    stream = b"".join(commits(number, files))
    subprocess.run(["git", "-C", str(remote), "fast-import", "--quiet"], input=stream, check=True)
    subprocess.run(["git", "-C", str(remote), "repack", "-adq"], check=True)
    if filters:
        subprocess.run(["git", "-C", str(remote), "config", "uploadpack.allowFilter", "true"], check=True)


def full_clone(folder: Path, remote: str) -> None:
    """``git clone --bare``: every commit and file there ever was."""
    subprocess.run(["git", "clone", "--quiet", "--bare", remote, str(folder / "objects-of.git")], check=True)


def blobless_clone(folder: Path, remote: str) -> None:
    """``git clone --bare --filter=blob:none``: no file before it is asked for."""
    command = ["git", "clone", "--quiet", "--bare", "--filter=blob:none", remote, str(folder / "objects-of.git")]
    subprocess.run(command, check=True)


def diff(folder: Path, remote: str) -> None:
    """What ``hubctl diff`` asks of the branch: its overrides, its listing, the files that would change."""
    repository = Repository(folder, remote, "main")
    wanted = tree.Wanted({path_of(0): b"new"}, (path_of(0),), "Publish")
    asyncio.run(branch.pending(repository, lambda _: wanted, branch.PublishOptions()))


def why(folder: Path, remote: str) -> None:
    """What ``hubctl why`` asks of it: the commits behind a spoke's folder."""

    async def asked() -> None:
        repository = Repository(folder, remote, "main")
        await repository.fetch()
        found = await repository.history.log([path_of(0).rpartition("/")[0]], 5)
        assert found, "the folder has a history"

    asyncio.run(asked())


WAYS: dict[str, Way] = {
    "git clone": full_clone,
    "git clone --filter=blob:none": blobless_clone,
    "hubctl diff": diff,
    "hubctl why": why,
}


def cpu() -> float:
    """CPU seconds of this process and its ended children."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def measure(way: Way, remote: str) -> tuple[float, float, float]:
    """Kilobytes of objects, wall and CPU seconds of one new beginning."""
    with tempfile.TemporaryDirectory() as name:
        began, start = time.perf_counter(), cpu()
        way(Path(name), remote)
        wall, spent = time.perf_counter() - began, cpu() - start
        sent = sum(path.stat().st_size for path in Path(name).rglob("objects/**/*") if path.is_file())
    return sent / 1000, wall, spent


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--commits", type=int, default=2000)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--no-filters", action="store_true", help="a remote that sends everything of what is asked for")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "remote.git"
        made(path, options.commits, options.files, filters=not options.no_filters)
        remote = f"file://{path}"
        measure(diff, remote)  # imports are outside the clock
        rounds = [{title: measure(way, remote) for title, way in WAYS.items()} for _ in range(RUNS)]
    medians = {
        title: tuple(statistics.median(part) for part in zip(*(one[title] for one in rounds), strict=True))
        for title in WAYS
    }
    version = subprocess.run(["git", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{options.commits} commits, {options.files} files; median of {RUNS}; the ratio is to git clone")
    print(f"Python {platform.python_version()}, {version}, {os.cpu_count()} CPUs\n")
    print(f"{'':30}|{'kB sent':>10}{'ratio':>8}  |{'wall s':>8}{'ratio':>8}  |{'CPU s':>8}{'ratio':>8}")
    for title, found in medians.items():
        pairs = (f"{mine:10.0f}" if at == 0 else f"{mine:8.2f}" for at, mine in enumerate(found))
        ratios = (f"{mine / full:8.2f}" for mine, full in zip(found, medians["git clone"], strict=True))
        print(f"{title:30}|" + "  |".join(f"{mine}{ratio}" for mine, ratio in zip(pairs, ratios, strict=True)))


if __name__ == "__main__":
    main()
