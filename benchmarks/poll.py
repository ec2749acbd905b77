"""What polling a fleet costs beside bare clients: CPU microseconds of the client process per prediction.

hubctl reads the rows from files, asks, checks and records an Observation. The floors only send the same bodies, read
before the clock starts, at the same concurrency, and look at the status: httpx with one client a spoke, which is what
hubctl is built on, and aiohttp, which is quicker. ``client.py`` is each of them, ``stub.py`` all the predictors.
"""

import argparse
import json
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

import trustme
from client import ROWS, services, write_features

WAYS = ("hubctl", "httpx", "aiohttp", "aiohttp+uvloop")
MOST_SPOKES = 2000  # some connections each stay well within the ephemeral ports
SECONDS = 300
COLUMNS = ("hosts", "client", "first round", "kept", "range", "/ httpx", "/ aiohttp", "connections", "a host", "stub")


@contextmanager
def predictors(folder: Path, spokes: int, *, tls: bool) -> Iterator["subprocess.Popen[str]"]:
    """The stub, its ports in ``ports.json``; ended by closing its standard input."""
    arguments = [sys.executable, str(Path(__file__).with_name("stub.py")), str(spokes), str(ROWS)]
    if tls:
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")
        arguments.append(str(folder / "server.pem"))
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        try:
            assert stub.stdout is not None
            (folder / "ports.json").write_text(stub.stdout.readline())
            yield stub
            assert stub.stdin is not None
            stub.stdin.close()
            stub.wait(10)
        finally:
            stub.kill()


def count(stub: "subprocess.Popen[str]") -> dict[str, float]:
    """What the stub counted so far."""
    assert stub.stdin is not None
    assert stub.stdout is not None
    print(file=stub.stdin, flush=True)
    found: dict[str, float] = {"connections": 0, "requests": 0, **json.loads(stub.stdout.readline())}
    return found


def once(options: argparse.Namespace, way: str, folder: str, stub: "subprocess.Popen[str]") -> dict[str, float]:
    """One client's run: microseconds per prediction, connections, the stub's own microseconds."""
    before = count(stub)
    command = [sys.executable, str(Path(__file__).with_name("client.py")), way, folder]
    command += [f"--models={options.models}", f"--rounds={options.rounds}"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=SECONDS)
    after = count(stub)
    first, *kept = json.loads(ended.stdout)
    asked = (after["requests"] - before["requests"]) / (options.rounds + 1)
    return {
        "first": first / asked * 1e6,
        "kept": statistics.median(kept) / asked * 1e6,
        "connections": after["connections"] - before["connections"],
        "stub": (after["cpu"] - before["cpu"]) / (after["requests"] - before["requests"]) * 1e6,
    }


def measure(options: argparse.Namespace, spokes: int) -> dict[str, list[dict[str, float]]]:
    """Interleaved runs of every client against one stub."""
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    with tempfile.TemporaryDirectory() as folder, predictors(Path(folder), spokes, tls=options.tls) as stub:
        write_features(Path(folder), services(Path(folder), list(range(1, spokes + 1)), options.models))
        for _ in range(options.runs):
            for way in WAYS:
                found[way].append(once(options, way, folder, stub))
    return found


def show(spokes: int, found: dict[str, list[dict[str, float]]]) -> dict[str, float]:
    """Print one size's rows; returns each client's median cost on kept connections."""
    medians = {
        way: {key: statistics.median(run[key] for run in runs) for key in runs[0]} for way, runs in found.items()
    }
    for way, row in medians.items():
        kept = sorted(run["kept"] for run in found[way])
        ratios = "".join(f"{row['kept'] / medians[floor]['kept']:10.2f}" for floor in ("httpx", "aiohttp"))
        bounds = f"({kept[0]:.0f}-{kept[-1]:.0f})"
        opened = f"{row['connections']:12.0f}{row['connections'] / spokes:8.2f}"
        print(
            f"{spokes:5} {way:15}{row['first']:11.0f}{row['kept']:7.0f} {bounds:12}{ratios}{opened}{row['stub']:6.0f}"
        )
    return {way: row["kept"] for way, row in medians.items()}


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--spokes", type=int, default=200, help="of the larger fleet; the smaller one is a quarter")
    parser.add_argument("--models", type=int, default=3, help="of each spoke")
    parser.add_argument("--rounds", type=int, default=3, help="after the first, which opens the connections")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tls", action="store_true")
    options = parser.parse_args()
    if not 1 <= options.spokes <= MOST_SPOKES:
        parser.error(f"--spokes: expected 1 to {MOST_SPOKES}, which the ephemeral ports have room for")
    libraries = ", ".join(f"{library} {version(library)}" for library in ("httpx", "httpcore", "aiohttp", "uvloop"))
    # httpcore imports it for every lock; the import is dear where it fails (encode/httpcore pull request 1103).
    sniffio = f"sniffio {version('sniffio')}" if find_spec("sniffio") else "without sniffio"
    scheme = "HTTPS" if options.tls else "HTTP"
    print(
        f"CPU microseconds of the client process per prediction of {ROWS} rows over {scheme}, {options.models} models"
    )
    print(f"a spoke; {options.rounds} rounds after the first, median of {options.runs} interleaved runs")
    print(f"Python {platform.python_version()}, {libraries}, {sniffio}\n")
    print("{:5} {:15}{:>11}{:>7} {:12}{:>10}{:>10}{:>12}{:>8}{:>6}".format(*COLUMNS))
    sizes = (max(options.spokes // 4, 1), options.spokes)
    small, large = (show(size, measure(options, size)) for size in sizes)
    print()
    for way in WAYS:
        print(f"{way:15} x{sizes[1] / sizes[0]:.1f} hosts cost x{large[way] / small[way]:.2f} per prediction")


if __name__ == "__main__":
    main()
