"""etcd and kube-apiserver as processes of a test session: started on loopback, stopped without a trace.

RBAC is on and the only way in is a client certificate of a CA that dies with the session. There are no controllers, so
nothing happens to an object after it was accepted.
"""

import contextlib
import json
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import trustme

START_SECONDS = 120
"""Until ready, on a machine that does much else; 4 s on an idle one."""

STOP_SECONDS = 20

UNTIL_STDIN_ENDS = 'exec 3<&0; (cat <&3 >/dev/null; kill $$) & exec "$0" "$@" </dev/null 3<&-'
"""Runs a program that ends when its standard input does, so that it never outlives the tests, however they die."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [bound.getsockname()[1] for bound in sockets]


@contextlib.contextmanager
def running(programs: Path, folder: Path) -> Iterator[httpx.Client]:
    """Both programs, from ready to stopped.

    Args:
        programs: holds ``etcd`` and ``kube-apiserver``.
        folder: gets everything that they write.

    Yields:
        A client of the API server, in the group ``system:masters``.

    Raises:
        RuntimeError: a program ended or did not become ready; the end of its log is in the message.
    """
    authority = trustme.CA()
    _certificates(authority, folder)
    etcd_port, port = free_ports(2)
    etcd = [str(programs / "etcd"), *_etcd_flags(folder, etcd_port)]
    server = [str(programs / "kube-apiserver"), *_server_flags(folder, etcd_port, port)]
    trusted = ssl.create_default_context()
    authority.configure_trust(trusted)
    trusted.load_cert_chain(folder / "admin.pem")
    with (
        program(etcd, folder / "etcd.log") as store,
        program(server, folder / "kube-apiserver.log") as api,
        httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusted, trust_env=False, timeout=60) as client,
    ):
        _until_ready(client, {folder / "etcd.log": store, folder / "kube-apiserver.log": api})
        yield client


class Restartable:
    """Both programs, of which the API server may be stopped and started again at the same address."""

    def __init__(self, programs: Path, folder: Path, stack: contextlib.ExitStack) -> None:
        self.folder = folder
        self._programs = programs
        self._server = contextlib.ExitStack()
        authority = trustme.CA()
        _certificates(authority, folder)
        self._etcd_port, self._port = free_ports(2)
        etcd = [str(programs / "etcd"), *_etcd_flags(folder, self._etcd_port)]
        self._store = stack.enter_context(program(etcd, folder / "etcd.log"))
        trusted = ssl.create_default_context()
        authority.configure_trust(trusted)
        trusted.load_cert_chain(folder / "admin.pem")
        url = f"https://127.0.0.1:{self._port}"
        self.client = stack.enter_context(httpx.Client(base_url=url, verify=trusted, trust_env=False, timeout=60))
        stack.callback(self.stop)
        self.start()

    def start(self) -> None:
        """Starts the API server and waits until it is ready."""
        flags = _server_flags(self.folder, self._etcd_port, self._port)
        log = self.folder / "kube-apiserver.log"
        process = self._server.enter_context(program([str(self._programs / "kube-apiserver"), *flags], log))
        # Asked to end, it would first wait for the watches that go on.
        self._server.callback(process.kill)
        _until_ready(self.client, {self.folder / "etcd.log": self._store, log: process})

    def stop(self) -> None:
        """Ends the API server at once; what it stored stays."""
        self._server.close()


@contextlib.contextmanager
def restartable(programs: Path, folder: Path) -> Iterator[Restartable]:
    """Both programs, from ready to stopped."""
    with contextlib.ExitStack() as stack:
        yield Restartable(programs, folder, stack)


@contextlib.contextmanager
def program(
    command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program from start to stop, with both of its outputs in a file.

    Args:
        command: path and arguments.
        log: written anew.
        environment: whole; that of the tests when absent.
    """
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["sh", "-c", UNTIL_STDIN_ENDS, *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            yield process
        finally:
            assert process.stdin
            process.stdin.close()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def kubeconfig(folder: Path, client: httpx.Client) -> Path:
    """A file with the one context ``test``, which may do everything."""
    written = folder / "kubeconfig"
    cluster = {"server": str(client.base_url).rstrip("/"), "certificate-authority": str(folder / "ca.pem")}
    user = {"client-certificate": str(folder / "admin.pem"), "client-key": str(folder / "admin.pem")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "admin", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "current-context": "test",
    }
    written.write_text(json.dumps(content))
    return written


def _certificates(authority: trustme.CA, folder: Path) -> None:
    """``ca.pem``, and certificate with key in one file each: ``server.pem``, ``admin.pem``, ``guest.pem``."""
    authority.cert_pem.write_to_path(folder / "ca.pem")
    server = authority.issue_cert("127.0.0.1", common_name="server")
    # The name is not looked at, but a certificate without any is not taken.
    admin = authority.issue_cert("admin.invalid", common_name="admin", organization_name="system:masters")
    # Known by name, allowed nothing but what everybody is.
    guest = authority.issue_cert("guest.invalid", common_name="guest")
    for name, leaf in (("server", server), ("admin", admin), ("guest", guest)):
        leaf.private_key_and_cert_chain_pem.write_to_path(folder / f"{name}.pem")


def _etcd_flags(folder: Path, port: int) -> list[str]:
    url = f"https://127.0.0.1:{port}"
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        # A cluster of one has no peers; port 0 is any free one.
        "--listen-peer-urls=http://127.0.0.1:0",
        f"--cert-file={folder / 'server.pem'}",
        f"--key-file={folder / 'server.pem'}",
        f"--trusted-ca-file={folder / 'ca.pem'}",
        "--client-cert-auth",
        "--unsafe-no-fsync",
    ]


def _server_flags(folder: Path, etcd_port: int, port: int) -> list[str]:
    server, authority = folder / "server.pem", folder / "ca.pem"
    return [
        f"--etcd-servers=https://127.0.0.1:{etcd_port}",
        f"--etcd-cafile={authority}",
        f"--etcd-certfile={server}",
        f"--etcd-keyfile={server}",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={server}",
        f"--tls-private-key-file={server}",
        f"--cert-dir={folder / 'made'}",
        f"--client-ca-file={authority}",
        "--authorization-mode=RBAC",
        # Nobody calls the API from a pod, and loopback is no address for its Service.
        "--endpoint-reconciler-type=none",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={server}",
        f"--service-account-signing-key-file={server}",
    ]


def _until_ready(client: httpx.Client, programs: dict[Path, subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + START_SECONDS
    answer = "nothing yet"
    while time.monotonic() < until:
        for log, process in programs.items():
            if process.poll() is not None:
                raise RuntimeError(f"{log.stem} ended with {process.returncode}: {log.read_text()[-2000:]}")
        try:
            ready = client.get("/readyz")
        except httpx.TransportError as error:
            answer = str(error)
        else:
            if ready.status_code == httpx.codes.OK:
                return
            answer = ready.text
        time.sleep(0.1)
    raise RuntimeError(f"kube-apiserver was not ready within {START_SECONDS} s; it said: {answer}")
