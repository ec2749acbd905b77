"""Witnesses: what the hub's objects said of each spoke in the latest pass, and of an incident's spokes when it counted.

Apart from the journal, which remembers predictors.
"""

from collections.abc import Iterable

import sqlalchemy as sa

from hubctl.model.incident import Incident
from hubctl.model.witness import SpokeWitness
from hubctl.store import documents, tables
from hubctl.store.database import Database


class Witnesses:
    """The witnesses of a store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> tuple[SpokeWitness, ...]:
        """What was said of every spoke in the latest pass, by name.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.witness
        statement = sa.select(documents.text(table)).order_by(table.c.cluster)
        with self._database.reading() as connection:
            return documents.nouns(connection, SpokeWitness, statement)

    def save(self, witnesses: Iterable[SpokeWitness]) -> None:
        """Remember exactly these; others are forgotten.

        Raises:
            StoreUnavailable: the database failed; what was remembered stays.
        """
        rows = [{"cluster": one.cluster, "document": one} for one in witnesses]
        with self._database.writing() as connection:
            connection.execute(sa.delete(tables.witness))
            if rows:
                connection.execute(sa.insert(tables.witness), rows)

    def testify(self, incident: Incident, witnesses: Iterable[SpokeWitness]) -> None:
        """Keep what is said of a stored incident's spokes now.

        Raises:
            StoreUnavailable: the incident is not stored, or the database failed.
        """
        table = tables.testimony
        mine = {one.cluster: one for one in witnesses if one.cluster in incident.clusters}
        rows = [
            {"incident_id": incident.id, "cluster": name, "at": one.at, "document": one} for name, one in mine.items()
        ]
        with self._database.writing() as connection:
            if rows:
                same = sa.and_(table.c.incident_id == incident.id, table.c.at.in_({row["at"] for row in rows}))
                connection.execute(sa.delete(table).where(same))
                connection.execute(sa.insert(table), rows)

    def of_incident(self, incident_id: str) -> tuple[SpokeWitness, ...]:
        """What was said of an incident's spokes when it was opened and when it was resolved, oldest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.testimony
        statement = sa.select(documents.text(table)).where(table.c.incident_id == incident_id)
        with self._database.reading() as connection:
            return documents.nouns(connection, SpokeWitness, statement.order_by(table.c.at, table.c.cluster))
