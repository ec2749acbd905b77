"""The inventory in force, across looks, processes and upgrades."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hubctl.model.inventory import Inventory, Member
from hubctl.store.schema import Store, open_store
from tests.store import older

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


def test_store_of_the_release_before_gets_the_table_and_keeps_its_rows(empty: str) -> None:
    older.make(empty, "0004", ("pass", {"began_at": NOW.replace(tzinfo=None), "commit": "", "summary": ""}))
    with open_store(empty) as upgraded:
        upgraded.inventories.save(INVENTORY)
        assert upgraded.inventories.load() == INVENTORY
        last = upgraded.journal.last_pass()
    assert last
    assert last.began_at.replace(tzinfo=None) == NOW.replace(tzinfo=None)
