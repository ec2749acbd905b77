"""Fixtures that every room's tests share."""

import os

import pytest
from hypothesis import settings

# A machine that does much else is slow, which proves nothing about the code.
settings.register_profile("hubctl", deadline=None)
settings.load_profile("hubctl")

# hubctl heeds the coordination engine's variables, and those of whoever runs the tests say nothing about their fleets.
for name in [name for name in os.environ if name.startswith(("KSERVE_", "ENABLE_KSERVE_"))]:
    del os.environ[name]


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio only, the one loop that hubctl runs on."""
    return "asyncio"
