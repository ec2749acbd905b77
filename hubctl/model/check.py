"""Check: what one look at a part that hubctl depends on found, and what to do about it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found.

    Attributes:
        name: of the part, such as ``remote`` or ``spoke north``.
        detail: what was found, for people.
        hint: what to do; empty when there is nothing to do.
    """

    name: str
    state: State
    detail: str
    hint: str = ""
