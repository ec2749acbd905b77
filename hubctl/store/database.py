"""The engine and its transactions; what a driver raises becomes a StoreUnavailable with a way out.

Apart from the statements, so that durability is set in one place: a commit that returned is on the disk.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from hubctl.errors import Fenced, InputError, StoreUnavailable
from hubctl.store import codec, tables

_BUSY_MS = 10_000
# synchronous is FULL: in WAL mode, NORMAL may lose the last commits on a power cut, and an intent is such a commit.
_PRAGMAS = (
    f"PRAGMA busy_timeout = {_BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
)
_ROUND_LOCK = 0x68756263746D
"""Beside the lock that migrations take: two processes that record a round do so in turn."""

RESTORE = "restore the file from a copy, or move it away to start empty; open incidents and approvals are then lost"
_HINTS = {
    "SQLITE_CORRUPT": RESTORE,
    "SQLITE_NOTADB": RESTORE,
    "SQLITE_FULL": "free some space on its disk, then run the command again",
    "SQLITE_IOERR": "check its disk: the system refused to read or write",
    "SQLITE_READONLY": "check that the file, its folder and its disk can be written by this user",
    "SQLITE_CANTOPEN": "check that the folder exists and can be written by this user",
    "SQLITE_PERM": "check that the file and its folder can be written by this user",
    "SQLITE_BUSY": "another process keeps it locked: wait for that pass to end, then run the command again",
}


def shown(url: sa.URL) -> str:
    """The URL for messages: no password, no parameters."""
    return url.set(query={}).render_as_string(hide_password=True)


def unavailable(error: exc.SQLAlchemyError | ValueError, where: str) -> StoreUnavailable:
    """What a driver raised, with a hint by its code."""
    driver = getattr(error, "orig", None) or error
    name = str(getattr(driver, "sqlite_errorname", ""))
    hints = (hint for prefix, hint in _HINTS.items() if name.startswith(prefix))
    first = next(iter(str(driver).splitlines()), "") or type(driver).__name__
    fallback = "check that the database is up and reachable, then run the command again"
    if isinstance(error, exc.IntegrityError):
        fallback = "another process wrote it first, or it points at what is not stored: run the command again"
    elif isinstance(error, ValueError):
        fallback = RESTORE
    return StoreUnavailable(f"the store failed: {first}", where=where, hint=next(hints, fallback))


def outlived(epoch: int, latest: int, holder: str) -> Fenced:
    """The refusal of a write by a leader whose time is over."""
    return Fenced(
        f"a leader of epoch {epoch} may write no more: {holder} leads with epoch {latest}",
        hint="nothing is lost: the pass of the new leader goes on from what is stored",
    )


class Database:
    """One engine; statements outside ``transaction`` commit one by one, those inside commit together.

    Attributes:
        epoch: of the term that writes here; None: nobody was elected, and nothing is refused.
    """

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.where = shown(url)
        self.epoch: int | None = None
        self._engine = _engine(url)
        # Of the task, not of the object: another task or thread must not slip into an open transaction.
        self._ambient: ContextVar[sa.Connection | None] = ContextVar("hubctl_store_transaction", default=None)

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self._engine.dialect.name

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is committed at the end, or nothing of it; an inner one joins the outer.

        Do not await inside: SQLite has one writer, and it is this block.

        Raises:
            StoreUnavailable: the commit failed.
        """
        if self._ambient.get() is not None:
            yield
            return
        with self._translated(exc.SQLAlchemyError), self._begun(write=True) as connection:
            token = self._ambient.set(connection)
            try:
                yield
            finally:
                self._ambient.reset(token)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection that does not wait for the writer.

        Raises:
            StoreUnavailable: the database failed, or holds what is not readable as a noun.
        """
        with self._joined(write=False) as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A connection that alone may write.

        Raises:
            StoreUnavailable: the database failed, or the value cannot be stored.
        """
        with self._joined(write=True) as connection:
            yield connection

    def queue(self, connection: sa.Connection) -> None:
        """Wait for the writers of rounds before this one, until the transaction ends; SQLite has one writer anyway."""
        if self.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ROUND_LOCK)))

    def close(self) -> None:
        """Close every connection; SQLite then folds its write-ahead log into the file."""
        self._engine.dispose()

    @contextmanager
    def _joined(self, *, write: bool) -> Iterator[sa.Connection]:
        ambient = self._ambient.get()
        with self._translated(exc.SQLAlchemyError, ValueError):
            if ambient is not None:
                yield ambient
                return
            with self._begun(write=write) as connection:
                yield connection

    @contextmanager
    def _begun(self, *, write: bool) -> Iterator[sa.Connection]:
        options: dict[str, Any] = {"hubctl_write": write}
        if not write and self.dialect == "postgresql":
            # What several statements read is of one moment, as it is on SQLite.
            options["isolation_level"] = "REPEATABLE READ"
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
            if write and self.epoch is not None:
                _refuse_older(connection, self.epoch)
            yield connection

    @contextmanager
    def _translated(self, *kinds: type[exc.SQLAlchemyError | ValueError]) -> Iterator[None]:
        try:
            yield
        except kinds as error:
            raise unavailable(error, self.where) from error


def _refuse_older(connection: sa.Connection, epoch: int) -> None:
    """Refuse a write of a term that a later one has followed.

    PostgreSQL keeps the row from being changed until this transaction ends; SQLite has one writer anyway.
    """
    latest = connection.execute(sa.select(tables.term).with_for_update(read=True)).first()
    if latest is not None and latest.epoch > epoch:
        raise outlived(epoch, latest.epoch, latest.holder)


def _engine(url: sa.URL) -> sa.Engine:
    try:
        engine = sa.create_engine(url, json_serializer=codec.dumps, json_deserializer=codec.loads)
    except (exc.ArgumentError, ImportError) as error:
        raise InputError(
            f"there is no driver for {shown(url)}: {error}", hint="install the driver, for PostgreSQL `psycopg[binary]`"
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # Python's own transaction handling would not begin one for reads and table changes.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma)


def _begin(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later cannot wait for its turn; one that says so at once can.
    write = connection.get_execution_options().get("hubctl_write")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
