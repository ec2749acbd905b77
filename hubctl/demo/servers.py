"""Starts and stops the demo's model servers, each a process of its own, and waits until their model is loaded.

Apart from ``hubctl.demo.modelserver``, which is the program inside such a process. No server outlives the process
that started it: its standard input is a pipe that only that process holds.
"""

import asyncio
import contextlib
import os
import random
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from hubctl.errors import RemoteFailed

HOST = "127.0.0.1"
STARTUP = 60.0
"""Seconds until a server has to answer for its model."""

GRACE = 5.0
"""Seconds between SIGTERM and SIGKILL."""

_PORTS = range(20000, 30000)
"""Below the ports that Linux and macOS take for outgoing connections, so that a port stays free until it is used."""

_ATTEMPTS = 5
_TAIL_BYTES = 2000


class _PortTakenError(RemoteFailed):
    """Another program listens on the port; another port helps."""


@dataclass(frozen=True, slots=True)
class ModelServer:
    """A running model server.

    Attributes:
        folder: holds the model file that it serves.
        log: what it and its libraries print.
    """

    model: str
    folder: Path
    port: int
    log: Path
    process: asyncio.subprocess.Process

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://{HOST}:{self.port}"

    @property
    def running(self) -> bool:
        """Whether its process is still there."""
        return self.process.returncode is None

    async def stop(self) -> None:
        """Ends its whole process group: SIGTERM, and SIGKILL for what is left after ``GRACE`` seconds."""
        _signal(self.process, signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), GRACE)
        except TimeoutError:
            _signal(self.process, signal.SIGKILL)
            await self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
            with contextlib.suppress(ConnectionError):
                await self.process.stdin.wait_closed()


