"""What rendering and publishing a fleet costs beside a plain script and beside other tools, as whole processes.

hubctl reads, checks and merges the inputs, renders, checks every manifest and writes (``hubctl render --output``).
The floor (``plain.py``) does the same without a check, to the same bytes, which is verified. Peers (``peers.py``) make
the same objects, which is verified too. Publishing is in ``delivering.py``. Runs are interleaved; the files lie in
memory where the system has ``/dev/shm``. ``--profile`` says where hubctl's time goes instead.
"""

import argparse
import cProfile
import os
import platform
import pstats
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

import delivering
import measuring
import peers
from fleet import make_fleet
from measuring import Spent

from hubctl.inputs.load import load_inputs
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

FLOOR, OURS = "plain script", "hubctl"
WAYS = {
    FLOOR: (sys.executable, delivering.PLAIN, "{fleet}", "{target}"),
    OURS: (sys.executable, "-m", "hubctl", "-C", "{fleet}", "render", "--output", "{target}"),
}
PATIENCE = 1000
"""Up to so many spokes peers run as often as we do and every object of theirs is compared; above, once and a sample."""


@dataclass(slots=True)
class Found:
    """What was measured at one size.

    Attributes:
        spent: runs of each way to render.
        published: for each run and step of ``delivering.STEPS``: hubctl, script, commit, push.
        notes: what was compared, and what a peer does not make.
    """

    spokes: int
    files: int = 0
    volume: float = 0.0
    spent: dict[str, list[Spent]] = field(default_factory=dict)
    published: list[list[tuple[Spent, Spent, Spent, Spent]]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but hubctl's own marker."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".hubctl-rendered")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def measure(spokes: int, options: argparse.Namespace, scratch: Path) -> Found:
    """Interleaved runs of every way on one fleet."""
    found, fleet, target = Found(spokes), scratch / "fleet-to-render", scratch / "rendered"
    make_fleet(fleet, spokes)
    files: dict[str, bytes] = {}
    prepared: peers.Fleet | None = None
    for turn in range(options.runs):
        run = f"{spokes} spokes, run {turn + 1}"
        for way, command in WAYS.items():
            arguments = [part.format(fleet=fleet, target=target) for part in command]
            found.spent.setdefault(way, []).append(measuring.run_aloud(f"{run}: {way}", arguments, scratch))
            written = read(target)
            files = files or written
            differing = [path for path in {*files, *written} if files.get(path) != written.get(path)]
            assert not differing, f"{way}: {len(differing)} files differ, such as {min(differing)}"
            shutil.rmtree(target)
        if options.peers and (turn == 0 or spokes <= PATIENCE):
            prepared = prepared or peers.read_fleet(fleet, files)
            compare(found, prepared, scratch, run)
        measuring.tell(f"{run}: publishing")
        found.published.append(delivering.measure(spokes, scratch))
    found.files, found.volume = len(files), sum(map(len, files.values())) / 1e6
    shutil.rmtree(fleet)
    return found


def compare(found: Found, fleet: peers.Fleet, scratch: Path, run: str) -> None:
    """One run of each peer, its objects compared with ours."""
    names = sorted(fleet.objects)
    only = None if found.spokes <= PATIENCE else frozenset({*names[:: len(names) // 200], "hub"})
    for peer in peers.PEERS:
        folder = scratch / peer.name
        folder.mkdir()
        peer.prepare(folder, fleet)
        found.spent.setdefault(peer.name, []).append(measuring.run_aloud(f"{run}: {peer.name}", peer.command(), folder))
        compared = peers.check(peer, folder / peer.output, fleet, only)
        shutil.rmtree(folder)
        omits = f"; left out: {', '.join(sorted(peer.omits))}" if peer.omits else ""
        note = f"{peer.name}: {compared} objects of {len(only or names)} folders equal ours{omits}"
        if note not in found.notes:
            found.notes.append(note)


def print_rendering(results: list[Found]) -> None:
    """The table of ways to render, and what one more spoke costs."""
    heads = f"{'CPU s':>8}  {'range':17}{'wall s':>8}{'peak MB':>9}{'/ script':>10}{'/ hubctl':>10}"
    print(f"{'spokes':>7}  {'way':16}{heads}")
    for found in results:
        medians = {way: measuring.median(spent) for way, spent in found.spent.items()}
        for way, one in medians.items():
            ratios = "".join(f"{one.cpu / medians[base].cpu:10.2f}" for base in (FLOOR, OURS))
            numbers = f"{one.cpu:8.2f}  {measuring.spread(found.spent[way]):17}{one.wall:8.2f}{one.memory:9.0f}"
            print(f"{found.spokes:7}  {way:16}{numbers}{ratios}")
        print(f"{'':9}{found.files} files, {found.volume:.1f} MB, the same bytes of script and hubctl in every run")
        print("".join(f"{'':9}{note}\n" for note in found.notes))
    small, large = results[0], results[-1]
    for way in large.spent if len(results) > 1 else ():
        less, more = (measuring.median(found.spent[way]).cpu for found in (small, large))
        each = (more - less) / (large.spokes - small.spokes) * 1e6
        times = f"x{large.spokes / small.spokes:.1f} spokes cost x{more / less:.1f} CPU"
        print(f"{'':9}{way:16}{times}; {each:.0f} microseconds for one spoke more")


def print_publishing(results: list[Found]) -> None:
    """The table of publishing."""
    print(f"\n{'':9}{'':18}|{'hubctl publish':^33}|{'script, git in a work tree: CPU s':^33}|{'hubctl /':>12}")
    heads = f"{'CPU s':>8}  {'range':15}{'peak MB':>8}|{'render':>9}{'add, commit':>13}{'push':>11}|{'all of it':>12}"
    print(f"{'spokes':>7}  {'step':18}|{heads}")
    for found in results:
        for index, step in enumerate(delivering.STEPS):
            runs = [run[index] for run in found.published]
            ours = [run[0] for run in runs]
            mine, *parts = (measuring.median(part) for part in zip(*runs, strict=True))
            numbers = f"{mine.cpu:8.2f}  {measuring.spread(ours):15}{mine.memory:8.0f}"
            shown = f"{parts[0].cpu:9.2f}{parts[1].cpu:13.2f}{parts[2].cpu:11.2f}"
            ratio = mine.cpu / sum(part.cpu for part in parts)
            print(f"{found.spokes:7}  {step:18}|{numbers}|{shown}|{ratio:12.2f}")
    print(f"{'':9}Both published the same trees in every run, in two commits.\n")
    small, large = results[0], results[-1]
    for index, step in enumerate(delivering.STEPS if len(results) > 1 else ()):
        less, more = (measuring.median([run[index][0] for run in found.published]).cpu for found in (small, large))
        print(f"{'':9}{step:18}x{large.spokes / small.spokes:.1f} spokes cost x{more / less:.1f} CPU")


def profile(spokes: int, scratch: Path) -> None:
    """Where the time goes in one process; call counts are exact, shares are distorted towards many small calls."""
    fleet = scratch / "fleet"
    make_fleet(fleet, spokes)
    watch = cProfile.Profile()
    with watch:
        inputs = load_inputs(Settings(directory=fleet, state=fleet / ".hubctl"))
        render_tree(inputs, load_templates(None))
    stats = pstats.Stats(watch).strip_dirs()
    stats.sort_stats("cumulative").print_stats(45)
    stats.sort_stats("tottime").print_stats(25)


def scratch_folder() -> str | None:
    """A folder in memory, or None for the system's own."""
    memory = Path("/dev/shm")  # noqa: S108 - files of ours go to a fresh folder below it
    return str(memory) if memory.is_dir() and os.access(memory, os.W_OK) else None


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, nargs="+", default=[1000, 5000], help="sizes of the fleet")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--peers", action=argparse.BooleanOptionalAction, help="other tools too; default: if they are installed"
    )
    parser.add_argument("--profile", action="store_true", help="profile hubctl on the largest fleet instead")
    options = parser.parse_args()
    if options.peers and not peers.installed():
        parser.error("the peers are not installed; `make bench-peers` does that")
    options.peers = peers.installed() if options.peers is None else options.peers
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parent, sizes = scratch_folder(), sorted(options.spokes)
    with tempfile.TemporaryDirectory(dir=parent) as name:
        if options.profile:
            profile(sizes[-1], Path(name))
            return
        results = [measure(size, options, Path(name)) for size in sizes]
        spent = [measuring.run((sys.executable, "-m", "hubctl", "--help"), Path(name)) for _ in range(5)]
    libraries = [f"{library} {version(library)}" for library in ("jinja2", "pyyaml", "pydantic")]
    versions = [f"Python {platform.python_version()}", *libraries, delivering.git(Path(), "--version").strip()]
    versions += [peer.version() for peer in peers.PEERS] if options.peers else []
    print(f"CPU seconds of all processes, peak MB of the largest; medians of {options.runs} interleaved runs")
    print(", ".join(versions))
    place = "memory" if parent else "TMPDIR"
    print(f"{os.cpu_count()} CPUs, load {os.getloadavg()[1]:.1f} at the end; files in {place}\n")
    print_rendering(results)
    print_publishing(results)
    print(f"\n{'':9}hubctl --help: {measuring.median(spent).cpu:.2f} {measuring.spread(spent)} CPU s")


if __name__ == "__main__":
    main()
