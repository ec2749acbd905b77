"""What a user would otherwise take: Prometheus, and blackbox_exporter's HTTP module that posts the rows.

CPU microseconds of both processes a probe. A probe opens a connection of its own each time, and says whether the answer
was a 200 whose text fits a pattern; the prediction itself is not kept.
"""

import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from predictors import Predictors

PROGRAMS = ("prometheus", "prometheus-blackbox-exporter")
INTERVAL = 10
TICKS = os.sysconf("SC_CLK_TCK")


def missing() -> str:
    """What is not installed here, and how to get it; empty when all is."""
    absent = [name for name in PROGRAMS if shutil.which(name) is None]
    return f"without {' and '.join(absent)}; on Debian: apt install {' '.join(absent)}" if absent else ""


def versions() -> str:
    """Of both."""
    found = []
    for name in PROGRAMS:
        ended = subprocess.run([name, "--version"], capture_output=True, text=True, check=True)
        said = re.search(r"version (\d[\d.]*)", ended.stdout + ended.stderr)
        found.append(f"{name} {said[1] if said else 'of unknown version'}")
    return ", ".join(found)


def configure(folder: Path, ports: list[int], models: int, exporter: int) -> None:
    """A target for each predictor, probed every ten seconds."""
    module = {
        "prober": "http",
        "timeout": "5s",
        "http": {
            "method": "POST",
            "headers": {"Content-Type": "application/json"},
            "body": (folder / "body.json").read_text(),
            "fail_if_body_not_matches_regexp": [r'"predictions":\[-?1(,-?1)*\]'],
            "preferred_ip_protocol": "ip4",
            "tls_config": {"ca_file": str(folder / "ca.pem")},
        },
    }
    (folder / "blackbox.yml").write_text(json.dumps({"modules": {"predict": module}}))
    urls = [f"https://127.0.0.1:{port}/v1/models/model-{model}:predict" for port in ports for model in range(models)]
    (folder / "targets.json").write_text(json.dumps([{"targets": urls}]))
    job = {
        "job_name": "predictors",
        "metrics_path": "/probe",
        "params": {"module": ["predict"]},
        "file_sd_configs": [{"files": [str(folder / "targets.json")]}],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": f"127.0.0.1:{exporter}"},
        ],
    }
    every = {"scrape_interval": f"{INTERVAL}s", "scrape_timeout": "6s"}
    (folder / "prometheus.yml").write_text(json.dumps({"global": every, "scrape_configs": [job]}))


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """A process once it listens; its id."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(100):
                time.sleep(0.1)
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    assert process.poll() is None, command
            yield process.pid
        finally:
            process.terminate()


def spent(pid: int) -> float:
    """CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid: int) -> float:
    """Its megabytes at most."""
    return int(Path(f"/proc/{pid}/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def measure(folder: Path, stub: Predictors, models: int, seconds: float) -> dict[str, float]:
    """Microseconds a probe of each, probes a second, and memory, once every target was probed."""
    exporter, prometheus = free_port(), free_port()
    configure(folder, stub.ports["good"], models, exporter)
    probing = ["prometheus-blackbox-exporter", f"--config.file={folder / 'blackbox.yml'}"]
    probing += [f"--web.listen-address=127.0.0.1:{exporter}", "--log.level=error"]
    scraping = ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'tsdb'}"]
    scraping += [f"--web.listen-address=127.0.0.1:{prometheus}", "--log.level=error"]
    with ExitStack() as stack:
        ids = [
            stack.enter_context(running(probing, exporter)),
            stack.enter_context(running(scraping, prometheus)),
        ]
        time.sleep(INTERVAL + 2)
        before, began, counted = [spent(pid) for pid in ids], time.perf_counter(), stub.counted()
        time.sleep(seconds)
        after, wall, now = [spent(pid) for pid in ids], time.perf_counter() - began, stub.counted()
        probes = now["requests"] - counted["requests"]
        each = [(late - early) / probes * 1e6 for late, early in zip(after, before, strict=True)]
        opened = now["connections"] - counted["connections"]
        return {
            "exporter": each[0], "prometheus": each[1], "both": sum(each), "rate": probes / wall,
            "opened": opened / probes, "mb": sum(resident(pid) for pid in ids),
            "stub": (now["cpu"] - counted["cpu"]) / probes * 1e6,
        }  # fmt: skip
