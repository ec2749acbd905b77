"""What polling a fleet costs, beside bare clients, beside Prometheus and a floor; and whether it keeps its times.

``hubctl`` is the whole round: schedule, ask, check, record. ``client.py`` is hubctl and the bare Python clients,
``floor/main.go`` the floor, ``blackbox.py`` what one would take instead, ``steady.py`` hubctl in the background as in
``hubctl run``, ``stub/main.go`` all the predictors. The README says how to read the tables.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import blackbox
from client import CONCURRENCY, GOLDEN_ROWS, ROWS
from measuring import machine, tell
from predictors import Predictors, built, predictors

HERE = Path(__file__).resolve().parent
MODELS = 3
GO = {"Go, raw TLS": "raw", "Go, net/http": "nethttp"}
WAYS = (*GO, "aiohttp", "httpx", "hubctl", "hubctl, new rows")
SLOW = frozenset({"httpx", "hubctl, new rows"})
SMALL = 1000
"""Spokes up to which the slow ways take part, in one run."""

QUICK, FULL = {50: 3, 1000: 3}, {50: 3, 1000: 3, 3500: 3, 10000: 2}
"""Runs by spokes."""

STEADY = ((3500, 4, 60.0, 2), (10000, 3, 30.0, 3))
"""Spokes, models, interval, rounds; the first opens the connections and does not count."""

DELAY = 20
"""Milliseconds that a predictor thinks, where the rounds are spread."""

Result = dict[str, float]


def once(options: argparse.Namespace, way: str, folder: Path, stub: Predictors) -> Result:
    """One client's run: microseconds per prediction, memory, connections, the stub's own microseconds."""
    spokes = len(stub.ports["good"])
    rounds = max(options.rounds, 500 // spokes)
    arguments = [f"--models={MODELS}", f"--rounds={rounds}"]
    command = [sys.executable, str(HERE / "client.py"), *arguments, way, str(folder)]
    if way in GO:
        command = [str(folder / "floor"), f"-concurrency={CONCURRENCY}", *arguments, GO[way], str(folder)]
    before = stub.counted()
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    after = stub.counted()
    found = json.loads(ended.stdout)
    asked = spokes * MODELS
    assert after["requests"] - before["requests"] == asked * (rounds + 1), (way, before, after)
    parts = {key: found.get(key) or [0.0] * (rounds + 1) for key in ("recorded", "concluded")}
    # Health and findings have a benchmark of their own.
    whole = [all_of - part for all_of, part in zip(found["cpu"], parts["concluded"], strict=True)]
    first, *kept = (each / asked * 1e6 for each in whole)
    recorded, concluded = (statistics.median(part[1:]) / asked * 1e6 for part in parts.values())
    return {
        "first": first, "kept": statistics.median(kept), "mb": found["mb"], "recorded": recorded,
        "concluded": concluded,
        "opened": (after["connections"] - before["connections"]) / spokes,
        "stub": (after["cpu"] - before["cpu"]) / (asked * (rounds + 1)) * 1e6,
    }  # fmt: skip


def measure(options: argparse.Namespace, spokes: int, runs: int) -> tuple[dict[str, list[Result]], Result | None]:
    """Interleaved runs of every client against one stub; and Prometheus with its exporter, at one size."""
    ways = [way for way in WAYS if spokes <= SMALL or way not in SLOW]
    found: dict[str, list[Result]] = {way: [] for way in ways}
    with predictors({"good": spokes}, MODELS) as (folder, stub):
        built("floor", folder)
        for number in range(runs):
            for way in ways if not number else [way for way in ways if way not in SLOW]:
                tell(f"{spokes} spokes, run {number + 1} of {runs}: {way}")
                found[way].append(once(options, way, folder, stub))
        if spokes != SMALL or blackbox.missing():
            return found, None
        tell("Prometheus and blackbox_exporter")
        return found, blackbox.measure(folder, stub, MODELS, options.seconds)


def show(spokes: int, found: dict[str, list[Result]]) -> dict[str, Result]:
    """Print the rows of one size; the medians."""
    medians = {
        way: {key: statistics.median(one[key] for one in runs) for key in runs[0]} for way, runs in found.items()
    }
    for way, row in medians.items():
        kept = [one["kept"] for one in found[way]]
        bounds = f"({min(kept):.0f}-{max(kept):.0f})"
        ratios = "".join(f"{row['kept'] / medians[floor]['kept']:8.2f}" for floor in ("aiohttp", "Go, raw TLS"))
        rest = f"{row['recorded']:8.0f}{row['concluded']:9.0f}{row['mb']:7.0f}{row['opened']:11.3f}{row['stub']:6.0f}"
        print(f"{spokes:6} {way:17}{row['first']:7.0f}{row['kept']:7.0f} {bounds:12}{ratios}{rest}", flush=True)
    return medians


def steady(spokes: int, models: int, interval: float, rounds: int) -> Result:
    """Rounds in the background; print the row."""
    command = [sys.executable, str(HERE / "steady.py"), f"--models={models}", f"--interval={interval}"]
    with predictors({"good": spokes}, models, DELAY) as (folder, _):
        tell(f"{spokes * models} predictors every {interval:g} s")
        ended = subprocess.run([*command, f"--rounds={rounds}", str(folder)], stdout=subprocess.PIPE, check=True)
    found = json.loads(ended.stdout)
    busy = found["cpu"] / found["wall"] * 100
    lag, latency = found["lag"], found["latency"]
    print(
        f"{spokes * models:10}{interval:6.0f} s{found['due']:9}{busy:7.1f} %{found['cpu'] / found['due'] * 1e6:8.0f}"
        f"{lag[0] * 1e3:8.0f}{lag[1] * 1e3:7.0f}{lag[2] * 1e3:7.0f}{latency[0]:9.0f}{latency[1]:7.0f}"
        f"{found['pass']:8.2f}{found['mb']:7.0f}{(found['opened'] + found['later']) / spokes:8.3f}"
        f"{sum(found['skipped'].values()):9}",
        flush=True,
    )
    return {"busy": busy, "lag": lag[1], "mb": found["mb"], "latency": latency[1], "opened": found["opened"] / spokes}


def head(options: argparse.Namespace) -> None:
    """What was measured, on what, with what."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("httptools", "uvloop", "orjson", "aiohttp", "httpx"))
    go = subprocess.run(["go", "version"], capture_output=True, text=True, check=True).stdout.split()[2]
    print(
        f"CPU microseconds of the client process per prediction of {ROWS} live and {GOLDEN_ROWS} golden rows over TLS;"
    )
    print(f"{MODELS} models a spoke, {CONCURRENCY} spokes at once, one poll each;")
    print(f"median of {options.rounds} or more rounds on kept connections")
    print(f"Python {platform.python_version()}, {libraries}, {go}")
    print(machine())


