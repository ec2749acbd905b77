"""Memory: what is remembered of every predictor, as the columns that are stored, and back, exactly. Pure.

Apart from the journal, which knows the tables. Nothing is replayed: two sheets hold all but the votes as they are, and
the votes of a predictor are the last so many that the rounds hold of it, in their order. A round holds the votes that
it brought as marks on its own observations, and in a sheet beside them, whole, the votes of the predictors that marks
cannot tell of: those whose votes changed otherwise, and in rotation all others, so that an old round is needed no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from operator import attrgetter
from typing import Any

from hubctl.model import columns
from hubctl.model.health import Condition, PredictorHealth, Vote, is_good
from hubctl.model.predictor import Observation, Outcome

Cell = tuple[str, str]
"""Cluster and model."""

SETTLED, MOVING = "settled", "moving"
MARKS, VOTES = "marks", "held_votes"
"""Columns: of a round, which observations brought a vote; of MOVING, how many votes there are."""

KINDS: Mapping[str, Mapping[str, str]] = {
    SETTLED: {
        "cluster": "term", "model": "term", "version": "term", "condition": "term", "reason": "term",
        "since": "instant", "version_since": "instant", "fault": "term", "raised": "term", "served": "term",
    },
    MOVING: {
        "last_at": "instant", "last_outcome": "term", "good_streak": "whole", "fault_streak": "whole",
        "unreachable_streak": "whole", VOTES: "whole",
    },
}  # fmt: skip
"""The two sheets: what changes seldom, and what every poll changes."""

_OF_VOTES = {
    "window": "digest", "at": "instant", "version": "term", "instances": "whole", "anomalies": "whole", "bad": "term",
}  # fmt: skip
_NO, _GOOD, _BAD = 0, 1, 2
_by_cell = attrgetter("cluster", "model")


@dataclass(frozen=True, slots=True)
class Held:
    """What is remembered as of one round.

    Attributes:
        number: of the round; 0 before the first.
        token: tells the round from another process's of the same number.
        health: by cluster and model, sorted.
        bases: for each of these, the oldest round that holds a vote of it; 0: its votes are in no round.
        good: by cell, the versions that were good there, the one seen good last first.
        good_at: when the latest of them was.
        settled: the bytes of that sheet.
    """

    number: int = 0
    token: str = ""
    health: tuple[PredictorHealth, ...] = ()
    bases: Sequence[int] = ()
    good: Mapping[Cell, tuple[str, ...]] = field(default_factory=dict)
    good_at: datetime | None = None
    settled: bytes = b""


@dataclass(frozen=True, slots=True)
class Step:
    """What one more round makes of what was held.

    Attributes:
        health: sorted; ``bases`` as in ``Held``.
        marks: one for each observation.
        carried: the predictors whose votes are written whole.
        changes: predictors whose condition or version is another, before and after.
        fresh: predictors with a version that is good and was not the one seen good last.
    """

    health: tuple[PredictorHealth, ...]
    bases: Sequence[int]
    marks: Sequence[int]
    carried: Sequence[PredictorHealth]
    changes: Sequence[tuple[PredictorHealth, PredictorHealth]]
    fresh: Sequence[PredictorHealth]


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it is stored: its observations with their marks, and the votes that it carries."""

    number: int
    observed: columns.Sheet
    carried: columns.Sheet | None


