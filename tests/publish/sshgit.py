"""A real sshd as the current user, on a free port, with keys of its own."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.publish.remotes import needs

MISSING = "sshd is missing or cannot run: install openssh-server; as root it needs the folder /run/sshd as well"

SETTINGS = """\
ListenAddress 127.0.0.1:{port}
HostKey "{folder}/host"
AuthorizedKeysFile "{folder}/authorized"
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
LogLevel VERBOSE
"""


@dataclass(frozen=True, slots=True)
class SshGit:
    """A server that runs.

    Attributes:
        folder: holds ``host``, the server's key; ``key``, which may come in, and ``known``, the server's line.
    """

    folder: Path
    port: int

    def url(self, repository: Path) -> str:
        return f"ssh://{pwd.getpwuid(os.getuid()).pw_name}@127.0.0.1:{self.port}{repository}"

    def known(self, key: Path) -> str:
        """The line of a known_hosts file that says this server has that key."""
        return f"[127.0.0.1]:{self.port} {key.with_suffix('.pub').read_text()}"


def program() -> str:
    """The absolute path of sshd, as it wants to be called; empty where it cannot run."""
    found = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/local/sbin:/usr/sbin:/sbin") or ""
    prepared = os.getuid() != 0 or Path("/run/sshd").is_dir()
    return found if prepared else ""


def new_key(path: Path) -> Path:
    """An ed25519 key without passphrase, and its public half beside it."""
    needs("ssh-keygen", "openssh-client")
    made = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)]
    subprocess.run(made, check=True)
    return path


@contextmanager
def serving(folder: Path, port: int) -> Iterator[SshGit]:
    """Run sshd until the end of the block."""
    folder.mkdir()
    host, key = new_key(folder / "host"), new_key(folder / "key")
    (folder / "authorized").write_text(key.with_suffix(".pub").read_text())
    (folder / "config").write_text(SETTINGS.format(port=port, folder=folder))
    server = SshGit(folder, port)
    (folder / "known").write_text(server.known(host))
    log = folder / "log"
    with log.open("wb") as sink:
        process = subprocess.Popen([program(), "-D", "-e", "-f", str(folder / "config")], stderr=sink)
    try:
        for _ in range(250):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, log.read_text()
            time.sleep(0.02)
        yield server
    finally:
        process.terminate()
        process.wait()
