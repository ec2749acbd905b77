"""The nearest known word to one that is not known, for hints."""

import difflib
from collections.abc import Iterable


def nearest(word: str, known: Iterable[str], cutoff: float = 0.6) -> str:
    """``did you mean X?``, or nothing when no known word is near; case does not matter, ``cutoff`` is 0 to 1."""
    lower = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), lower, n=1, cutoff=cutoff)
    return f"did you mean {lower[found[0]]}?" if found else ""