def step(last: Held, health: Iterable[PredictorHealth], observed: Sequence[Observation], *, rotation: int) -> Step:
    """What the next round writes.

    Args:
        last: what was held before it.
        health: what is to be remembered; others are forgotten.
        observed: the round's observations, of any predictors.
        rotation: rounds in which the votes of each predictor are carried once.

    Raises:
        ValueError: two of the health are of one cluster and model.
    """
    number, now = last.number + 1, tuple(health)
    before: Sequence[PredictorHealth | None] = last.health
    bases = list(last.bases)
    if not _same_cells(now, last.health):
        now = _sorted(now)
        before, bases = _aligned(last, now)
    rows = None if _same_cells(observed, now) else _rows(now, observed)
    marks, whole = bytearray(len(observed)), []
    votes, known = [one.votes for one in now], [one.votes if one else () for one in before]
    for place in [row for row, (new, old) in enumerate(zip(votes, known, strict=True)) if new is not old]:
        if votes[place] == known[place]:
            continue
        mine = (place,) if rows is None else rows[place]
        left = _mark(votes[place], known[place], observed, mine, marks)
        if left is None:
            whole.append(place)
        elif not left:
            bases[place] = number
    moved = [
        (old, new)
        for old, new in zip(before, now, strict=True)
        if old is None or old.condition is not new.condition or old.version != new.version or not old.votes
    ]
    limit = max(1, number - 2 * rotation)
    late = min(bases, default=limit) < limit
    overdue = [place for place, base in enumerate(bases) if base < limit] if late else ()
    carried = {*whole, *overdue, *range(number % rotation, len(now), rotation)}
    for place in carried:
        bases[place] = number
        for row in (place,) if rows is None else rows[place]:
            marks[row] = _NO
    changes = [(old, new) for old, new in moved if old and (old.condition, old.version) != (new.condition, new.version)]
    fresh = [new for _, new in moved if is_good(new) and new.version not in last.good.get(_by_cell(new), ())[:1]]
    return Step(now, bases, marks, [now[place] for place in sorted(carried) if now[place].votes], changes, fresh)


def sheets_of(health: Sequence[PredictorHealth]) -> dict[str, dict[str, tuple[str, Sequence[Any]]]]:
    """The columns of both sheets."""
    # Spelt out: a comprehension that names its attribute takes a third of what one with attrgetter does.
    settled: list[list[Any]] = [
        [one.cluster for one in health],
        [one.model for one in health],
        [one.version for one in health],
        [one.condition for one in health],
        [one.reason for one in health],
        [one.since for one in health],
        [one.version_since for one in health],
        [one.fault for one in health],
        [one.raised for one in health],
        [one.served for one in health],
    ]
    moving: list[list[Any]] = [
        [one.last_at for one in health],
        [one.last_outcome for one in health],
        [one.good_streak for one in health],
        [one.fault_streak for one in health],
        [one.unreachable_streak for one in health],
        [len(one.votes) for one in health],
    ]
    return {
        sheet: {name: (kind, values) for (name, kind), values in zip(KINDS[sheet].items(), made, strict=True)}
        for sheet, made in ((SETTLED, settled), (MOVING, moving))
    }


def carried_columns(carried: Sequence[PredictorHealth]) -> dict[str, tuple[str, Sequence[Any]]]:
    """The columns of votes that are written whole, oldest first."""
    votes = [vote for one in carried for vote in one.votes]
    made: dict[str, tuple[str, Sequence[Any]]] = {
        "cluster": ("term", [one.cluster for one in carried for _ in one.votes]),
        "model": ("term", [one.model for one in carried for _ in one.votes]),
    }
    return made | {name: (kind, [getattr(vote, name) for vote in votes]) for name, kind in _OF_VOTES.items()}


def restore(
    settled: columns.Sheet, moving: columns.Sheet, rounds: Iterable[Round]
) -> tuple[tuple[PredictorHealth, ...], Sequence[int]]:
    """The health that was saved, and its bases.

    Args:
        settled: the sheet of that name.
        moving: as well.
        rounds: newest first; no more of them are taken than are needed.

    Raises:
        ValueError: the sheets do not belong together, or votes are missing.
    """
    if settled.count != moving.count:
        raise ValueError(f"expected {settled.count} predictors twice, found {moving.count}")
    said: dict[str, Sequence[Any]] = {name: settled.column(name) for name in KINDS[SETTLED]}
    said |= {name: moving.column(name) for name in KINDS[MOVING] if name != VOTES}
    said["condition"] = _enumerated(Condition, said["condition"])
    said["fault"] = _enumerated(Outcome, said["fault"])
    said["last_outcome"] = _enumerated(Outcome, said["last_outcome"])
    said["votes"], bases = _gathered(
        list(zip(said["cluster"], said["model"], strict=True)), moving.column(VOTES), rounds
    )
    return tuple(columns.build(PredictorHealth, settled.count, said)), bases


def _same_cells(some: Sequence[PredictorHealth | Observation], others: Sequence[PredictorHealth]) -> bool:
    """Whether both are of the same predictors in the same order."""
    return (
        len(some) == len(others)
        and [one.cluster for one in some] == [one.cluster for one in others]
        and [one.model for one in some] == [one.model for one in others]
    )


