"""Whether spokes that are well keep their times beside spokes that are not, and whether memory stays flat.

10 % of the targets take a question and never answer, 10 % refuse the connection, 5 % answer with 100 MB. First the same
fleet without and with them, in rounds that are spread as in ``hubctl run``: while nobody knows them yet, and once the
breakers do. Then 1,000 short rounds with no breaker, so that every fault happens in every round.
"""

import argparse
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from measuring import machine, tell
from predictors import predictors

HERE = Path(__file__).resolve().parent
SPOKES, MODELS = 1000, 3
INTERVAL, DEADLINE = 10.0, 5.0
KNOWN = 4
"""Rounds after which the breakers know who hangs: three failures, and one more for the slowest."""

ROUNDS = 6
FEW = 100
"""Spokes in the run over many rounds, one model each."""

MANY = 1000
MARKS = (10, 100, 250, 500, 1000)
SHORT, SHORTER = 0.1, 0.12
"""Seconds over which a round is spread, and in which a poll must be over."""


def fleet(spokes: int, *, faulty: bool) -> dict[str, int]:
    """How many spokes there are of each kind."""
    if not faulty:
        return {"good": spokes}
    return {"good": spokes * 3 // 4, "hang": spokes // 10, "refuse": spokes // 10, "big": spokes // 20}


def made(folder: Path, *arguments: str) -> dict[str, Any]:
    """What ``steady.py`` found."""
    command = [sys.executable, str(HERE / "steady.py"), str(folder), *arguments]
    found: dict[str, Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return found


def lags(what: str, *, faulty: bool) -> None:
    """Print the rows of one fleet: while the faults are new, and later."""
    for when, first, rounds in (("at first", 0, 2), ("later", KNOWN, ROUNDS)):
        with predictors(fleet(SPOKES, faulty=faulty), MODELS) as (folder, _):
            tell(f"{what}, {when}")
            found = made(
                folder, f"--models={MODELS}", f"--interval={INTERVAL}", f"--deadline={DEADLINE}",
                f"--rounds={rounds}", f"--warm={first}",
            )  # fmt: skip
        lag = "".join(f"{each * 1e3:8.0f}" for each in found["lag"])
        counts = found["outcomes"]
        others = [f"{count} {name}" for name, count in counts.items() if name != "good ok"]
        busy = found["cpu"] / found["wall"] * 100
        print(
            f"{what:8} {when:9}{counts['good ok']:7}{lag}{busy:8.1f} %{found['mb']:6.0f}{found['under_way']:10}"
            f"{found['breakers']:9}  {', '.join(others)}",
            flush=True,
        )


def endurance() -> None:
    """Print memory after so many rounds."""
    print(f"\n2. Memory over {MANY:,} rounds of {FEW} spokes with the same faults, {SHORT:g} s each and no breaker\n")
    # Nobody is left alone, and the same connection is opened and lost in every round.
    settings = {"breaker": {"most": 0}}
    with predictors(fleet(FEW, faulty=True), 1) as (folder, stub):
        tell(f"{MANY} rounds")
        found = made(
            folder, "--models=1", f"--interval={SHORTER}", f"--deadline={SHORT}", f"--rounds={MANY}", "--warm=1",
            "--settings", json.dumps(settings), "--mark", *map(str, MARKS),
        )  # fmt: skip
        counted = stub.counted()
    print("rounds " + "".join(f"{mark:>8}" for mark in found["marks"]))
    print("MB     " + "".join(f"{mark:8.1f}" for mark in found["marks"].values()))
    print(
        f"{counted['connections']:.0f} connections were opened; {counted['open']:.0f} are open at the stub afterwards"
    )
    print(", ".join(f"{count} {name}" for name, count in sorted(found["outcomes"].items())))


def main() -> None:
    """Print the tables."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(f"Python {platform.python_version()}; {machine()}")
    print(f"\n1. {SPOKES:,} spokes x {MODELS} models every {INTERVAL:g} s, deadline {DEADLINE:g} s\n")
    print("lag: milliseconds from a poll's time to its beginning, only of spokes that are well\n")
    print("fleet    when      well ok lag p50     p99     max of a core    MB under way breakers  all others")
    lags("all well", faulty=False)
    lags("faulty", faulty=True)
    endurance()


if __name__ == "__main__":
    main()