def table(options: argparse.Namespace, sizes: dict[int, int]) -> tuple[dict[int, dict[str, Result]], Result | None]:
    """The first table."""
    print("\n1. Cost\n")
    print(
        "spokes client             first   kept range        / aiohttp / raw  record conclude     MB conns/host  stub"
    )
    medians: dict[int, dict[str, Result]] = {}
    instead = None
    for spokes, runs in sizes.items():
        found, other = measure(options, spokes, runs)
        medians[spokes] = show(spokes, found)
        instead = other or instead
    print()
    if instead is None:
        print(blackbox.missing())
    else:
        print(
            f"Prometheus {instead['prometheus']:.0f} + blackbox_exporter {instead['exporter']:.0f} ="
            f" {instead['both']:.0f} microseconds a probe at {instead['rate']:.0f} probes/s,"
            f" {instead['opened']:.2f} connections a probe, {instead['mb']:.0f} MB ({blackbox.versions()})"
        )
    return medians, instead


def growth(medians: dict[int, dict[str, Result]]) -> None:
    """The second table: from the smallest of these sizes to the others."""
    print("\n2. Growth of CPU for a whole round on kept connections, and of memory\n")
    first, *others = [spokes for spokes in medians if spokes >= SMALL]
    for spokes in others:
        for way in medians[spokes]:
            small, large = medians[first][way], medians[spokes][way]
            cpu, memory = large["kept"] / small["kept"] * spokes / first, large["mb"] / small["mb"]
            each = (large["mb"] - small["mb"]) * 1024 / (spokes - first)
            print(f"{way:17} x{spokes / first:<4g} spokes: CPU x{cpu:.1f}, memory x{memory:.1f}, {each:.0f} kB a spoke")


