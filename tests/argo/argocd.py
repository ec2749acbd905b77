"""Argo CD's own programs as processes of a test session, on loopback, flagged as its manifests do where it matters.

The repo-server and its Redis serve every test. The two controllers look at one namespace only, as in an installation,
so that each test can have an installation of its own.
"""

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.kube.apiserver import free_ports, program

START_SECONDS = 60
CACHED = "100ms"
"""How long a branch's tip is believed; three minutes in an installation. None would be for ever."""

RESYNC_SECONDS = 3
"""Between two looks at an Application, where nothing tells of a change; 120 in an installation."""


def kubeconfig(server: str, folder: Path) -> Path:
    """A file that lets a program in as the administrator of an API server.

    Args:
        server: its URL.
        folder: holds what ``apiserver.running`` wrote.
    """
    credentials = {"client-certificate": str(folder / "admin.pem"), "client-key": str(folder / "admin.pem")}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority": str(folder / "ca.pem")}}],
        "users": [{"name": "it", "user": credentials}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        "current-context": "it",
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(config))
    return path


@dataclass(frozen=True, slots=True)
class Servers:
    """What every installation shares.

    Attributes:
        programs: folder with Argo CD under each of its names.
        folder: gets the logs.
        environment: for every program; nothing of the person who runs the tests.
    """

    programs: Path
    folder: Path
    environment: Mapping[str, str]
    redis: str
    repositories: str

    @contextlib.contextmanager
    def applicationsets(self, config: Path, namespace: str) -> Iterator[Path]:
        """The applicationset-controller of a namespace, ready; its log."""
        ports = free_ports(3)
        flags = [f"--{name}-addr=127.0.0.1:{port}" for name, port in zip(_LISTENERS, ports, strict=True)]
        flags += [f"--argocd-repo-server={self.repositories}", f"--namespace={namespace}", "--loglevel=debug"]
        with self._started("applicationset-controller", flags, ports[0], config=config, suffix=namespace) as log:
            yield log

    @contextlib.contextmanager
    def applications(self, config: Path, namespace: str) -> Iterator[Path]:
        """The application-controller of a namespace, ready; its log."""
        # Its metrics are the one thing that listens on every address: there is no flag against that.
        (port,) = free_ports(1)
        flags = [
            f"--metrics-port={port}",
            f"--redis={self.redis}",
            f"--repo-server={self.repositories}",
            f"--namespace={namespace}",
            f"--app-resync={RESYNC_SECONDS}",
            "--app-resync-jitter=0",
        ]
        with self._started("application-controller", flags, port, config=config, suffix=namespace) as log:
            yield log

    @contextlib.contextmanager
    def _started(self, name: str, flags: list[str], port: int, *, config: Path, suffix: str) -> Iterator[Path]:
        log = self.folder / f"{name}-{suffix}.log"
        environment = {**self.environment, "KUBECONFIG": str(config)}
        with program([str(self.programs / f"argocd-{name}"), *flags], log, environment) as process:
            until_open(port, process, log)
            yield log


@contextlib.contextmanager
def running(programs: Path, folder: Path, authority: bytes) -> Iterator[Servers]:
    """Redis and the repo-server, from ready to stopped.

    Args:
        programs: what ``build.sh`` makes.
        folder: gets everything that the programs write.
        authority: certificate of who vouches for the Git server on 127.0.0.1, in PEM.
    """
    for name in ("tls", "ssh", "tmp"):
        (folder / name).mkdir()
    # Where Argo CD mounts its ConfigMap of certificates: a file is named after the host.
    (folder / "tls" / "127.0.0.1").write_bytes(authority)
    redis, port, metrics = free_ports(3)
    servers = Servers(programs, folder, _environment(programs, folder), f"127.0.0.1:{redis}", f"127.0.0.1:{port}")
    flags = [
        "--address=127.0.0.1",
        f"--port={port}",
        "--metrics-address=127.0.0.1",
        f"--metrics-port={metrics}",
        f"--redis={servers.redis}",
        f"--revision-cache-expiration={CACHED}",
    ]
    redis_log, log = folder / "redis.log", folder / "repo-server.log"
    with (
        program([str(programs / "redis"), servers.redis], redis_log, servers.environment) as cache,
        program([str(programs / "argocd-repo-server"), *flags], log, servers.environment) as server,
    ):
        until_open(redis, cache, redis_log)
        until_open(port, server, log)
        yield servers


def until_open(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Waits until something listens.

    Raises:
        RuntimeError: the program ended or did not listen in time; the end of its log is in the message.
    """
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"{log.stem} does not listen: {log.read_text()[-2000:]}")


_LISTENERS = ("probe", "metrics", "webhook")


def _environment(programs: Path, folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "TMPDIR": str(folder / "tmp"),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "ARGOCD_TLS_DATA_PATH": str(folder / "tls"),
        "ARGOCD_SSH_DATA_PATH": str(folder / "ssh"),
        "ARGOCD_GPG_ENABLED": "false",
        # A socket's path is short: not below a deep folder.
        "ARGOCD_ASK_PASS_SOCK": str(folder / "ask-pass"),
    }
