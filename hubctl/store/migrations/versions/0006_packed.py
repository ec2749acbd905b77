"""What is remembered of predictors, packed: memory, rounds and transitions instead of a row for each.

What the tables before held is carried over as the documents that it is; the first pass packs it. Written out, not
derived from ``tables``: those move on, a released migration does not.
"""

import json
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables, carry the rows over, drop the tables that held them."""
    _make()
    connection = op.get_bind()
    _carry_health(connection)
    _carry_observations(connection)
    op.drop_table("health")
    op.drop_table("observation")


def _make() -> None:
    op.create_table(
        "memory",
        sa.Column("part", sa.String, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("part", name="pk_memory"),
    )
    op.create_table(
        "round",
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("token", sa.String, nullable=False),
        sa.Column("observations", sa.Integer, nullable=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("carried", sa.LargeBinary),
        sa.PrimaryKeyConstraint("number", name="pk_round"),
    )
    op.create_table(
        "transition",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        *(sa.Column(name, sa.String, nullable=False) for name in ("cluster", "model", "condition_before", "condition")),
        *(sa.Column(name, sa.String, nullable=False) for name in ("reason", "version_before", "version")),
        sa.PrimaryKeyConstraint("id", name="pk_transition"),
    )
    op.create_index("ix_transition_cluster_model_id", "transition", ["cluster", "model", "id"])
    if op.get_bind().dialect.name == "postgresql":
        # Packed already: to try once more would only cost time.
        for table in ("memory", "round"):
            op.execute(f"ALTER TABLE {table} ALTER COLUMN data SET STORAGE EXTERNAL")


def _carry_health(connection: sa.Connection) -> None:
    table = sa.table("health", sa.column("cluster"), sa.column("model"), sa.column("document"))
    text = sa.cast(table.c.document, sa.Text)
    documents = connection.execute(sa.select(text).order_by(table.c.cluster, table.c.model)).scalars()
    if data := _listed(documents):
        op.execute(_into("memory", part="documents", number=1, data=data))


def _carry_observations(connection: sa.Connection) -> None:
    """The newest of each predictor into the newest round, and so on."""
    table = sa.table(
        "observation", sa.column("cluster"), sa.column("model"), sa.column("n", sa.Integer), sa.column("document")
    )
    text = sa.cast(table.c.document, sa.Text)
    statement = sa.select(table.c.cluster, table.c.model, text).order_by(
        table.c.cluster, table.c.model, table.c.n.desc()
    )
    ages: dict[tuple[str, str], int] = defaultdict(int)
    rounds: dict[int, list[str]] = defaultdict(list)
    for cluster, model, document in connection.execute(statement):
        rounds[ages[cluster, model]].append(document)
        ages[cluster, model] += 1
    kept = connection.execute(sa.select(sa.func.count()).select_from(sa.table("memory"))).scalar_one()
    for age, documents in sorted(rounds.items(), reverse=True) or ([(0, [])] if kept else []):
        at = max((datetime.fromisoformat(json.loads(one)["at"]) for one in documents), default=datetime.now(UTC))
        row = {"number": max(1, len(rounds)) - age, "at": _stored(connection, at), "token": "carried over"}
        op.execute(_into("round", **row, observations=len(documents), data=_listed(documents) or b"[]"))


def _stored(connection: sa.Connection, at: datetime) -> datetime:
    """SQLite keeps no zone."""
    return at.astimezone(UTC) if connection.dialect.name == "postgresql" else at.astimezone(UTC).replace(tzinfo=None)


def _listed(documents: "sa.ScalarResult[str] | list[str]") -> bytes:
    """The documents as one JSON list; nothing for none."""
    text = ",".join(documents)
    return f"[{text}]".encode() if text else b""


def _into(name: str, **values: Any) -> sa.Insert:
    types: dict[str, Any] = {"data": sa.LargeBinary(), "at": _INSTANT}
    return sa.insert(sa.table(name, *(sa.column(key, types.get(key)) for key in values))).values(values)
