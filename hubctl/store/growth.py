"""Growth: how much the store holds, table by table, how fast that grows and what it comes to.

Apart from what is stored: nobody but ``hubctl status --storage`` asks, and it may take a while in a large store.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from hubctl.model.keeping import Keep
from hubctl.store import tables
from hubctl.store.database import Database
from hubctl.store.journal import PASSES_KEPT
from hubctl.store.records import Part

_DAY = timedelta(days=1)
_TIMES = {
    "round": "at", "transition": "at", "good_version": "at", "evidence": "at", "testimony": "at",
    "decision": "at", "incident": "created_at", "remediation": "created_at", "pause": "created_at", "pass": "began_at",
}  # fmt: skip
"""When a row of a table was made; rows of the others are replaced."""


class Growth:
    """What the store holds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def parts(self, keep: Keep, now: datetime) -> tuple[Part, ...]:
        """Every table, largest first; the growth is that of the last day, or of the time since the oldest row.

        Raises:
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            sizes = _sizes(connection)
            found = [_part(connection, table, sizes[table.name], keep, now) for table in tables.METADATA.sorted_tables]
        return tuple(sorted(found, key=lambda part: (-part.bytes, part.table)))


def _sizes(connection: sa.Connection) -> dict[str, int]:
    """Bytes by table, its indexes included."""
    if connection.dialect.name == "postgresql":
        size = sa.text("SELECT pg_total_relation_size(to_regclass(quote_ident(:name)))")
        names = list(tables.METADATA.tables)
        return {name: int(connection.execute(size, {"name": name}).scalar_one() or 0) for name in names}
    pages = sa.text(
        "SELECT m.tbl_name, SUM(s.pgsize) FROM dbstat s JOIN sqlite_master m ON m.name = s.name "
        "WHERE s.aggregate = TRUE GROUP BY m.tbl_name"
    )
    held = {name: int(size) for name, size in connection.execute(pages)}
    return {name: held.get(name, 0) for name in tables.METADATA.tables}


def _part(connection: sa.Connection, table: sa.Table, size: int, keep: Keep, now: datetime) -> Part:
    every = sa.select(sa.func.count()).select_from(table)
    rows = int(connection.execute(every).scalar_one())
    if table.name not in _TIMES or not rows:
        return Part(table.name, size, rows, at_end=size if table.name not in _TIMES else None)
    made = table.c[_TIMES[table.name]]
    oldest, newest = connection.execute(sa.select(sa.func.min(made), sa.func.max(made))).one()
    since = max(now - _DAY, oldest)
    lately = int(connection.execute(every.where(made >= since)).scalar_one())
    # A store of one moment has no pace yet.
    days = (max(newest, now) - since) / _DAY
    written = size / rows * lately / days if days > 0 and (lately > 1 or oldest < since) else 0.0
    at_end = _at_end(table.name, size / rows, written, keep)
    full = at_end is not None and size >= at_end * 0.9
    return Part(table.name, size, rows, oldest, newest, int(written), 0 if full else int(written), at_end)


def _at_end(table: str, of_one: float, written: float, keep: Keep) -> int | None:
    """Bytes when as much is deleted as comes; None where nothing is deleted."""
    if table == "round":
        return int(of_one * keep.rounds)
    if table == "pass":
        return int(of_one * PASSES_KEPT)
    return int(written * (timedelta(seconds=keep.transitions) / _DAY)) if table == "transition" else None
