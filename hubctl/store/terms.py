"""Terms: which leader wrote last. Writes of an earlier one are refused from then on, whatever it believes.

Apart from the journal, because this is about who writes, not about what.
"""

from datetime import datetime

import sqlalchemy as sa

from hubctl.store import documents, tables
from hubctl.store.database import Database, outlived
from hubctl.store.records import TermRecord

_ONE = 1


class Terms:
    """The latest term of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self) -> TermRecord | None:
        """The latest term; None while there was none.

        Raises:
            StoreUnavailable: the database failed.
        """
        columns = (tables.term.c.epoch, tables.term.c.holder, tables.term.c.since)
        with self._database.reading() as connection:
            found = documents.rows(connection, TermRecord, sa.select(*columns))
        return found[0] if found else None

    def enter(self, epoch: int, holder: str, now: datetime) -> None:
        """Write under this epoch from here on; the same again changes nothing.

        Raises:
            Fenced: a later term, or another holder's of the same epoch, was here first.
            StoreUnavailable: the database failed.
        """
        table = tables.term
        row = {"id": _ONE, "epoch": epoch, "holder": holder, "since": now}
        # A process that was outlived may enter a later term; what it compares with is checked here.
        stays, self._database.epoch = self._database.epoch, None
        try:
            with self._database.writing() as connection:
                last = connection.execute(sa.select(table).with_for_update()).first()
                if last is None:
                    connection.execute(sa.insert(table), row)
                elif last.epoch > epoch or (last.epoch == epoch and last.holder != holder):
                    raise outlived(epoch, last.epoch, last.holder)
                elif last.epoch < epoch:
                    connection.execute(sa.update(table).values(row))
            stays = epoch
        finally:
            self._database.epoch = stays
