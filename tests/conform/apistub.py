"""A small stand-in for an API server: answers as told, and remembers what it was asked."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Told = tuple[int, Any]
"""Status and body; a text is sent as it is."""


@dataclass(slots=True)
class Stub:
    """Answers by method and path; several for one path are given in order, the last for ever.

    Attributes:
        asked: method, path, query and body of every request.
    """

    answers: dict[str, list[Told]]
    address: str = ""
    asked: list[tuple[str, str, dict[str, list[str]], str]] = field(default_factory=list)

    def kubeconfig(self, folder: Path) -> Path:
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.address}}],
            "users": [{"name": "u", "user": {"token": "a-token"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "c",
        }
        (folder / "kubeconfig").write_text(yaml.safe_dump(content))
        return folder / "kubeconfig"

    def answer(self, method: str, path: str) -> Told:
        told = self.answers.get(f"{method} {path}")
        if not told:
            return 404, {"kind": "Status", "message": "the server could not find the requested resource"}
        return told.pop(0) if len(told) > 1 else told[0]


@contextmanager
def serving(answers: dict[str, Told | list[Told]]) -> Iterator[Stub]:
    """A stub that listens on the loopback; keys such as ``GET /apis/apps/v1``."""
    stub = Stub({key: told if isinstance(told, list) else [told] for key, told in answers.items()})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def reply(self) -> None:
            split = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0)).decode()
            stub.asked.append((self.command, split.path, parse_qs(split.query), body))
            status, said = stub.answer(self.command, split.path)
            data = (said if isinstance(said, str) else json.dumps(said)).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = reply  # noqa: N815 - names that the base class looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        stub.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield stub
        finally:
            server.shutdown()
            thread.join()
