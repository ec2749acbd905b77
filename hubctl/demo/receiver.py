"""The demo's webhook: a small HTTP server that keeps what it is told, in place of a chat or pager."""

import asyncio
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Any, Self

_MOST = 1_048_576


class Receiver:
    """An async context: listens on 127.0.0.1 while it is entered.

    Attributes:
        url: where to post.
    """

    def __init__(self) -> None:
        self._heard: SimpleQueue[dict[str, Any]] = SimpleQueue()
        heard = self._heard

        class Handler(BaseHTTPRequestHandler):
            """Takes POST of JSON."""

            def do_POST(self) -> None:
                """Keep the body and say so."""
                body = self.rfile.read(min(int(self.headers.get("Content-Length", 0)), _MOST))
                heard.put(json.loads(body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Say nothing: the story tells what was heard."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def take(self) -> list[dict[str, Any]]:
        """What was heard since the last time."""
        return [self._heard.get() for _ in range(self._heard.qsize())]

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._server.shutdown)
        self._server.server_close()
