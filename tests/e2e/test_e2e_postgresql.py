"""Passes over real predictors with PostgreSQL as the store: nothing of it lies in the state folder."""

from collections.abc import Iterator

import pytest

from tests.e2e.world import World
from tests.store import postgresserver

VARIABLE = "HUBCTL_E2E_STORE"


@pytest.fixture
def url() -> Iterator[str]:
    """An empty database."""
    with postgresserver.running() as server, server.database(migrated=False) as made:
        yield made


def test_passes_remember_on_postgresql_what_the_ones_before_saw(fresh: World, url: str) -> None:
    fresh.edit_values(lambda hubctl: hubctl.update(store={"urlEnv": VARIABLE}))
    for _ in range(2):
        fresh.hubctl("reconcile", HUBCTL_E2E_STORE=url)
        fresh.new_window()
    told = fresh.hubctl("status", "--storage", "-o", "json", HUBCTL_E2E_STORE=url).json
    assert all(len(model["votes"]) == 2 for spoke in told["clusters"] for model in spoke["models"])
    rows = {table["name"]: table["rows"] for table in told["storage"]["tables"]}
    assert (rows["pass"], rows["round"], rows["memory"]) == (2, 2, 2)
    assert told["storage"]["bytes"] > sum(table["bytes"] for table in told["storage"]["tables"]) > 0
    table = fresh.hubctl("status", "--storage", HUBCTL_E2E_STORE=url)
    assert "written a day" in str(table)
    assert not fresh.store.exists()
