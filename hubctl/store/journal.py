"""Passes, and what they remember of predictors: health, versions known to be good, recent observations.

Apart from incidents: nobody but hubctl changes these, and a whole fleet is written in each pass.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from hubctl.errors import StoreUnavailable
from hubctl.model.health import PredictorHealth
from hubctl.model.predictor import Observation
from hubctl.store import documents, tables
from hubctl.store.database import Database
from hubctl.store.records import PassRecord

GOOD_KEPT = 10
"""Good versions per model and spoke."""

RECENT_KEPT = 50
"""Observations per model and spoke."""

PASSES_KEPT = 1_000


class Journal:
    """The passes of a store and their memory."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def load_health(self) -> tuple[PredictorHealth, ...]:
        """What is remembered of every predictor, by cluster and model.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.health
        statement = sa.select(documents.text(table)).order_by(table.c.cluster, table.c.model)
        with self._database.reading() as connection:
            return documents.nouns(connection, PredictorHealth, statement)

    def save_health(self, health: Iterable[PredictorHealth]) -> None:
        """Remember exactly these predictors; others are forgotten.

        Raises:
            StoreUnavailable: the database failed; what was remembered stays.
        """
        rows = [{"cluster": one.cluster, "model": one.model, "document": one} for one in health]
        # Nearly every row changes in every pass, so replacing all costs less than finding out which.
        with self._database.writing() as connection:
            connection.execute(sa.delete(tables.health))
            if rows:
                connection.execute(sa.insert(tables.health), rows)

    def record_all_good(self, good: Iterable[tuple[str, str, str]], now: datetime) -> None:
        """Remember that each (cluster, model, version) is good; the oldest of a model beyond GOOD_KEPT are forgotten.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.good_version
        names = ("cluster", "model", "version")
        keys = [{f"b_{name}": part for name, part in zip(names, one, strict=True)} for one in dict.fromkeys(good)]
        if not keys:
            return
        same = [table.c[name] == sa.bindparam(f"b_{name}") for name in names]
        newer = table.alias("newer")
        rank = (
            sa.select(sa.func.count())
            .where(newer.c.cluster == table.c.cluster, newer.c.model == table.c.model, newer.c.at > table.c.at)
            .scalar_subquery()
        )
        # The key is replaced, not updated: an upsert is spelt differently by each database.
        with self._database.writing() as connection:
            connection.execute(sa.delete(table).where(*same), keys)
            rows = [{name: key[f"b_{name}"] for name in names} | {"at": now} for key in keys]
            connection.execute(sa.insert(table), rows)
            connection.execute(sa.delete(table).where(*same[:2], rank >= GOOD_KEPT), keys)

    def good_versions(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """By (cluster, model), the versions that were good there, the one seen good last first.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.good_version
        statement = sa.select(table).order_by(table.c.at.desc(), table.c.version)
        found: dict[tuple[str, str], tuple[str, ...]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(statement):
                found[row.cluster, row.model] = (*found.get((row.cluster, row.model), ()), row.version)
        return found

    def record_observations(self, observations: Iterable[Observation]) -> None:
        """Add to the recent observations; per model and spoke the last RECENT_KEPT stay.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.observation
        rows = [{"b_cluster": one.cluster, "b_model": one.model, "b_document": one} for one in observations]
        if not rows:
            return
        cluster, model = sa.bindparam("b_cluster", type_=sa.String), sa.bindparam("b_model", type_=sa.String)
        # The database numbers each predictor's rows itself: one call may hold several of one predictor.
        last = sa.select(sa.func.coalesce(sa.func.max(table.c.n), 0)).where(
            table.c.cluster == cluster, table.c.model == model
        )
        document = sa.bindparam("b_document", type_=sa.JSON)
        values = sa.select(cluster, model, last.scalar_subquery() + 1, document)
        cells = [
            {"b_cluster": key[0], "b_model": key[1]} for key in {(row["b_cluster"], row["b_model"]) for row in rows}
        ]
        with self._database.writing() as connection:
            connection.execute(sa.insert(table).from_select(["cluster", "model", "n", "document"], values), rows)
            mine = sa.and_(table.c.cluster == cluster, table.c.model == model)
            connection.execute(sa.delete(table).where(mine, table.c.n <= last.scalar_subquery() - RECENT_KEPT), cells)

    def recent(self, cluster: str, model: str) -> tuple[Observation, ...]:
        """The last observations of a predictor, newest first.

        Raises:
            StoreUnavailable: the database failed.
        """
        table = tables.observation
        statement = sa.select(documents.text(table)).where(table.c.cluster == cluster, table.c.model == model)
        with self._database.reading() as connection:
            return documents.nouns(connection, Observation, statement.order_by(table.c.n.desc()))

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
