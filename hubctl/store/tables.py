"""The tables, for SQLite and PostgreSQL alike. The migrations make them; a test holds the two together.

A noun lies whole in its ``document``, or with many others in packed ``data``; only what a statement selects, orders or
guards by is a column of its own.
"""

from datetime import UTC, datetime

import sqlalchemy as sa

REVISION = "0006"
"""The newest migration; known here so that opening a current store need not import Alembic."""

VERSION_TABLE = "hubctl_version"
"""Holds the revision; not Alembic's default name, since a PostgreSQL database may be shared."""

METADATA = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)


class UtcDateTime(sa.TypeDecorator[datetime]):
    """An aware datetime, stored as UTC on every database and read back aware."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """UTC for the database; SQLite keeps no zone, so it gets none.

        Raises:
            ValueError: the datetime is naive.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"expected a datetime with a time zone, found {value!r}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """An aware datetime in UTC, whatever zone the session shows."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class Words(sa.TypeDecorator[str]):
    """Text for people, which others may have said; the one character that PostgreSQL cannot hold is shown as lost."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - SQLAlchemy's
        """The text without NUL."""
        return value and value.replace("\0", "\ufffd")


# What is remembered of predictors, packed (`memory`); a fleet of any size is a few rows.
memory = sa.Table(
    "memory",
    METADATA,
    sa.Column("part", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
)

rounds = sa.Table(
    "round",
    METADATA,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("token", sa.String, nullable=False),
    sa.Column("observations", sa.Integer, nullable=False),
    sa.Column("data", sa.LargeBinary, nullable=False),
    sa.Column("carried", sa.LargeBinary),
)

transition = sa.Table(
    "transition",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("cluster", sa.String, nullable=False),
    sa.Column("model", sa.String, nullable=False),
    sa.Column("condition_before", sa.String, nullable=False),
    sa.Column("condition", sa.String, nullable=False),
    sa.Column("reason", Words, nullable=False),
    sa.Column("version_before", sa.String, nullable=False),
    sa.Column("version", sa.String, nullable=False),
    sa.Index(None, "cluster", "model", "id"),
)

good_version = sa.Table(
    "good_version",
    METADATA,
    sa.Column("cluster", sa.String, primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("version", sa.String, primary_key=True),
    sa.Column("at", UtcDateTime, nullable=False),
)

incident = sa.Table(
    "incident",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("key", sa.String, nullable=False),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Index(None, "state", "created_at"),
    sa.Index(
        "uq_incident_unresolved_key",
        "key",
        unique=True,
        sqlite_where=sa.text("state <> 'resolved'"),
        postgresql_where=sa.text("state <> 'resolved'"),
    ),
)

evidence = sa.Table(
    "evidence",
    METADATA,
    sa.Column("incident_id", sa.String, sa.ForeignKey("incident.id"), primary_key=True),
    sa.Column("cluster", sa.String, primary_key=True),
    sa.Column("model", sa.String, primary_key=True),
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("document", sa.JSON, nullable=False),
)

witness = sa.Table(
    "witness",
    METADATA,
    sa.Column("cluster", sa.String, primary_key=True),
    sa.Column("document", sa.JSON, nullable=False),
)

testimony = sa.Table(
    "testimony",
    METADATA,
    sa.Column("incident_id", sa.String, sa.ForeignKey("incident.id"), primary_key=True),
    sa.Column("cluster", sa.String, primary_key=True),
    sa.Column("at", UtcDateTime, primary_key=True),
    sa.Column("document", sa.JSON, nullable=False),
)

remediation = sa.Table(
    "remediation",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("incident_id", sa.String, sa.ForeignKey("incident.id"), nullable=False, index=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Column("epoch", sa.Integer, nullable=False, server_default="0"),
    sa.Index(None, "state", "created_at"),
)

# No foreign key: the audit trail outlives what it is about.
decision = sa.Table(
    "decision",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("incident_id", sa.String, nullable=False, index=True),
    sa.Column("incident_key", sa.String, nullable=False),
    sa.Column("stream", sa.String, nullable=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("last_at", UtcDateTime, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("verdict", sa.String, nullable=False),
    sa.Column("reasons", sa.JSON, nullable=False),
    sa.Column("detail", Words, nullable=False),
    sa.Column("policy", sa.String, nullable=False),
    sa.Column("action", sa.String, nullable=False),
    sa.Column("mode", sa.String, nullable=False),
)

pause = sa.Table(
    "pause",
    METADATA,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
    sa.Column("until", UtcDateTime, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("updated_at", UtcDateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
    sa.Index(None, "state", "until"),
)

inventory = sa.Table(
    "inventory",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("at", UtcDateTime, nullable=False),
    sa.Column("document", sa.JSON, nullable=False),
)

passes = sa.Table(
    "pass",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("began_at", UtcDateTime, nullable=False),
    sa.Column("ended_at", UtcDateTime),
    sa.Column("commit", sa.String, nullable=False),
    sa.Column("summary", Words, nullable=False),
    sa.Column("configuration", sa.String, nullable=False, server_default=""),
    sa.Column("complaint", Words, nullable=False, server_default=""),
    sqlite_autoincrement=True,
)

# One row; a transaction that writes looks at it first.
term = sa.Table(
    "term",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("epoch", sa.Integer, nullable=False),
    sa.Column("holder", sa.String, nullable=False),
    sa.Column("since", UtcDateTime, nullable=False),
)
