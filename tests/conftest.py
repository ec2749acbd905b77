"""Fixtures that every room's tests share."""

import pytest
from hypothesis import settings

# A machine that does much else is slow, which proves nothing about the code.
settings.register_profile("hubctl", deadline=None)
settings.load_profile("hubctl")


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio only, the one loop that hubctl runs on."""
    return "asyncio"
