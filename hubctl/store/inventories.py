"""The inventory in force: which spokes the hub named when it was last believed. One row.

Apart from the journal: commands that only read the fleet need nothing else of a store.
"""

import sqlalchemy as sa

from hubctl.model.inventory import Inventory
from hubctl.store import documents, tables
from hubctl.store.database import Database

_ONLY = 1


class Inventories:
    """The memory of what the hub named."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load(self) -> Inventory | None:
        """The inventory in force; None before the first look.

        Raises:
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            found = documents.nouns(connection, Inventory, sa.select(documents.text(tables.inventory)))
        return found[0] if found else None

    def save(self, inventory: Inventory) -> None:
        """Remember an inventory, unless another process remembered that of a later look meanwhile.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.inventory
        with self._database.writing() as connection:
            connection.execute(sa.delete(table).where(table.c.at <= inventory.at))
            if connection.execute(sa.select(table.c.id)).first() is None:
                connection.execute(sa.insert(table), {"id": _ONLY, "at": inventory.at, "document": inventory})
