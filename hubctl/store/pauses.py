"""Pauses: made and lifted by people, kept for ever as their own audit trail."""

from collections.abc import Iterable
from datetime import datetime

import sqlalchemy as sa

from hubctl.model.holds import Pause, State
from hubctl.store import documents, tables
from hubctl.store.database import Database

_TABLE = tables.pause


class Pauses:
    """The pauses of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save(self, pause: Pause, *, before: Iterable[Pause] = ()) -> None:
        """Insert a pause, or update the one that ``before`` holds, if the stored one is still that.

        Raises:
            StoreUnavailable: a race was lost, or the database failed; nothing is saved.
        """
        row: dict[str, object] = {"created_at": pause.created_at, "until": pause.until}
        with self._database.writing() as connection:
            documents.save(connection, _TABLE, [(pause, row)], before)

    def in_force(self, now: datetime) -> tuple[Pause, ...]:
        """Those that hold something now, oldest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        statement = sa.select(documents.text(_TABLE)).where(_TABLE.c.state == State.MADE, _TABLE.c.until > now)
        with self._database.reading() as connection:
            return documents.nouns(connection, Pause, statement.order_by(_TABLE.c.created_at, _TABLE.c.id))

    def every(self, *, limit: int = 1_000) -> tuple[Pause, ...]:
        """All of them, newest first, those that are over too.

        Raises:
            StoreUnavailable: the database failed.
        """
        statement = sa.select(documents.text(_TABLE)).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id).limit(limit)
        with self._database.reading() as connection:
            return documents.nouns(connection, Pause, statement)

    def find(self, prefix: str) -> Pause:
        """The pause with that id, or the one whose id starts so.

        Raises:
            InputError: there is none, or more than one.
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            return documents.find(connection, _TABLE, Pause, prefix)
