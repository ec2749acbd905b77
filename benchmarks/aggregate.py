"""What a pass spends on health and findings: CPU seconds of ``aggregate`` over a fleet that is remembered in full.

A process for each row; the round's observations are made before the clock starts, the median of its passes counts. Four
models a spoke, as many votes behind each predictor as hubctl remembers, a digest of its own for every window.
"""

import argparse
import gc
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from measuring import SCALE, machine

from hubctl.aggregate import Aggregation, aggregate
from hubctl.cli.main import SELDOM
from hubctl.model.health import Condition, PredictorHealth, Vote
from hubctl.model.predictor import Observation, Outcome
from hubctl.model.values import Aggregate

SIZES = (8_000, 50_000)
MODELS = 4
VOTES = 23
"""What is remembered of a predictor under the default policy."""

EVERY = 20
"""One spoke in so many is the odd one: 5 %."""

BEGIN = datetime(2026, 1, 1, 12, tzinfo=UTC)
FLEETS = {
    "quiet": "every predictor answers, nothing is anomalous",
    "silent": "5 % of the spokes answer nothing",
    "malformed": "5 % of the spokes answer nonsense",
    "version": "one model's new version is anomalous on half of the spokes",
    "spokes": "5 % of the spokes are anomalous in all models",
}
WARM = 4
"""Rounds that make silence, nonsense and anomalies into findings."""

Cell = tuple[int, int]


class Collecting:
    """CPU seconds of Python's cyclic garbage collector, which looks through everything that is remembered."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, phase: str, _: dict[str, int]) -> None:
        """Called by the collector when it starts and stops."""
        self.seconds += -time.process_time() if phase == "start" else time.process_time()


def window(cell: Cell, number: int) -> str:
    """A digest, unlike any other."""
    return blake2b(f"{cell} {number}".encode(), digest_size=16).hexdigest()


def at(number: float, cell: Cell) -> datetime:
    """A minute a round, each predictor at a place of its own in it."""
    return BEGIN + timedelta(minutes=number, milliseconds=sum(cell) % 50_000)


def is_odd(fleet: str, cell: Cell) -> bool:
    """Whether the predictor is one of those that this fleet is about."""
    spoke, model = cell
    if fleet == "version":
        return model == 0 and spoke % 2 == 0
    return fleet != "quiet" and spoke % EVERY == 0


def version(fleet: str, cell: Cell) -> str:
    """What runs: one thing everywhere, but for the new version."""
    return "v2" if fleet == "version" and is_odd(fleet, cell) else "v1"


def remembered(fleet: str, cell: Cell) -> PredictorHealth:
    """A predictor that has been well for long."""
    one = version(fleet, cell)
    votes = tuple(Vote(window(cell, -n), at(-n, cell), one, 5, 0, bad=False) for n in range(VOTES, 0, -1))
    return PredictorHealth(
        cluster=f"edge-{cell[0]:05}", model=f"model-{cell[1]}", version=one, condition=Condition.HEALTHY,
        reason="votes-good", since=at(-VOTES, cell), version_since=at(-60, cell), last_at=at(-1, cell),
        last_outcome=Outcome.OK, votes=votes, good_streak=VOTES,
    )  # fmt: skip


def observed(fleet: str, cell: Cell, number: int) -> Observation:
    """What a round finds."""
    odd = is_odd(fleet, cell)
    outcome = {"silent": Outcome.TIMEOUT, "malformed": Outcome.MALFORMED}.get(fleet, Outcome.OK) if odd else Outcome.OK
    answered = outcome is Outcome.OK
    return Observation(
        cluster=f"edge-{cell[0]:05}", model=f"model-{cell[1]}", version=version(fleet, cell), at=at(number, cell),
        outcome=outcome, window=window(cell, number), instances=5 if answered else 0,
        anomalies=5 if odd and answered else 0, latency_ms=20.0, votes=answered,
    )  # fmt: skip


def passes(fleet: str, cells: Iterable[Cell], runs: int) -> dict[str, float]:
    """CPU seconds of each pass, findings of the last, and memory before and at most."""
    every = tuple(cells)
    policy = Aggregate()
    made = Aggregation(tuple(remembered(fleet, cell) for cell in every), ())
    expected = frozenset((one.cluster, one.model) for one in made.health)
    spent: list[float] = []
    cleaned: list[float] = []
    collecting = Collecting()
    gc.callbacks.append(collecting)
    before = 0.0
    for number in range(WARM + runs):
        found = tuple(observed(fleet, cell, number) for cell in every)
        before = before or resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * SCALE / 2**20
        collecting.seconds = 0.0
        began = time.process_time()
        made = aggregate(found, made.health, policy, now=BEGIN + timedelta(minutes=number + 1), expected=expected)
        spent.append(time.process_time() - began)
        cleaned.append(collecting.seconds)
    kept = sorted(spent[WARM:])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * SCALE / 2**20
    return {
        "cpu": statistics.median(kept), "least": kept[0], "most": kept[-1],
        "gc": statistics.median(cleaned[WARM:]), "findings": len(made.findings), "before": before, "peak": most,
    }  # fmt: skip


def row(fleet: str, cells: int, runs: int) -> float:
    """Measure and print one row; the median."""
    command = [sys.executable, __file__, "--fleet", fleet, "--cells", str(cells), "--runs", str(runs)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    spread = f"({found['least']:.2f}-{found['most']:.2f})"
    each = found["cpu"] / cells * 1e6
    memory = f"{found['before']:8.0f}{found['peak']:8.0f}"
    spent = f"{found['cpu']:8.2f} {spread:13}{found['gc']:7.2f}{each:9.1f}"
    print(f"{fleet:10}{cells:7}{spent}{found['findings']:10.0f}{memory}", flush=True)
    return float(found["cpu"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleet", choices=FLEETS, help="one row only, as JSON")
    parser.add_argument("--cells", type=int, default=SIZES[-1])
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if options.fleet:
        gc.set_threshold(*SELDOM)  # as ``hubctl run`` does
        cells = ((number // MODELS, number % MODELS) for number in range(options.cells))
        print(json.dumps(passes(options.fleet, cells, options.runs)))
        return
    print(f"CPU seconds of aggregate() a pass, median of {options.runs} passes; {MODELS} models a spoke")
    print(f"Python {platform.python_version()}; {machine()}\n")
    for name, meaning in FLEETS.items():
        print(f"{name:10}{meaning}")
    print("\nfleet       cells   CPU s range        of GC  us/cell  findings MB held at most")
    growth = {}
    for fleet in FLEETS:
        small, large = (row(fleet, size, options.runs) for size in SIZES)
        growth[fleet] = large / small
    print(f"\n{SIZES[1] / SIZES[0]:.2f} times the cells cost " + ", ".join(f"{f} x{x:.2f}" for f, x in growth.items()))


if __name__ == "__main__":
    main()
