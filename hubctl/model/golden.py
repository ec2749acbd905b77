"""Golden: rows sent beside the live ones, and how each known version of a model answered them when it was recorded.

A wrong, stale or corrupt artefact shows in them at the first poll, without statistics. Labels and classes are compared
exactly, numbers within a tolerance.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from hubctl.model.base import Strict, Version
from hubctl.model.outputs import Label, Real

MOST_ROWS = 256
"""Of one model; they travel with every poll."""

Answers = tuple[bool | int | float | str | tuple[float, ...], ...]
"""One answer a row: a label or a class as the model names it, or the numbers of a row; scores are rows of one."""

_DIGEST = 32


class GoldenFile(Strict):
    """Golden rows of a model, and how each version of it answers them."""

    rows: tuple[Annotated[tuple[Real, ...], Field(min_length=1)], ...] = Field(
        min_length=1, max_length=MOST_ROWS, description="of one width, as the model takes them"
    )
    expected: dict[Version, tuple[Label | Real | tuple[Real, ...], ...]] = Field(
        default_factory=dict,
        description="version: an answer a row, as the model gives it; of classes their names",
    )


@dataclass(frozen=True, slots=True)
class Golden:
    """The golden rows of a model for a predictor that should serve one of its versions.

    Attributes:
        rows: of one width, as they are sent.
        version: that the predictor should serve.
        known: how each recorded version answers, ``version`` among them.
        tolerance: of numbers, relative to the largest one recorded in their column.
        digest: identifies the rows, 32 hexadecimal digits.
    """

    rows: tuple[tuple[float, ...], ...]
    version: str
    known: Mapping[str, Answers]
    tolerance: float
    digest: str

    @property
    def expected(self) -> Answers:
        """How the version answers."""
        return self.known[self.version]

    def differs(self, got: Answers, version: str = "") -> int | None:
        """The first row that is answered otherwise than recorded of a version, by default ours; None when none is."""
        return first_difference(self.known[version or self.version], got, self.tolerance)

    def others(self, got: Answers) -> tuple[str, ...]:
        """The other known versions that answer so."""
        return tuple(name for name in self.known if name != self.version and self.differs(got, name) is None)


def first_difference(expected: Answers, got: Answers, tolerance: float) -> int | None:
    """The first place at which two lists of answers differ, or where the shorter one ends; None when they do not."""
    if expected == got:
        return None
    for place, (mine, other) in enumerate(zip(expected, got, strict=False)):
        if mine != other and not _close(mine, other, expected, tolerance):
            return place
    return None if len(expected) == len(got) else min(len(expected), len(got))


def _close(mine: Any, other: Any, expected: Answers, tolerance: float) -> bool:
    if not isinstance(mine, tuple) or not isinstance(other, tuple) or len(mine) != len(other):
        return False
    # Beside the column's largest: a score around zero has no digits of its own that two processors agree on.
    rows = [row for row in expected if isinstance(row, tuple)]
    return all(
        abs(left - right) <= tolerance * max(abs(row[column]) for row in rows if len(row) > column)
        for column, (left, right) in enumerate(zip(mine, other, strict=True))
    )


def digest_of(rows: tuple[tuple[float, ...], ...]) -> str:
    """What identifies golden rows."""
    return hashlib.sha256(json.dumps(rows, separators=(",", ":")).encode()).hexdigest()[:_DIGEST]
