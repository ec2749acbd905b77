"""Starts a real model server of the tests and ends it, however the test ends."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

STARTUP = 90.0


@contextmanager
def running(command: Sequence[str], log: Path, url: str, ready: Callable[[httpx.Response], bool]) -> Iterator[None]:
    """Run a server until the block ends; its standard input ends with us, so that it does too.

    Args:
        command: starts it.
        log: what it prints.
        url: that is asked until it is ready.
        ready: whether an answer says that.
    """
    with (
        log.open("wb") as out,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=subprocess.STDOUT) as process,
    ):
        try:
            _wait(process, log, url, ready)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: "subprocess.Popen[bytes]", log: Path, url: str, ready: Callable[[httpx.Response], bool]) -> None:
    end = time.monotonic() + STARTUP
    while time.monotonic() < end and process.poll() is None:
        try:
            if ready(httpx.get(url, trust_env=False)):
                return
        except httpx.TransportError:
            time.sleep(0.2)
    raise AssertionError(f"{url} was never ready: {log.read_text()[-2000:]}")
