from collections.abc import Iterator
from pathlib import Path

import pytest

from hubctl.store.schema import Store, open_store
from tests.store import postgresserver
from tests.store.postgresserver import Server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """One server for all tests of a process."""
    with postgresserver.running() as server:
        yield server


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the store's file is or will be."""
    return tmp_path / "state" / "hubctl.db"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, file: Path) -> Iterator[str]:
    """A store that may be opened, on either database; a module about one of them has its own fixture of the name."""
    if request.param == "sqlite":
        yield f"sqlite:///{file}"
        return
    with request.getfixturevalue("postgres").database() as made:
        yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, file: Path) -> Iterator[str]:
    """A place where no store is yet, on either database."""
    if request.param == "sqlite":
        file.parent.mkdir()
        yield f"sqlite:///{file}"
        return
    with request.getfixturevalue("postgres").database(migrated=False) as made:
        yield made


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with open_store(url) as opened:
        yield opened


@pytest.fixture
def second(store: Store, url: str) -> Iterator[Store]:
    """Another process's view of the same store."""
    del store
    with open_store(url) as opened:
        yield opened
