"""Passes, and what they remember of predictors: health, versions known to be good, recent observations.

Apart from incidents: nobody but hubctl changes these, and a whole fleet is written in each pass. Who wrote last keeps
in mind what it wrote: the next pass then reads one row, to see that nobody else wrote since.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from hubctl.errors import StoreUnavailable
from hubctl.model.health import PredictorHealth
from hubctl.model.keeping import Keep
from hubctl.model.predictor import Observation
from hubctl.store import documents, memory, rounds, tables, transitions
from hubctl.store.database import Database
from hubctl.store.memory import Cell, Held
from hubctl.store.records import PassRecord

GOOD_KEPT = 10
"""Good versions per model and spoke."""

PASSES_KEPT = 1_000


class Journal:
    """The passes of a store and their memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._held: Held | None = None
        self._writers = rounds.Writers()

    def load_health(self) -> tuple[PredictorHealth, ...]:
        """What is remembered of every predictor, by cluster and model.

        Raises:
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            return self._current(connection).health

    def good_versions(self) -> Mapping[Cell, tuple[str, ...]]:
        """By (cluster, model), the versions that were good there, the one seen good last first.

        Raises:
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            return self._current(connection).good

    def record(
        self,
        health: Iterable[PredictorHealth],
        observations: Sequence[Observation] = (),
        *,
        now: datetime,
        keep: Keep | None = None,
    ) -> None:
        """Remember exactly these predictors, the versions that are good now, and what was observed.

        Args:
            health: others are forgotten.
            observations: since the round before; kept for as many rounds as ``keep`` says.
            now: the pass's time.
            keep: for how long what is kept; a little of what is older is deleted. None: the defaults.

        Raises:
            StoreUnavailable: the database failed; what was remembered stays.
        """
        keep = keep or Keep()
        with self._database.writing() as connection:
            self._database.queue(connection)
            last = self._current(connection)
            step = memory.step(last, health, observations, rotation=keep.rounds)
            held = rounds.save(connection, last, step, observations, self._writers, now)
            transitions.append(connection, step.changes)
            held = _with_good(connection, held, step.fresh, now)
            rounds.prune(connection, held, keep.rounds)
            transitions.prune(connection, now - timedelta(seconds=keep.transitions))
        # If the transaction around this one fails, the token is not found, and all is read again.
        self._held = held

    def recent(self, cells: Collection[Cell], limit: int) -> tuple[Observation, ...]:
        """The observations of these (cluster, model) in so many latest rounds, newest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        with self._database.reading() as connection:
            return rounds.latest(connection, cells, limit)

    def begin_pass(self, now: datetime, configuration: str = "", complaint: str = "") -> int:
        """Record that a pass began, from which configuration and why not from a newer one; its number.

        The oldest passes beyond PASSES_KEPT are forgotten.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.passes
        row: dict[str, Any] = {"began_at": now, "ended_at": None, "commit": "", "summary": ""}
        row |= {"configuration": configuration, "complaint": complaint}
        with self._database.writing() as connection:
            number = int(connection.execute(sa.insert(table).returning(table.c.id), row).scalar_one())
            connection.execute(sa.delete(table).where(table.c.id <= number - PASSES_KEPT))
        return number

    def end_pass(self, number: int, now: datetime, commit: str, summary: str) -> None:
        """Record that a pass ended.

        Raises:
            StoreUnavailable: there is no such pass under way, or the database failed.
        """
        table = tables.passes
        under_way = sa.and_(table.c.id == number, table.c.ended_at.is_(None))
        ended = {"ended_at": now, "commit": commit, "summary": summary}
        with self._database.writing() as connection:
            if connection.execute(sa.update(table).where(under_way).values(ended)).rowcount != 1:
                raise StoreUnavailable(
                    f"pass {number} is not under way", hint="check that no other hubctl uses this store"
                )

    def last_pass(self) -> PassRecord | None:
        """The latest pass, also one that is still under way or died; None before the first.

        Raises:
            StoreUnavailable: the database failed.
        """
        statement = sa.select(tables.passes).order_by(tables.passes.c.id.desc()).limit(1)
        with self._database.reading() as connection:
            found = documents.rows(connection, PassRecord, statement)
        return found[0] if found else None

    def _current(self, connection: sa.Connection) -> Held:
        """What is remembered: what this process wrote or read last, unless another one wrote since."""
        held = self._held
        if held is None or (held.number, held.token) != rounds.newest(connection):
            held = _with_good_of(connection, rounds.load(connection))
            self._held = held
        return held


def _with_good_of(connection: sa.Connection, held: Held) -> Held:
    """What is held, with the good versions that are stored."""
    table = tables.good_version
    statement = sa.select(table).order_by(table.c.at.desc(), table.c.version)
    found: dict[Cell, tuple[str, ...]] = {}
    latest: datetime | None = None
    for row in connection.execute(statement):
        latest = latest or row.at
        cell = row.cluster, row.model
        found[cell] = (*found.get(cell, ()), row.version)
    return replace(held, good=found, good_at=latest)


def _with_good(connection: sa.Connection, held: Held, fresh: Sequence[PredictorHealth], now: datetime) -> Held:
    """Store the versions that are good where another one was so last; the oldest beyond GOOD_KEPT are forgotten."""
    if not fresh:
        return held
    # A clock that stepped back must not put them behind the ones before.
    at = now if held.good_at is None else max(now, held.good_at + timedelta(microseconds=1))
    table, good = tables.good_version, dict(held.good)
    names = ("cluster", "model", "version")
    gone = []
    for one in fresh:
        cell = one.cluster, one.model
        versions = (one.version, *(version for version in good.get(cell, ()) if version != one.version))
        good[cell] = versions[:GOOD_KEPT]
        gone += [(*cell, version) for version in (one.version, *versions[GOOD_KEPT:])]
    # The key is replaced, not updated: an upsert is spelt differently by each database.
    same = [table.c[name] == sa.bindparam(f"b_{name}") for name in names]
    connection.execute(
        sa.delete(table).where(*same),
        [{f"b_{name}": part for name, part in zip(names, key, strict=True)} for key in gone],
    )
    rows = [{"cluster": one.cluster, "model": one.model, "version": one.version, "at": at} for one in fresh]
    connection.execute(sa.insert(table), rows)
    return replace(held, good=good, good_at=at)
