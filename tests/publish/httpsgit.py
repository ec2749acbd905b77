"""A real ``git http-backend`` behind a small HTTPS server that asks for a user and a password."""

import base64
import gzip
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme


@dataclass
class HttpsGit:
    """What is served, to whom, and what was seen.

    Attributes:
        root: folder of the repositories.
        seen: ``Authorization`` headers as they came, empty texts for requests without one.
        moved_to: another server's address that every request is sent to.
    """

    root: Path
    user: str = "robot"
    password: str = "s3cret-4711"
    port: int = 0
    seen: list[str] = field(default_factory=list)
    moved_to: str = ""
    talks: bool = False

    def url(self, name: str = "remote.git") -> str:
        return f"https://127.0.0.1:{self.port}/{name}"

    @property
    def expected(self) -> str:
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()


class Server(ThreadingHTTPServer):
    """Leaves a client that hangs up in the handshake alone."""

    daemon_threads = True

    def shutdown_request(self, request: Any) -> None:
        """End TLS properly; GnuTLS takes a plain end for an attack."""
        with suppress(OSError, ValueError):
            request.unwrap()
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Silence; the client has said what it thinks."""


class Bridge(BaseHTTPRequestHandler):
    """RFC 3875 in as few words as git needs."""

    state: HttpsGit

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.body())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class says so
        """Silence."""

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, body: bytes) -> None:
        given = self.headers.get("Authorization", "")
        self.state.seen.append(given)
        if self.state.moved_to:
            self.give(302, [("Location", self.state.moved_to + self.path)], b"")
        elif given != self.state.expected:
            # A server that repeats what it was sent, as some debug pages do.
            sent = base64.b64decode(given.removeprefix("Basic ")) if self.state.talks else b""
            head = [("WWW-Authenticate", 'Basic realm="git"'), ("Content-Type", "text/plain")]
            self.give(401, head, b"no entry for %s %s" % (sent, given.encode()))
        else:
            self.bridge(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)

    def give(self, status: int, head: list[tuple[str, str]], body: bytes) -> None:
        self.send_response(status)
        for name, value in [*head, ("Content-Length", str(len(body)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def bridge(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        environ = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.state.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": self.state.user,
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(["git", "http-backend"], input=body, env=environ, capture_output=True, check=True)
        head, _, rest = done.stdout.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
        status = next((int(value.split()[0]) for name, value in lines if name == "Status"), 200)
        self.give(status, [(name, value) for name, value in lines if name != "Status"], rest)


@contextmanager
def serving(root: Path, authority: trustme.CA) -> Iterator[HttpsGit]:
    """Serve the repositories below ``root`` until the end of the block."""
    state = HttpsGit(root)
    server = Server(("127.0.0.1", 0), type("Bound", (Bridge,), {"state": state}))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
