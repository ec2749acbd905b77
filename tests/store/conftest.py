from collections.abc import Iterator
from pathlib import Path

import pytest

from hubctl.store.schema import Store, open_store


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the store's file is or will be."""
    return tmp_path / "state" / "hubctl.db"


@pytest.fixture
def url(file: Path) -> str:
    return f"sqlite:///{file}"


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
