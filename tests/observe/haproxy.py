"""HAProxy, which is what OpenShift's router is, as the current user on free ports."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

MISSING = "haproxy is missing: install haproxy"

CONFIGURATION = """\
global
  maxconn 200
defaults
  mode http
  retries 0
  timeout connect 2s
  timeout client 10s
  timeout server {timeout}
  timeout http-request 10s
  errorfile 503 {folder}/503.http
frontend secure
  bind 127.0.0.1:{port} ssl crt {folder}/edge.pem
  default_backend predictor
frontend insecure
  bind 127.0.0.1:{insecure}
  http-request redirect scheme https
backend predictor
  server pod 127.0.0.1:{target} {encryption}
"""

PAGE_503 = """\
HTTP/1.0 503 Service Unavailable\r
Pragma: no-cache\r
Cache-Control: private, max-age=0, no-cache, no-store\r
Connection: close\r
Content-Type: text/html\r
\r
<html><body><h1>Application is not available</h1><p>The application is currently not serving requests at this endpoint.
</p></body></html>
"""
"""As OpenShift's router says it when no pod stands behind a Route."""


@dataclass(frozen=True, slots=True)
class Router:
    """Where it listens."""

    port: int
    insecure: int

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.port}"


def program() -> str:
    """The absolute path of haproxy."""
    found = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin")
    if not found:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def routing(
    to: int, edge: trustme.LeafCert, *, reencrypt: trustme.CA | None = None, name: str = "", timeout: str = "10s"
) -> Iterator[Router]:
    """A router before one server on this machine.

    Args:
        to: the server's port.
        edge: the certificate that the router shows.
        reencrypt: whom it trusts for the server, which is asked by TLS then; without one it is asked in clear.
        name: that the server's certificate has to be for.
        timeout: how long it waits for an answer, as HAProxy spells it.
    """
    found = program()
    with tempfile.TemporaryDirectory(prefix="hubctl-haproxy-") as folder_name:
        folder = Path(folder_name)
        edge.private_key_and_cert_chain_pem.write_to_path(str(folder / "edge.pem"))
        (folder / "503.http").write_text(PAGE_503)
        encryption = ""
        if reencrypt is not None:
            reencrypt.cert_pem.write_to_path(str(folder / "server-ca.pem"))
            encryption = f"ssl verify required ca-file {folder}/server-ca.pem verifyhost {name}"
        router = Router(free_port(), free_port())
        text = CONFIGURATION.format(
            folder=folder,
            port=router.port,
            insecure=router.insecure,
            target=to,
            timeout=timeout,
            encryption=encryption,
        )
        (folder / "haproxy.cfg").write_text(text)
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen([found, "-db", "-f", folder / "haproxy.cfg"], stdout=log, stderr=log)
            try:
                _wait(router, running, folder / "log")
                yield router
            finally:
                running.terminate()
                running.wait()


def _wait(router: Router, running: subprocess.Popen[bytes], log: Path) -> None:
    while running.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", router.insecure), timeout=1).close()
        except OSError:
            time.sleep(0.02)
        else:
            return
    pytest.fail(f"haproxy did not start: {log.read_text()}")
