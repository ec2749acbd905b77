"""A predictor that misbehaves on demand: one real asyncio server, one script of bytes per connection."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

Behave = Callable[["Exchange"], Awaitable[None]]


@dataclass
class Exchange:
    """One request as it arrived, and the way back."""

    line: str
    headers: dict[str, str]
    body: bytes
    writer: asyncio.StreamWriter

    @property
    def path(self) -> str:
        return self.line.split(" ")[1]

    @property
    def rows(self) -> int:
        return len(json.loads(self.body)["instances"])

    async def send(self, status: int, body: bytes, kind: str = "application/json", extra: str = "") -> None:
        head = f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        self.writer.write(head.encode() + body)
        await self.writer.drain()


async def normal(exchange: Exchange) -> None:
    """Answers 1 to every row, and that every model is ready."""
    if exchange.line.startswith("GET"):
        await exchange.send(200, json.dumps({"name": exchange.path.rpartition("/")[2], "ready": True}).encode())
    else:
        await exchange.send(200, json.dumps({"predictions": [1] * exchange.rows}).encode())


def fixed(status: int, body: bytes, kind: str = "application/json", extra: str = "") -> Behave:
    """Always the same answer."""

    async def behave(exchange: Exchange) -> None:
        await exchange.send(status, body, kind, extra)

    return behave


@dataclass
class FaultServer:
    """Listens on a free port of 127.0.0.1 and remembers what came."""

    behave: Behave = normal
    tls: ssl.SSLContext | None = None
    seen: list[Exchange] = field(default_factory=list)
    connections: int = 0
    under_way: int = 0
    most_under_way: int = 0
    port: int = 0
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._converse(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in head[1:] if line)}
            body = await reader.readexactly(int(headers.get("content-length", 0)))
            exchange = Exchange(head[0], headers, body, writer)
            self.seen.append(exchange)
            self.under_way += 1
            self.most_under_way = max(self.most_under_way, self.under_way)
            try:
                await self.behave(exchange)
            finally:
                self.under_way -= 1
