"""What rendering a fleet costs beside a plain Jinja2 script: CPU seconds and peak memory of whole processes.

hubctl reads, checks and merges the inputs, renders, checks every manifest and writes (``hubctl render --output``).
The floor (``plain.py``) does the same without a check, to the same bytes, which is verified. Runs are interleaved;
the files lie in memory where the system has ``/dev/shm``. ``--profile`` says where hubctl's time goes instead.
"""

import argparse
import cProfile
import os
import platform
import pstats
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from hubctl.inputs.load import load_inputs
from hubctl.render.templates import load_templates
from hubctl.render.tree import render_tree
from hubctl.settings import Settings

MODELS = ("anomaly-detector", "disk-anomaly", "predictive-analytics")
VALUES = """\
coordinationEngine:
  kserve:
    enabled: true
    namespace: self-healing-platform
    services:
      anomaly_detector: anomaly-detector-predictor
      disk_anomaly: disk-anomaly-predictor
      predictive_analytics: predictive-analytics-predictor
hubctl:
  gitops:
    remote: https://git.example.com/platform/fleet.git
  models:
    anomaly-detector:
      output: labels
      resources:
        requests: {cpu: "1", memory: 1Gi}
        limits: {cpu: "4", memory: 8Gi}
    predictive-analytics:
      output: forecast
      resources:
        requests: {cpu: "1", memory: 2Gi}
  observe:
    route:
      type: url
      url: https://{model}.{cluster}.example.com
"""
SPOKE = """\
apiVersion: hubctl.io/v1alpha1
kind: Spoke
metadata:
  name: $name
  labels:
    region: region-$region
    tier: edge
spec:
  platform: $platform
  version: "$version"
  topology: $topology
  storage:
$storage
  models:
$models
"""
PATCH = """\
  overrides:
    models:
      anomaly-detector:
        maxReplicas: 2
        resources:
          limits: {cpu: "2"}
"""
STORAGE = (
    "    type: pvc\n    size: 20Gi\n    storageClass: standard-rwx",
    "    type: s3\n    bucket: fleet-models\n    prefix: eu\n    secretName: models-s3\n    serviceAccount: models",
)
WAYS = {
    "hubctl": (sys.executable, "-m", "hubctl", "-C", "{fleet}", "render", "--output", "{target}"),
    "plain script": (sys.executable, str(Path(__file__).with_name("plain.py")), "{fleet}", "{target}"),
}


@dataclass(frozen=True, slots=True)
class Spent:
    """What one process used: CPU seconds (user and system) and peak resident megabytes."""

    cpu: float
    memory: float


def make_fleet(folder: Path, spokes: int) -> None:
    """A fleet of every platform, topology and storage; two models a spoke, or three."""
    (folder / "clusters").mkdir(parents=True)
    (folder / "values-hub.yaml").write_text(VALUES)
    for number in range(spokes):
        openshift = number % 2 == 0
        values = {
            "name": f"edge-{number:05}",
            "region": str(number % 7),
            "platform": "openshift" if openshift else "kubernetes",
            "version": "4.18" if openshift else "1.33",
            "topology": "sno" if number % 4 == 0 else "ha",
            "storage": STORAGE[number % 3 == 1],
            "models": "\n".join(f"    - name: {name}\n      version: v3" for name in MODELS[: 2 + number % 2]),
        }
        text = SPOKE + (PATCH if number % 5 == 0 else "")
        for key, value in values.items():
            text = text.replace(f"${key}", value)
        (folder / "clusters" / f"{values['name']}.yaml").write_text(text)


def run(way: str, fleet: Path, target: Path, command: Sequence[str] = ()) -> Spent:
    """Start one process, wait for it and read what the kernel says it used."""
    arguments = [part.format(fleet=fleet, target=target) for part in command or WAYS[way]]
    said = target.with_name("said")
    quiet = [(os.POSIX_SPAWN_OPEN, stream, said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) for stream in (1, 2)]
    child = os.posix_spawn(arguments[0], arguments, os.environ, file_actions=quiet)
    _, status, usage = os.wait4(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"{way}: {said.read_text()}"
    scale = 1024 if sys.platform == "darwin" else 1
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale / 1024)


def read(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but hubctl's own marker."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != ".hubctl-rendered")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def measure(spokes: int, runs: int, scratch: Path) -> tuple[dict[str, list[Spent]], dict[str, bytes]]:
    """Interleaved runs of each way on one fleet, and the files, which are checked to be the same."""
    fleet = scratch / f"fleet-{spokes}"
    make_fleet(fleet, spokes)
    spent: dict[str, list[Spent]] = {way: [] for way in WAYS}
    files: dict[str, bytes] = {}
    for _ in range(runs):
        for way in WAYS:
            target = scratch / "rendered"
            spent[way].append(run(way, fleet, target))
            written = read(target)
            files = files or written
            differing = [path for path in {*files, *written} if files.get(path) != written.get(path)]
            assert not differing, f"{way}: {len(differing)} files differ, such as {min(differing)}"
            shutil.rmtree(target)
    shutil.rmtree(fleet)
    return spent, files


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
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, default=1000, help="of the larger fleet; the smaller one is a fifth")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--profile", action="store_true", help="profile hubctl on the larger fleet instead")
    options = parser.parse_args()
    parent = scratch_folder()
    with tempfile.TemporaryDirectory(dir=parent) as name:
        if options.profile:
            profile(options.spokes, Path(name))
            return
        sizes = (max(options.spokes // 5, 1), options.spokes)
        found = {size: measure(size, options.runs, Path(name)) for size in sizes}
    libraries = ", ".join(f"{library} {version(library)}" for library in ("jinja2", "pyyaml", "pydantic"))
    print(f"CPU seconds and peak MB of a whole process; median of {options.runs} interleaved runs, range in brackets")
    print(f"Python {platform.python_version()}, {libraries}; files in {'memory' if parent else 'TMPDIR'}\n")
    print(f"{'spokes':>7}{'files':>7}{'MB':>6}  {'way':14}{'CPU s':>7}  {'range':15}{'ratio':>6}{'peak MB':>9}")
    medians: dict[tuple[str, int], float] = {}
    for size, (spent, files) in found.items():
        for way in reversed(WAYS):
            cpu = sorted(one.cpu for one in spent[way])
            medians[way, size] = statistics.median(cpu)
            ratio = medians[way, size] / medians["plain script", size]
            volume = sum(map(len, files.values())) / 1e6
            peak = statistics.median(one.memory for one in spent[way])
            bounds = f"({cpu[0]:.2f}-{cpu[-1]:.2f})"
            numbers = f"{medians[way, size]:7.2f}  {bounds:15}{ratio:6.2f}{peak:9.0f}"
            print(f"{size:7}{len(files):7}{volume:6.1f}  {way:14}{numbers}")
    print("\nEvery run of both ways wrote the same files with the same bytes.\n")
    growth = sizes[1] / sizes[0]
    for way in reversed(WAYS):
        grown = medians[way, sizes[1]] / medians[way, sizes[0]]
        each = (medians[way, sizes[1]] - medians[way, sizes[0]]) / (sizes[1] - sizes[0]) * 1e6
        print(f"{way:14} x{growth:.1f} spokes cost x{grown:.1f} CPU; {each:.0f} microseconds for one spoke more")


if __name__ == "__main__":
    main()
