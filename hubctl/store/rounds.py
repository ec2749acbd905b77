"""Rounds and memory: the rows that hold them, and what they come to when they are read.

Apart from the journal, which keeps in mind what was read, and from ``memory``, which knows what the columns mean.
"""

import gc
import secrets
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa

from hubctl.model import columns, packed
from hubctl.model.health import PredictorHealth
from hubctl.model.predictor import Observation
from hubctl.store import codec, memory, tables
from hubctl.store.memory import Cell, Held, Round, Step

DOCUMENTS = "documents"
"""The part of the memory that a release before packed columns left; the first round replaces it."""

_LIST = b"["
"""How the observations of such a release begin."""

_PRUNED = 4
"""Rounds that one pass deletes: one comes, and after a shorter retention the others go in time."""


@dataclass(frozen=True, slots=True)
class Writers:
    """Write sheets; each remembers the columns of the round before. A round and what moved with it share times."""

    moving: columns.Writer = field(default_factory=columns.Writer)
    settled: columns.Writer = field(default_factory=columns.Writer)


def newest(connection: sa.Connection) -> tuple[int, str]:
    """Number and token of the latest round; 0 before the first."""
    table = tables.rounds
    found = connection.execute(
        sa.select(table.c.number, table.c.token).order_by(table.c.number.desc()).limit(1)
    ).first()
    return (found.number, found.token) if found else (0, "")


def load(connection: sa.Connection) -> Held:
    """What is remembered, but for the good versions.

    Raises:
        ValueError: what is stored is damaged.
    """
    number, token = newest(connection)
    table = tables.memory
    parts = {row.part: row.data for row in connection.execute(sa.select(table.c.part, table.c.data))}
    if DOCUMENTS in parts:
        decode = codec.builder(tuple[PredictorHealth, ...])
        health = decode(codec.loads(parts[DOCUMENTS]))
        # Their votes are in no round yet.
        return Held(number, token, health, [0] * len(health))
    if memory.SETTLED not in parts:
        return Held(number, token)
    settled, moving = (columns.read(parts[name]) for name in (memory.SETTLED, memory.MOVING))
    with _unwatched():
        health, bases = memory.restore(settled, moving, _newest_first(connection))
    return Held(number, token, health, bases, settled=parts[memory.SETTLED])


def save(
    connection: sa.Connection, last: Held, step: Step, observed: Sequence[Observation], writers: Writers, now: datetime
) -> Held:
    """Store one more round and what it makes of the memory; what is held then, good versions as before."""
    number, token = last.number + 1, secrets.token_hex(8)
    marked = packed.columns_of(observed) | {memory.MARKS: ("whole", step.marks)}
    carried = columns.Writer().write(memory.carried_columns(step.carried)) if step.carried else None
    row = {"number": number, "at": now, "token": token, "observations": len(observed), "carried": carried}
    connection.execute(sa.insert(tables.rounds), row | {"data": writers.moving.write(marked)})
    sheets = memory.sheets_of(step.health)
    _put(connection, memory.MOVING, number, writers.moving.write(sheets[memory.MOVING]))
    settled = writers.settled.write(sheets[memory.SETTLED])
    if settled != last.settled:
        _put(connection, memory.SETTLED, number, settled)
    if not last.settled:
        connection.execute(sa.delete(tables.memory).where(tables.memory.c.part == DOCUMENTS))
    return Held(number, token, step.health, step.bases, last.good, last.good_at, settled)


def prune(connection: sa.Connection, held: Held, rounds: int) -> None:
    """Delete the oldest rounds beyond so many, a few at a time and none that a vote still needs."""
    table = tables.rounds
    needed = min([held.number - rounds + 1, *held.bases])
    oldest = connection.execute(sa.select(sa.func.min(table.c.number))).scalar_one()
    if oldest is not None and oldest < needed:
        connection.execute(sa.delete(table).where(table.c.number < min(needed, oldest + _PRUNED)))


def latest(connection: sa.Connection, cells: Collection[Cell], limit: int) -> tuple[Observation, ...]:
    """The observations of these predictors in so many latest rounds, newest first."""
    table = tables.rounds
    statement = sa.select(table.c.data).order_by(table.c.number.desc()).limit(limit)
    found: list[Observation] = []
    for data in connection.execute(statement).scalars():
        found.extend(reversed(_of_cells(data, cells)))
    return tuple(found)


@contextmanager
def _unwatched() -> Iterator[None]:
    """No search for cycles among a million new records, of which none is in one: it took most of the time."""
    watched = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if watched:
            gc.enable()


def _put(connection: sa.Connection, part: str, number: int, data: bytes) -> None:
    table = tables.memory
    row = {"number": number, "data": data}
    if connection.execute(sa.update(table).where(table.c.part == part).values(row)).rowcount == 0:
        connection.execute(sa.insert(table), row | {"part": part})


def _newest_first(connection: sa.Connection) -> Iterator[Round]:
    """Rounds that may hold votes."""
    table = tables.rounds
    numbers = connection.execute(sa.select(table.c.number).order_by(table.c.number.desc())).scalars().all()
    one = sa.select(table.c.number, table.c.data, table.c.carried)
    for number in numbers:
        row = connection.execute(one.where(table.c.number == number)).one()
        if not row.data.startswith(_LIST):
            carried = columns.read(row.carried) if row.carried is not None else None
            yield Round(row.number, columns.read(row.data), carried)


def _of_cells(data: bytes, cells: Collection[Cell]) -> Sequence[Observation]:
    if data.startswith(_LIST):
        decode = codec.builder(tuple[Observation, ...])
        return [seen for seen in decode(codec.loads(data)) if (seen.cluster, seen.model) in cells]
    sheet = columns.read(data)
    if not sheet.count:
        return ()
    (clusters, on), (models, of) = sheet.terms("cluster"), sheet.terms("model")
    wanted = {
        (place, other)
        for place, cluster in enumerate(clusters)
        for other, model in enumerate(models)
        if (cluster, model) in cells
    }
    return packed.observations(sheet, [row for row, cell in enumerate(zip(on, of, strict=True)) if cell in wanted])
