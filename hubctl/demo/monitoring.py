"""The demo's monitoring: a real Prometheus on this machine, and the exporter of the spokes' metrics that it scrapes.

A minute of the generator is a second here, or nobody would wait for the end of the story. Prometheus ends with the
process that started it, however that ends: it runs under a shell whose standard input only that process holds.
"""

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self

from hubctl.demo import generator, servers
from hubctl.errors import RemoteFailed

ROWS = 3
"""Newest seconds that make a row each."""

DELAY = 1
"""Seconds that windows end ago."""

SETTLES = 5 + ROWS + DELAY + 1
"""Scrapes after which a window holds nothing of before: five seconds lie behind a row."""

_STARTUP = 30.0
_LOOK = 0.1
_PATIENCE = 600
"""Looks at the exporter until it is given up: a minute."""

_GRACE = 5.0
_CONFIGURATION = """\
global:
  scrape_interval: 1s
  scrape_timeout: 900ms
scrape_configs:
  - job_name: demo
    honor_labels: true
    static_configs:
      - targets: ["127.0.0.1:{port}"]
"""
_UNTIL_INPUT_ENDS = '"$@" & pid=$!; trap "kill $pid" TERM; cat >/dev/null; kill $pid; wait $pid'
_DERIVE = ["value", "mean 5s", "std 5s", "min 5s", "max 5s", "lag 1s", "lag 5s", "diff 1s", "pct_change 1s"]


def program() -> str | None:
    """Where Prometheus is, or None when it is not installed."""
    return shutil.which("prometheus")


def recipe(model: str) -> dict[str, Any]:
    """The features of a model as its values say them."""
    derive = _DERIVE if model == "anomaly-detector" else ["value"]
    metrics = [
        {"name": metric.name, "query": f"avg by ($cluster) (demo_{metric.name}{{$selector}})", "derive": derive}
        for metric in generator.METRICS[model]
    ]
    return {"prometheus": {"step": "1s", "rows": ROWS, "metrics": metrics}}


class Exporter:
    """The metrics of every spoke, a step further with each scrape."""

    def __init__(self, keys: Iterable[tuple[str, str]], *, seed: int) -> None:
        """Take cluster and model of each predictor; nothing listens yet."""
        self._states = {
            (cluster, metric.name): generator.State(metric, seed=f"{cluster}/{metric.name}/{seed}")
            for cluster, model in keys
            for metric in generator.METRICS[model]
        }
        self._lock = Lock()
        self._broken: frozenset[str] = frozenset()
        self._since = 0

    def set_broken(self, clusters: Iterable[str]) -> None:
        """Say whose nodes are broken from the next scrape on."""
        with self._lock:
            if (broken := frozenset(clusters)) != self._broken:
                self._broken, self._since = broken, 0

    @property
    def since(self) -> int:
        """Scrapes since nodes last broke or were repaired."""
        return self._since

    def exposition(self) -> str:
        """The next step of every series, in Prometheus' text format."""
        with self._lock:
            self._since += 1
            return "".join(
                f'demo_{name}{{cluster="{cluster}"}} {state.step(broken=cluster in self._broken):.6f}\n'
                for (cluster, name), state in sorted(self._states.items(), key=lambda item: item[0][::-1])
            )


class Monitoring:
    """An async context: exporter and Prometheus run while it is entered.

    Attributes:
        url: of Prometheus.
    """

    def __init__(self, found: str, folder: Path, keys: Iterable[tuple[str, str]], *, seed: int = 7) -> None:
        """Take the program, where it keeps its data, and whose metrics there are; nothing runs yet."""
        self._program = found
        self._folder = folder
        self.exporter = exporter = Exporter(keys, seed=seed)

        class Handler(BaseHTTPRequestHandler):
            """Answers every path with the metrics."""

            def do_GET(self) -> None:
                """Make a step."""
                body = exporter.exposition().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing."""

        self._server = ThreadingHTTPServer((servers.HOST, 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._process: asyncio.subprocess.Process | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        self._thread.start()
        async with contextlib.AsyncExitStack() as unless_it_answers:
            unless_it_answers.push_async_callback(self._close)
            port = servers.free_ports(1)[0]
            self.url = f"http://{servers.HOST}:{port}"
            await self._start(port)
            unless_it_answers.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._close()

    async def settled(self) -> None:
        """Wait until windows hold nothing of before nodes last broke or were repaired.

        Raises:
            RemoteFailed: Prometheus no longer scrapes.
        """
        for _ in range(_PATIENCE):
            if self.exporter.since >= SETTLES:
                return
            await asyncio.sleep(_LOOK)
        raise self._failed("no longer scrapes")

    async def _start(self, port: int) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        configuration = self._folder / "prometheus.yml"
        configuration.write_text(_CONFIGURATION.format(port=self._server.server_port))
        flags: Mapping[str, object] = {
            "config.file": configuration,
            "storage.tsdb.path": self._folder / "data",
            "web.listen-address": f"{servers.HOST}:{port}",
            "log.level": "warn",
        }
        with (self._folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                "sh", "-c", _UNTIL_INPUT_ENDS, "sh", self._program, *(f"--{key}={word}" for key, word in flags.items()),
                stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            await asyncio.wait_for(servers.until_ok(f"{self.url}/-/ready"), _STARTUP)
        except TimeoutError as late:
            raise self._failed(f"did not start within {_STARTUP:.0f} s") from late

    async def _close(self) -> None:
        if (process := self._process) is not None:
            if process.stdin is not None:
                process.stdin.close()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), _GRACE)
            # Its group, so that nothing stays behind whatever the shell did.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        await asyncio.to_thread(self._server.shutdown)
        self._server.server_close()

    def _failed(self, what: str) -> RemoteFailed:
        log = self._folder / "log"
        return RemoteFailed(f"Prometheus {what}; its log ends with: {servers.tail_of(log)}", hint=f"look into {log}")
