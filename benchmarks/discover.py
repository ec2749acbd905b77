"""What a look at the hub costs, beside its floor: parsing the very bytes that the API server sends for these clusters.

One process, CPU seconds, medians. The look takes the parsed lists: ManagedClusters and, of a Placement, decisions of a
hundred clusters each; it compares them with the inventory that it remembers. ``first``: nothing is remembered yet.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from hubctl.inputs import discover
from hubctl.model.fleetsource import FleetSource
from hubctl.model.snapshot import DECISIONS, MANAGED_CLUSTERS, Snapshot
from tests.inputs.hubobjects import T0, decision, managed

SIZES = (200, 1000, 2500, 5000)
PER_DECISION = 100


def spent(work: Callable[[], object], runs: int) -> float:
    """Median CPU seconds of some work."""
    found = []
    for _ in range(runs):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return statistics.median(found)


def measured(clusters: int, runs: int) -> tuple[float, float, float, float]:
    """Seconds of the floor, of a first look, of a later one, and of one by a Placement."""
    names = [f"edge-{number:05}" for number in range(clusters)]
    items = tuple(managed(name, labels={"tier": "edge"}) for name in names)
    parts = [names[begin : begin + PER_DECISION] for begin in range(0, clusters, PER_DECISION)]
    decisions = tuple(decision("all", number, part) for number, part in enumerate(parts, 1))
    sent = json.dumps({"items": [*items, *decisions]}).encode()
    every = FleetSource.model_validate({"source": "acm"})
    placed = FleetSource.model_validate({"source": "acm", "placements": [{"namespace": "fleet", "name": "all"}]})
    snapshot = Snapshot(T0, {MANAGED_CLUSTERS: items, DECISIONS: decisions})
    later = T0 + timedelta(minutes=1)
    known = discover.take(None, snapshot, every, T0).inventory
    assert known is not None
    assert len(known.members) == clusters
    return (
        spent(lambda: json.loads(sent), runs),
        spent(lambda: discover.take(None, snapshot, every, T0), runs),
        spent(lambda: discover.take(known, snapshot, every, later), runs),
        spent(lambda: discover.take(known, snapshot, placed, later), runs),
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    print(f"Python {platform.python_version()}, {platform.machine()}, median of {runs} runs, CPU milliseconds\n")
    columns = ("clusters", "JSON floor", "first look", "later", "by Placement", "later / floor")
    print("  ".join(f"{name:>12}" for name in columns))
    for size in SIZES:
        floor, first, later, placed = measured(size, runs)
        shown = "  ".join(f"{each * 1e3:12.1f}" for each in (floor, first, later, placed))
        print(f"{size:12}  {shown}  {later / floor:11.1f}x")


if __name__ == "__main__":
    main()