def _sorted(health: tuple[PredictorHealth, ...]) -> tuple[PredictorHealth, ...]:
    found = tuple(sorted(health, key=_by_cell))
    cells = list(map(_by_cell, found))
    for cell, after in pairwise(cells):
        if cell == after:
            raise ValueError(f"expected one health of {cell[1]} on {cell[0]}, found two")
    return found


def _aligned(last: Held, now: Sequence[PredictorHealth]) -> tuple[list[PredictorHealth | None], list[int]]:
    """What was held of each predictor, None for a new one, and its base."""
    known = {_by_cell(one): (one, base) for one, base in zip(last.health, last.bases, strict=True)}
    found = [known.get(_by_cell(one), (None, last.number + 1)) for one in now]
    return [one for one, _ in found], [base for _, base in found]


def _rows(health: Sequence[PredictorHealth], observed: Sequence[Observation]) -> list[list[int]]:
    """For each predictor, its observations in their order."""
    rows: dict[Cell, list[int]] = {}
    for row, seen in enumerate(observed):
        rows.setdefault((seen.cluster, seen.model), []).append(row)
    return [rows.get((one.cluster, one.model), []) for one in health]


def _mark(
    new: tuple[Vote, ...], old: tuple[Vote, ...], observed: Sequence[Observation], rows: Sequence[int], marks: bytearray
) -> int | None:
    """Mark the observations that brought new votes; how many of the old votes are left, None if more has changed."""
    left = len(new)
    found = []
    for row in reversed(rows):
        if left and _is_of(new[left - 1], observed[row]):
            left -= 1
            found.append((row, _BAD if new[left].bad else _GOOD))
    if left > len(old) or new[:left] != old[len(old) - left :]:
        return None
    for row, mark in found:
        marks[row] = mark
    return left


def _is_of(vote: Vote, seen: Observation) -> bool:
    return (
        vote.window == seen.window
        and vote.at == seen.at
        and vote.version == seen.version
        and vote.instances == seen.instances
        and vote.anomalies == seen.anomalies
    )


def _enumerated(kind: Any, words: Sequence[Any]) -> list[Any]:
    known = {word: kind(word) if word is not None else None for word in set(words)}
    return [known[word] for word in words]


def _gathered(
    cells: Sequence[Cell], wanted: Sequence[int], rounds: Iterable[Round]
) -> tuple[list[tuple[Vote, ...]], list[int]]:
    """For each predictor the latest votes that the rounds hold, as many as are wanted, and the round of the oldest."""
    places = {cell: place for place, cell in enumerate(cells)}
    missing, left = list(wanted), sum(map(bool, wanted))
    found: list[list[Vote]] = [[] for _ in cells]
    bases, newest = [0] * len(cells), 0
    for one in rounds if left else ():
        newest = max(newest, one.number)
        for cell, vote in _newest_first(one):
            place = places.get(cell)
            if place is None or not missing[place]:
                continue
            found[place].append(vote)
            missing[place] -= 1
            if not missing[place]:
                bases[place] = one.number
                left -= 1
        if not left:
            break
    if left:
        raise ValueError(f"the votes of {left} predictors are missing")
    return [tuple(reversed(votes)) for votes in found], bases


def _newest_first(one: Round) -> Iterable[tuple[Cell, Vote]]:
    marks = one.observed.column(MARKS, _NO)
    if rows := [row for row, mark in enumerate(marks) if mark != _NO]:
        bad = [marks[row] == _BAD for row in rows]
        yield from reversed(_cells_and_votes(one.observed, rows, {"bad": bad}))
    if one.carried is not None:
        yield from reversed(_cells_and_votes(one.carried, range(one.carried.count), {}))


def _cells_and_votes(
    sheet: columns.Sheet, rows: Sequence[int], more: Mapping[str, Sequence[Any]]
) -> list[tuple[Cell, Vote]]:
    def taken(name: str) -> Sequence[Any]:
        values = sheet.column(name)
        return values if len(rows) == sheet.count else [values[row] for row in rows]

    votes = columns.build(Vote, len(rows), {name: more[name] if name in more else taken(name) for name in _OF_VOTES})
    return list(zip(zip(taken("cluster"), taken("model"), strict=True), votes, strict=True))