@dataclass(frozen=True, slots=True)
class Order:
    """A server to start; a port of None means any free one."""

    model: str
    folder: Path
    log: Path
    port: int | None = None


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of 127.0.0.1 that nothing listens on now, from ``_PORTS``, in no order.

    Raises:
        RemoteFailed: there are not so many.
    """
    found: list[int] = []
    # Chance keeps two demos that start together apart; it decides nothing else.
    for port in random.SystemRandom().sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            break
        if port_is_free(port):
            found.append(port)
    if len(found) < count:
        raise RemoteFailed(
            f"only {len(found)} of {count} ports of {HOST} between {_PORTS.start} and {_PORTS.stop} are free",
            hint="stop other programs that listen there",
        )
    return tuple(found)


def port_is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of 127.0.0.1 now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


async def start_server(model: str, folder: Path, *, log: Path, port: int | None = None) -> ModelServer:
    """Starts a server and waits until ``GET /v1/models/<model>`` answers 200.

    Args:
        model: the name that it serves under.
        folder: holds ``model.joblib``.
        log: what it prints is appended here.
        port: default any free one; if that is taken meanwhile, another.

    Raises:
        RemoteFailed: the port is taken, or it died or did not come up; the message ends with the log's tail.
    """
    if port is not None:
        return await _start(model, folder, log=log, port=port)
    for _ in range(_ATTEMPTS - 1):
        with contextlib.suppress(_PortTakenError):
            return await _start(model, folder, log=log, port=free_ports(1)[0])
    return await _start(model, folder, log=log, port=free_ports(1)[0])


async def start_all(orders: Iterable[Order], *, at_once: int | None = None) -> tuple[ModelServer, ...]:
    """Starts servers side by side, in the order given.

    Args:
        orders: what to start.
        at_once: most servers that start at one moment; default the number of CPUs, since starting is all CPU.

    Raises:
        RemoteFailed: one did not start; the others are stopped again.
    """
    gate = asyncio.Semaphore(at_once or os.cpu_count() or 1)

    async def start(order: Order) -> ModelServer:
        async with gate:
            return await start_server(order.model, order.folder, log=order.log, port=order.port)

    tasks = [asyncio.ensure_future(start(order)) for order in orders]
    async with contextlib.AsyncExitStack() as unless_all_started:
        unless_all_started.push_async_callback(_abandon, tasks)
        started = tuple(await asyncio.gather(*tasks))
        unless_all_started.pop_all()
    return started


async def stop_all(servers: Iterable[ModelServer]) -> None:
    """Stops servers side by side."""
    await asyncio.gather(*(server.stop() for server in servers))


async def until_ok(url: str, check: Callable[[], None] | None = None) -> None:
    """Returns when a server answers 200 there; ``check`` may raise before each try and once it answered."""
    # Plain HTTP: an empty trust store saves reading the system's for every server.
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    check = check or _nothing
    async with httpx.AsyncClient(trust_env=False, timeout=2.0, verify=trust) as client:
        while True:
            check()
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(url)).status_code == httpx.codes.OK:
                    check()
                    return
            await asyncio.sleep(0.1)


def _nothing() -> None:
    """Checks nothing."""


def tail_of(log: Path) -> str:
    """The end of what a program printed, for people."""
    return log.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip() or "(nothing)"


async def _start(model: str, folder: Path, *, log: Path, port: int) -> ModelServer:
    """One attempt on one port; raises ``_PortTakenError`` when another program has it, else as ``start_server``."""
    if not port_is_free(port):
        raise _taken(model, port)
    server = await _spawn(model, folder, log=log, port=port)
    try:
        # Whatever ends the wait, a cancellation too, no process stays behind.
        async with contextlib.AsyncExitStack() as unless_it_answers:
            unless_it_answers.push_async_callback(server.stop)
            await asyncio.wait_for(_answering(server), STARTUP)
            unless_it_answers.pop_all()
    except TimeoutError as late:
        raise _failed(server, f"did not answer within {STARTUP:.0f} s") from late
    except RemoteFailed as failure:
        if not port_is_free(port):
            raise _taken(model, port) from failure
        raise
    return server


async def _abandon(starts: Sequence[asyncio.Task[ModelServer]]) -> None:
    """Cancels starts that are under way and stops the servers that are up."""
    for start in starts:
        start.cancel()
    ended = await asyncio.gather(*starts, return_exceptions=True)
    await stop_all(server for server in ended if isinstance(server, ModelServer))


async def _spawn(model: str, folder: Path, *, log: Path, port: int) -> ModelServer:
    """The process, not yet answering."""
    log.parent.mkdir(parents=True, exist_ok=True)
    program = (sys.executable, "-m", "hubctl.demo.modelserver")
    flags = ("--model_name", model, "--model_dir", str(folder), "--http_port", str(port), "--exit_with_stdin")
    # A model of fifty trees gains nothing from threads, and ten servers with a pool each lose memory.
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *program,
            *flags,
            stdin=asyncio.subprocess.PIPE,
            stdout=output,
            stderr=output,
            env={**os.environ, **single},
            start_new_session=True,
        )
    return ModelServer(model=model, folder=folder, port=port, log=log, process=process)


async def _answering(server: ModelServer) -> None:
    """Returns when the server says that its model is ready; raises RemoteFailed when it died."""

    def check() -> None:
        if not server.running:
            raise _failed(server, f"ended with code {server.process.returncode}")

    await until_ok(f"{server.url}/v1/models/{server.model}", check)


def _taken(model: str, port: int) -> _PortTakenError:
    """The error of a port that something else listens on."""
    return _PortTakenError(
        f"port {port} of {HOST}, wanted for {model}, is taken", hint="stop what listens there, then try again"
    )


def _failed(server: ModelServer, what: str) -> RemoteFailed:
    """The error of a server that did not start, with the end of its log."""
    tail = tail_of(server.log)
    return RemoteFailed(
        f"the model server of {server.model} on port {server.port} {what}; its log ends with: {tail}",
        hint=f"look into {server.log}",
        where=str(server.folder),
    )


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    """Signals the process group of a server, which its first process leads."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
