"""The inventory in force, across looks, processes and upgrades."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import sqlalchemy as sa
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from hubctl.model.inventory import Inventory, Member
from hubctl.store import migrations, tables
from hubctl.store.schema import Store, open_store

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MEMBER = Member("edge-a", "openshift", "4.18", NOW, "ha", {"tier": "gold"}, NOW, ("tainted: x",))
INVENTORY = Inventory(NOW, (MEMBER,), {"edge-b": "is the hub itself"})


def test_inventory_comes_back_as_it_was(store: Store, second: Store) -> None:
    assert store.inventories.load() is None
    store.inventories.save(INVENTORY)
    assert second.inventories.load() == INVENTORY


def test_later_look_counts_whoever_saves_last(store: Store, second: Store) -> None:
    later = replace(INVENTORY, at=NOW + timedelta(minutes=1), members=())
    second.inventories.save(later)
    store.inventories.save(INVENTORY)
    assert store.inventories.load() == later


def made_before(file: Path) -> None:
    """A store of the revision before inventories, with a pass in it."""
    directory = migrations.scripts()
    before = str(directory.get_revision("0005").down_revision)
    file.parent.mkdir()
    engine = sa.create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": tables.VERSION_TABLE})
        with Operations.context(context):
            for script in reversed(list(directory.iterate_revisions(before, None))):
                script.module.upgrade()
        context.stamp(directory, before)
        row = {"began_at": NOW, "commit": "", "summary": ""}
        connection.execute(sa.insert(tables.passes), row)
    engine.dispose()


def test_store_of_the_release_before_gets_the_table_and_keeps_its_rows(url: str, file: Path) -> None:
    made_before(file)
    with open_store(url) as upgraded:
        upgraded.inventories.save(INVENTORY)
        assert upgraded.inventories.load() == INVENTORY
        last = upgraded.journal.last_pass()
    assert last
    assert last.began_at == NOW
