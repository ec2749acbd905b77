"""What a command costs with all the processes that it starts, as the kernel counts it.

A command is started by a small process of its own (this file as a script), because Linux takes the memory of whoever
starts a process for the least that the process ever used.
"""

import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SCALE = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Spent:
    """What a command used.

    Attributes:
        cpu: seconds, user and system, of the whole tree of processes.
        wall: seconds on the clock.
        memory: most resident megabytes of its largest process.
    """

    cpu: float
    wall: float
    memory: float

    def __add__(self, other: "Spent") -> "Spent":
        """One after the other."""
        return Spent(self.cpu + other.cpu, self.wall + other.wall, max(self.memory, other.memory))


def run(command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None) -> Spent:
    """Run a command in a folder; what it says is shown only when it fails. Leaves no process when interrupted."""
    starter = [sys.executable, "-S", "-E", __file__, *command]
    around = {**os.environ, **(environ or {})}
    process = subprocess.Popen(
        starter, cwd=folder, env=around, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        said, failure = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        raise
    assert process.returncode == 0, f"{' '.join(command)}: {failure.decode(errors='replace')[-2000:]}"
    return Spent(**json.loads(said))


def started(command: Sequence[str]) -> None:
    """The small process: start the command, wait for it, print what it used."""
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            sys.exit(said.read())
    print(json.dumps({"cpu": usage.ru_utime + usage.ru_stime, "wall": wall, "memory": usage.ru_maxrss * SCALE / 2**20}))


def median(spent: Sequence[Spent]) -> Spent:
    """The median of each number."""
    numbers = [[one.cpu for one in spent], [one.wall for one in spent], [one.memory for one in spent]]
    return Spent(*map(statistics.median, numbers))


def spread(spent: Sequence[Spent]) -> str:
    """Least and most CPU seconds; empty for a single run."""
    cpu = sorted(one.cpu for one in spent)
    return f"({cpu[0]:.2f}-{cpu[-1]:.2f})" if len(cpu) > 1 else "(one run)"


def machine() -> str:
    """Cores, memory and what else keeps them busy, for the head of a table."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    load = " ".join(f"{each:.1f}" for each in os.getloadavg())
    return f"{os.cpu_count()} cores, {memory:.0f} GB, {platform.machine()}, load average {load} at the start"


def tell(what: str, end: str = "\n") -> None:
    """Progress, on standard error."""
    print(f"{time.strftime('%H:%M:%S')} {what}", end=end, file=sys.stderr, flush=True)


def run_aloud(what: str, command: Sequence[str], folder: Path) -> Spent:
    """The same as :func:`run`; says on standard error what runs, and then what it used."""
    tell(f"{what} ... ", end="")
    spent = run(command, folder)
    print(f"{spent.cpu:.2f} CPU s, {spent.wall:.2f} s", file=sys.stderr, flush=True)
    return spent


if __name__ == "__main__":
    started(sys.argv[1:])
