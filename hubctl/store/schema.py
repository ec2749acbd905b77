"""Opens a store: makes it when there is none, moves it forward when it is old, refuses it when it is not sound.

A new SQLite file is built beside its place and linked there complete, so an empty file is always damage and is
never taken for a first start.
"""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import sqlalchemy as sa
from sqlalchemy import exc

from hubctl.errors import InputError, StoreUnavailable
from hubctl.store import database, tables
from hubctl.store.cases import Cases
from hubctl.store.database import Database
from hubctl.store.growth import Growth
from hubctl.store.inventories import Inventories
from hubctl.store.journal import Journal
from hubctl.store.pauses import Pauses
from hubctl.store.records import Size
from hubctl.store.remedies import Remedies
from hubctl.store.terms import Terms
from hubctl.store.transitions import Transitions
from hubctl.store.witnesses import Witnesses

_ADVISORY_LOCK = 0x68756263746C
"""``hubctl`` in ASCII: two processes that open one PostgreSQL database migrate it in turn."""


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that hubctl remembers, by topic; calls are synchronous and short.

    Attributes:
        journal: passes and the memory of predictors.
        cases: incidents, their evidence and the decisions about them.
        remedies: remediations.
        pauses: what people hold back.
        terms: who writes.
        witnesses: what the hub's own objects say of spokes.
        inventories: the spokes that the hub names.
        transitions: what became of predictors.
        growth: how much all of it is.
    """

    database: Database
    journal: Journal
    cases: Cases
    remedies: Remedies
    pauses: Pauses
    terms: Terms
    witnesses: Witnesses
    inventories: Inventories
    transitions: Transitions
    growth: Growth

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is saved inside is committed together at the end, or not at all; do not await inside.

        Raises:
            StoreUnavailable: the commit failed.
        """
        with self.database.transaction():
            yield

    def size(self) -> Size:
        """Bytes and rows, for ``hubctl doctor``.

        Raises:
            StoreUnavailable: the database failed.
        """
        with self.database.reading() as connection:
            rows = {
                table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
                for table in tables.METADATA.sorted_tables
            }
        return Size(self.bytes(), rows)

    def bytes(self) -> int:
        """Bytes on disk, the log included; counts no rows, so that each pass can ask.

        Raises:
            StoreUnavailable: the database failed.
        """
        if (path := _file(self.database.url)) is not None:
            try:
                return sum(part.stat().st_size for part in (path, _log(path)) if part.exists())
            except OSError as error:
                raise _no_access(path, error) from error
        with self.database.reading() as connection:
            held = connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
        return int(held)

    def check(self) -> None:
        """Read every page of a SQLite file; PostgreSQL checks its own.

        Raises:
            StoreUnavailable: the file is damaged.
        """
        if self.database.dialect != "sqlite":
            return
        with self.database.reading() as connection:
            found = connection.execute(sa.text("PRAGMA quick_check(1)")).scalar_one()
        if found != "ok":
            raise StoreUnavailable(f"the store is damaged: {found}", where=self.database.where, hint=database.RESTORE)

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_store(url: str) -> Store:
    """The store at a SQLAlchemy URL, at this release's revision.

    Raises:
        InputError: the URL names neither a SQLite file nor a PostgreSQL database.
        StoreUnavailable: it cannot be opened, is damaged, or a newer hubctl wrote it.
    """
    parsed = _parsed(url)
    path = _file(parsed)
    if path is not None and not _present(path):
        _create(path)
    opened = Database(parsed)
    try:
        _settle(opened, may_be_new=path is None)
    except StoreUnavailable:
        opened.close()
        raise
    doors = Pauses(opened), Terms(opened), Witnesses(opened), Inventories(opened), Transitions(opened), Growth(opened)
    return Store(opened, Journal(opened), Cases(opened), Remedies(opened), *doors)


def _parsed(url: str) -> sa.URL:
    expected = "use sqlite:////path/to/hubctl.db or postgresql+psycopg://user@host/name"
    try:
        parsed = sa.make_url(url)
    except exc.ArgumentError as error:
        raise InputError("the store's URL cannot be read", hint=expected) from error
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise InputError(f"the store's URL is for {backend}, expected sqlite or postgresql", hint=expected)
    if backend == "sqlite" and (parsed.database or ":memory:").startswith((":memory:", "file:")):
        raise InputError(f"the store's URL {database.shown(parsed)} names no file", hint=expected)
    return parsed


def _file(url: sa.URL) -> Path | None:
    return Path(url.database or "") if url.get_backend_name() == "sqlite" else None


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _present(path: Path) -> bool:
    """Whether a store is there; one that is there but cannot be one is refused, not replaced."""
    where = str(path)
    try:
        if path.is_dir():
            raise StoreUnavailable(
                f"{path.name} is a folder, expected a SQLite file", where=where, hint="check the path, or move it away"
            )
        if not path.exists():
            if _log(path).exists():
                raise StoreUnavailable(
                    f"the store is missing, but its log {_log(path).name} is there", where=where, hint=database.RESTORE
                )
            return False
        if path.stat().st_size == 0:
            raise StoreUnavailable(f"the store {path.name} is an empty file", where=where, hint=database.RESTORE)
    except OSError as error:
        raise _no_access(path, error) from error
    return True


def _create(path: Path) -> None:
    """Build a store and link it to its place; if another process was faster, its store is used."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as folder:
            made = Path(folder) / path.name
            fresh = Database(sa.URL.create("sqlite", database=str(made)))
            try:
                _settle(fresh, may_be_new=True)
            finally:
                fresh.close()
            # Details of failures may name addresses that not every user of the machine should see.
            made.chmod(0o600)
            if not path.exists():
                _link(made, path)
    except OSError as error:
        raise _no_access(path, error) from error


def _link(made: Path, path: Path) -> None:
    try:
        path.hardlink_to(made)
    except FileExistsError:
        return
    # The link itself must be on the disk before an intent is: else a crash leaves a folder without a store.
    handle = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _no_access(path: Path, error: OSError) -> StoreUnavailable:
    return StoreUnavailable(
        f"the store cannot be reached: {error.strerror or error}",
        where=str(path),
        hint="check that the folder can be made and written by this user and that its disk has space and hard links",
    )


def _settle(opened: Database, *, may_be_new: bool) -> None:
    """Bring the tables to this release's revision."""
    # Most openings end here, without the writer's lock and without Alembic.
    with opened.reading() as connection:
        current = _revision(connection)
    if current == tables.REVISION:
        return
    with opened.writing() as connection:
        if opened.dialect == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_ADVISORY_LOCK)))
        current = _revision(connection)
        if current is None and not may_be_new:
            raise StoreUnavailable(
                "the file holds no hubctl store", where=opened.where, hint=f"check the path; or {database.RESTORE}"
            )
        if current != tables.REVISION:
            from hubctl.store import migrations  # noqa: PLC0415 - Alembic costs as much to import as all the rest

            migrations.upgrade(connection, current)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table(tables.VERSION_TABLE):
        return None
    number = sa.column("version_num", sa.String)
    return connection.execute(sa.select(number).select_from(sa.table(tables.VERSION_TABLE))).scalar()
