"""How often tests try that try again and again: as the suite has time for, or with `make test-thorough` more."""

import os

THOROUGH = "HUBCTL_TEST_THOROUGH"
"""The variable that says which."""


def times(usual: int, thorough: int) -> int:
    """How often to try now."""
    return thorough if os.environ.get(THOROUGH) else usual