def profile(spokes: int) -> None:
    """Where the time of hubctl's rounds goes."""
    with predictors({"good": spokes}, MODELS) as (folder, _):
        command = [sys.executable, str(HERE / "client.py"), "--profile", "--rounds=3", "hubctl", str(folder)]
        said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    print(f"\n4. Profile of hubctl's rounds on kept connections, {spokes} spokes: most time of its own first\n")
    print(said[said.index("ncalls") - 3 :].rstrip())


def goals(medians: dict[int, dict[str, Result]], instead: Result | None, spread: list[Result]) -> None:
    """What was aimed at, and what was found."""
    print("\n5. Goals\n")
    rows = [
        (f"CPU / bare aiohttp, {spokes} spokes", found["hubctl"]["kept"] / found["aiohttp"]["kept"], 1.5, "x")
        for spokes, found in medians.items()
        if spokes >= SMALL
    ]
    ours = medians[SMALL]["hubctl"]["kept"]
    if instead:
        rows.append(("CPU / Prometheus + blackbox_exporter", ours / instead["both"], 1 / 8, "x"))
    rows.append(
        (
            f"CPU per prediction, {SMALL} / {min(medians)} hosts",
            ours / medians[min(medians)]["hubctl"]["kept"],
            1.5,
            "x",
        )
    )
    rows.append(
        ("connections a host over all rounds", max(one["hubctl"]["opened"] for one in medians.values()), 1.01, "")
    )
    most = max(medians)
    if most > SMALL:
        small, large = medians[SMALL]["hubctl"], medians[most]["hubctl"]
        rows.append(
            (
                "memory a connection, and all else of a spoke",
                (large["mb"] - small["mb"]) * 1024 / (most - SMALL),
                60,
                " kB",
            )
        )
        rows.append(
            (f"growth of CPU to {most} spokes", large["kept"] / small["kept"] * most / SMALL, 1.05 * most / SMALL, "x")
        )
        rows.append((f"growth of memory to {most} spokes", large["mb"] / small["mb"], 1.05 * most / SMALL, "x"))
    for one, (spokes, models, interval, _), busy, late in zip(spread, STEADY, (10, 100), (0.01, 0.1), strict=False):
        name = f"{spokes * models} every {interval:g} s"
        rows.append((f"{name}: of one core", one["busy"], busy, " %"))
        rows.append((f"{name}: p99 lag", one["lag"], late * interval, " s"))
        rows.append((f"{name}: p99 latency told, beyond the stub's {DELAY} ms", one["latency"] - DELAY, 10, " ms"))
        if busy == 10:  # noqa: PLR2004 - the goal for memory is the smaller fleet's
            rows.append((f"{name}: memory", one["mb"], 300, " MB"))
    for what, found, bound, unit in rows:
        met = "met" if found <= bound else "MISSED"
        print(f"{what:62}{found:9.3g}{unit:4} at most {bound:6.3g}{unit:4} {met}")


def main() -> None:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="3,500 and 10,000 spokes too, and spread rounds; 8 minutes")
    parser.add_argument("--rounds", type=int, default=3, help="after the first, which opens the connections")
    parser.add_argument("--seconds", type=float, default=20, help="for which Prometheus is watched")
    parser.add_argument("--runs", type=int, help="of each client at each size; default: 3, and 2 at 10,000 spokes")
    options = parser.parse_args()
    head(options)
    sizes = {size: options.runs or runs for size, runs in (FULL if options.full else QUICK).items()}
    medians, instead = table(options, sizes)
    spread: list[Result] = []
    if options.full:
        growth(medians)
        print(f"\n3. Rounds in the background, a pass after each; predictors think for {DELAY} ms\n")
        print(
            "predictors   every    polls of a core us each  lag p50    p99    max  told p50    p99"
            "  pass s     MB   conns  skipped"
        )
        spread = [steady(*one) for one in STEADY]
        profile(SMALL)
    goals(medians, instead, spread)


if __name__ == "__main__":
    main()
