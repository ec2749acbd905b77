"""Remediations: the intent before the effect, the outcome after it.

Apart from incidents, because a remediation that was executing when a pass died is read first by the next one.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from hubctl.model.remediation import Remediation, State
from hubctl.store import documents, tables
from hubctl.store.database import Database

_TABLE = tables.remediation


class Remedies:
    """The remediations of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def save_remediations(self, remediations: Iterable[Remediation], *, before: Iterable[Remediation] = ()) -> None:
        """Insert new remediations; update those that ``before`` holds, if the stored ones are still those.

        Whether a move is legal was the model's to say; that nobody else moved it meanwhile is said here. The epoch of
        the term that writes is stored beside each.

        Raises:
            Fenced: a later term has begun.
            StoreUnavailable: a race was lost, an incident is not stored, or the database failed; nothing is saved.
        """
        epoch = {} if self._database.epoch is None else {"epoch": self._database.epoch}
        rows = (
            (remedy, {"incident_id": remedy.incident_id, "created_at": remedy.created_at, **epoch})
            for remedy in remediations
        )
        with self._database.writing() as connection:
            documents.save(connection, _TABLE, rows, before)

    def remediations(
        self, states: Iterable[State] | None = None, *, incident_id: str = "", limit: int = 1_000
    ) -> tuple[Remediation, ...]:
        """Remediations, newest first, in these states (None: all) and for this incident (empty: all).

        Raises:
            StoreUnavailable: the database failed.
        """
        statement = sa.select(documents.text(_TABLE)).order_by(_TABLE.c.created_at.desc(), _TABLE.c.id).limit(limit)
        if states is not None:
            statement = statement.where(_TABLE.c.state.in_(sorted(states)))
        if incident_id:
            statement = statement.where(_TABLE.c.incident_id == incident_id)
        with self._database.reading() as connection:
            return documents.nouns(connection, Remediation, statement)

    def remediation(self, prefix: str) -> Remediation:
        """The remediation with that id, or the one whose id starts so.

        Raises:
            InputError: there is none, or more than one.
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            return documents.find(connection, _TABLE, Remediation, prefix)

    def executing(self) -> tuple[Remediation, ...]:
        """Remediations whose effect may or may not have happened, oldest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        statement = sa.select(documents.text(_TABLE)).where(_TABLE.c.state == State.EXECUTING)
        with self._database.reading() as connection:
            return documents.nouns(connection, Remediation, statement.order_by(_TABLE.c.created_at, _TABLE.c.id))
