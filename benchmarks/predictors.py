"""Stand-ins for a fleet's predictors: processes of ``stub/main.go``, as many as the bound on open files asks for."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import trustme
from client import write_rows

HERE = Path(__file__).resolve().parent
MOST = 4000
"""Spokes of one process: a listener each, and as many connections, stay below 20,000 open files."""


def built(name: str, folder: Path) -> Path:
    """A program of ours, compiled into the folder; the Go toolchain's cache makes this quick the second time."""
    if shutil.which("go") is None:
        sys.exit(f"{name} is written in Go, and there is no go command; on Debian: apt install golang-go")
    program = folder / name
    environ = {**os.environ, "GO111MODULE": "off"}
    subprocess.run(["go", "build", "-o", program, HERE / name / "main.go"], env=environ, check=True)
    return program


def certify(folder: Path) -> None:
    """A fresh CA in ``ca.pem``, and what the stub needs of it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(folder / "server.pem")


class Predictors:
    """Running stubs.

    Attributes:
        ports: a port for each spoke, by how the spoke behaves.
    """

    def __init__(self, stubs: list["subprocess.Popen[str]"]) -> None:
        """Take the processes; each has printed its ports."""
        self._stubs = stubs
        self.ports: dict[str, list[int]] = {}
        for stub in stubs:
            for way, ports in json.loads(_line(stub)).items():
                self.ports.setdefault(way, []).extend(ports)

    def counted(self) -> dict[str, float]:
        """Connections and requests until now, connections that are open, and CPU seconds."""
        total: Counter[str] = Counter()
        for stub in self._stubs:
            assert stub.stdin is not None
            print(file=stub.stdin, flush=True)
            total.update(json.loads(_line(stub)))
        return dict(total)


def _line(stub: "subprocess.Popen[str]") -> str:
    assert stub.stdout is not None
    return stub.stdout.readline()


@contextmanager
def predictors(spokes: Mapping[str, int], models: int, delay: int = 0) -> Iterator[tuple[Path, Predictors]]:
    """As many spokes as there are of each kind: ``good``, ``hang``, ``refuse``, ``big``, ``slow``; with TLS.

    And a folder for their clients, in memory where that can be had.

    Args:
        spokes: how many of each kind.
        models: for which there are rows.
        delay: milliseconds before each answer.
    """
    with ExitStack() as stack:
        memory = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - a folder of its own below it
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=memory)))
        program = built("stub", folder)
        certify(folder)
        write_rows(folder, models)
        left = dict(spokes)
        stubs = []
        while any(left.values()):
            room = MOST
            arguments = ["-pem", str(folder / "server.pem"), "-delay", f"{delay}ms"]
            for way, count in left.items():
                taken = min(count, room)
                arguments += [f"-{way}", str(taken)]
                left[way], room = count - taken, room - taken
            stubs.append(stack.enter_context(_running([str(program), *arguments])))
        found = Predictors(stubs)
        (folder / "ports.json").write_text(json.dumps(found.ports))
        yield folder, found


@contextmanager
def _running(command: list[str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stub:
        try:
            yield stub
        finally:
            stub.kill()
