"""Model servers whose answers a test steers: real sockets, KServe's V1 protocol, one listener a spoke.

They stand in for KServe where a test needs faults or speed; ``test_e2e_servers.py`` holds them against a real server.
"""

import asyncio
import contextlib
import json
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

T = TypeVar("T")
Fault = Literal["missing", "malformed", "slow", "denied", "not-ready", "broken", "words"]
BAD_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back, after a pause."""

    status: int
    body: bytes
    pause: float = 0.0


def as_json(status: int, value: object, pause: float = 0.0) -> Answer:
    return Answer(status, json.dumps(value).encode(), pause)


class Loop:
    """One event loop in a thread of its own, for every listener of the test run."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="predictors", daemon=True)
        self._thread.start()

    def do(self, work: Coroutine[Any, Any, T], seconds: float = 20) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=seconds)

    def close(self) -> None:
        for listener in self.listeners:
            listener.close()  # Those of a world that a failed test left open.
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=20)
        self._loop.close()


@dataclass
class Listener:
    """Listens on a free port of 127.0.0.1; can be closed and opened again on the same port."""

    loop: Loop
    answer: Callable[[Asked], Answer]
    asked: list[Asked] = field(default_factory=list)
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def open(self) -> None:
        self.loop.listeners.append(self)
        self.loop.do(self._open())

    def close(self) -> None:
        self.loop.do(self._close())

    async def _open(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, path, _ = head[0].split(" ")
            headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in head[1:] if line)}
            asked = Asked(method, path, headers, await reader.readexactly(int(headers.get("content-length", 0))))
            self.asked.append(asked)
            made = self.answer(asked)
            await asyncio.sleep(made.pause)
            kind = f"content-type: application/json\r\ncontent-length: {len(made.body)}\r\n"
            writer.write(f"HTTP/1.1 {made.status} X\r\nserver: uvicorn\r\n{kind}\r\n".encode() + made.body)
            await writer.drain()


Key = tuple[str, str]
"""A spoke and a model."""


@dataclass
class Predictors:
    """The model servers of a fleet.

    Attributes:
        serving: the version that a spoke serves of a model; a model that is not here does not exist there.
        bad: model and version that call most rows anomalous, wherever they run.
        ill: spokes whose own rows are anomalous, whatever the version.
        faults: what is wrong with one predictor.
    """

    loop: Loop
    spokes: tuple[str, ...]
    serving: dict[Key, str] = field(default_factory=dict)
    bad: set[Key] = field(default_factory=set)
    ill: set[str] = field(default_factory=set)
    faults: dict[Key, Fault] = field(default_factory=dict)
    listeners: dict[str, Listener] = field(default_factory=dict)

    def open(self) -> None:
        for spoke in self.spokes:
            self.listeners[spoke] = Listener(self.loop, lambda asked, spoke=spoke: self.answer(spoke, asked))  # type: ignore[misc]
            self.listeners[spoke].open()

    def close(self) -> None:
        for listener in self.listeners.values():
            listener.close()

    def down(self, *spokes: str) -> None:
        """Nothing listens there any more."""
        for spoke in spokes:
            self.listeners[spoke].close()

    def up(self, *spokes: str) -> None:
        for spoke in spokes:
            self.listeners[spoke].open()

    def polls(self, spoke: str, model: str) -> int:
        """How often a predictor was asked."""
        return sum(f"/models/{model}:predict" in asked.path for asked in self.listeners[spoke].asked)

    def answer(self, spoke: str, asked: Asked) -> Answer:
        model = asked.path.rpartition("/")[2].removesuffix(":predict")
        version = self.serving.get((spoke, model))
        fault = self.faults.get((spoke, model))
        if version is None or fault == "missing":
            return as_json(404, {"error": f"Model with name {model} does not exist."})
        if fault is not None:
            return _faulty(fault, model, asked)
        if asked.method == "GET":
            return as_json(200, {"name": model, "ready": True})
        rows = len(asked.json["instances"])
        bad = round(rows * BAD_SHARE) if (model, version) in self.bad or spoke in self.ill else 0
        return as_json(200, {"predictions": [-1] * bad + [1] * (rows - bad)})


def _faulty(fault: Fault, model: str, asked: Asked) -> Answer:
    """What a predictor with that fault sends; two of them echo what they were sent, as some proxies do."""
    answers = {
        "malformed": Answer(200, b'{"predictions": [1, -1'),
        "slow": as_json(200, {"predictions": []}, pause=8.0),
        "denied": as_json(401, {"error": "not for you", "headers": asked.headers}),
        "not-ready": as_json(503, {"error": f"Model with name {model} is not ready."}),
        "broken": as_json(500, {"error": f"cannot handle {asked.headers}"}),
        "words": as_json(200, {"predictions": ["bad", "worse"]}),
    }
    return answers[fault]
