"""A real PostgreSQL server of the tests' own: on a Unix socket in a folder of its own, gone when they are."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from hubctl.store.schema import open_store

_TEMPLATE = "hubctl_template"


@dataclass(frozen=True)
class Server:
    """A server that runs.

    Attributes:
        folder: of its socket.
    """

    folder: Path
    _numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://postgres@/{name}?host={self.folder}"

    @contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """The URL of a database of one's own: a new store, or nothing at all."""
        name = f"test{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE if migrated else 'template0'}")
        yield self.url(name)
        self.run(f"DROP DATABASE {name} WITH (FORCE)")

    def run(self, statement: str, name: str = "postgres") -> None:
        engine = sa.create_engine(self.url(name), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()


@contextmanager
def running() -> Iterator[Server]:
    """A server; where there is none, tests fail in CI and are skipped elsewhere."""
    programs = _programs()
    if programs is None:
        missing = (
            "no PostgreSQL server is installed; on Debian: apt-get install postgresql, or tests/install-servers.sh"
        )
        (pytest.fail if os.environ.get("CI") else pytest.skip)(missing)
    # The name of a socket may have 107 bytes only: too few for pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="hubctl-pg-", ignore_cleanup_errors=True) as made:
        folder, user = Path(made), _user()
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = folder / "data"
        initdb = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "-N"]
        _run(initdb, folder, user)
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=50"
        control = [programs / "pg_ctl", "-D", data, "-l", folder / "log"]
        _run([*control, "-w", "-o", options, "start"], folder, user)
        try:
            server = Server(folder)
            server.run(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
            open_store(server.url(_TEMPLATE)).close()
            yield server
        finally:
            _run([*control, "-m", "immediate", "stop"], folder, user)


def _programs() -> Path | None:
    """The folder of the newest server: Debian keeps each version's apart, others have it on the path."""
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    found = kept[-1] if kept else shutil.which("initdb")
    return Path(found).parent if found else None


def _user() -> pwd.struct_passwd | None:
    """Whom the server runs as; None: as whoever runs the tests. It refuses to be root."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _run(command: list[object], folder: Path, user: pwd.struct_passwd | None) -> None:
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    with (folder / "said").open("w+b") as said:
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            stdout=said,
            stderr=said,
            check=False,
            **who,  # type: ignore[call-overload]
        )
        said.seek(0)
        assert done.returncode == 0, said.read().decode(errors="replace")
