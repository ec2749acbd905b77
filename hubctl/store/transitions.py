"""Transitions: when a predictor's condition or version became another; the history that people ask for.

Apart from the rounds, which are kept for a while only: this is little and kept for months.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from hubctl.model.health import PredictorHealth
from hubctl.store import documents, tables
from hubctl.store.database import Database
from hubctl.store.records import TransitionRecord

_LOOKED_AT = 2_000
"""The oldest rows that one pass considers for deletion."""


class Transitions:
    """What became of predictors."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, cluster: str, model: str = "", *, since: datetime) -> tuple[TransitionRecord, ...]:
        """The transitions of a spoke, or of one of its models, oldest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.transition
        mine = [table.c.cluster == cluster, table.c.at >= since, *([table.c.model == model] if model else [])]
        names = [table.c[name] for name in TransitionRecord.__slots__]
        with self._database.reading() as connection:
            return documents.rows(connection, TransitionRecord, sa.select(*names).where(*mine).order_by(table.c.id))


def append(connection: sa.Connection, changes: Sequence[tuple[PredictorHealth, PredictorHealth]]) -> None:
    """Store changes, each as before and after."""
    rows = [
        {
            "at": after.last_at if after.condition is before.condition else after.since,
            "cluster": after.cluster,
            "model": after.model,
            "condition_before": before.condition,
            "condition": after.condition,
            "reason": after.reason,
            "version_before": before.version,
            "version": after.version,
        }
        for before, after in changes
    ]
    if rows:
        connection.execute(sa.insert(tables.transition), rows)


def prune(connection: sa.Connection, before: datetime) -> None:
    """Delete older ones, a bounded number at a time."""
    table = tables.transition
    oldest = sa.select(table.c.id, table.c.at).order_by(table.c.id).limit(_LOOKED_AT).subquery()
    connection.execute(sa.delete(table).where(table.c.id.in_(sa.select(oldest.c.id).where(oldest.c.at < before))))
