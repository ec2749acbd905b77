"""A real Prometheus on a free port of this machine, filled with generated series before it starts."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.observe.haproxy import free_port


def program(name: str) -> str:
    """The absolute path of prometheus or promtool."""
    found = shutil.which(name)
    if not found:
        missing = f"{name} is missing: install prometheus"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return found


@contextmanager
def serving(openmetrics: str) -> Iterator[str]:
    """The URL of a server that holds these series.

    Args:
        openmetrics: samples with their times, as ``promtool tsdb create-blocks-from openmetrics`` reads them.
    """
    server, tool = program("prometheus"), program("promtool")
    with tempfile.TemporaryDirectory(prefix="hubctl-prometheus-") as name:
        folder = Path(name)
        (folder / "series").write_text(openmetrics)
        (folder / "prometheus.yml").write_text("global: {scrape_interval: 1h}\n")
        made = [tool, "tsdb", "create-blocks-from", "openmetrics", folder / "series", folder / "data"]
        subprocess.run([str(word) for word in made], check=True, capture_output=True)
        port = free_port()
        flags = {
            "config.file": folder / "prometheus.yml",
            "storage.tsdb.path": folder / "data",
            "storage.tsdb.retention.time": "100y",
            "web.listen-address": f"127.0.0.1:{port}",
            "log.level": "warn",
        }
        with (folder / "log").open("wb") as log:
            arguments = [f"--{flag}={value}" for flag, value in flags.items()]
            running = subprocess.Popen([server, *arguments], stdout=log, stderr=log)
            try:
                _wait(f"http://127.0.0.1:{port}", running, folder / "log")
                yield f"http://127.0.0.1:{port}"
            finally:
                running.terminate()
                running.wait()


def _wait(url: str, running: subprocess.Popen[bytes], log: Path) -> None:
    with httpx.Client(trust_env=False) as client:
        while running.poll() is None:
            try:
                if client.get(f"{url}/-/ready").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
    pytest.fail(f"prometheus did not start: {log.read_text()}")


def asked(url: str, least: int = 0) -> int:
    """How many range queries a server has answered since it started, as it counts them itself.

    It counts an answer a moment after it was sent, so that many are waited for.
    """
    if not least:
        time.sleep(0.2)  # for what somebody else asked last
    end = time.monotonic() + 10
    while (found := _counted(url)) < least and time.monotonic() < end:
        time.sleep(0.02)
    return found


def _counted(url: str) -> int:
    text = httpx.get(f"{url}/metrics", trust_env=False).text
    lines = [line for line in text.splitlines() if line.startswith("prometheus_http_requests_total")]
    return sum(int(line.rpartition(" ")[2]) for line in lines if 'handler="/api/v1/query_range"' in line)
