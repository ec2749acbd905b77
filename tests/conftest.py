"""Fixtures that every room's tests share."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio only, the one loop that hubctl runs on."""
    return "asyncio"
