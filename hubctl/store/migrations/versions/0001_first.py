"""The first schema: health, good versions, observations, incidents, remediations, decisions, passes.

Written out, not derived from ``tables``: those move on, a released migration does not.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make every table."""
    _memory()
    _cases()
    _remedies()
    _audit()


def _memory() -> None:
    op.create_table(
        "health",
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("cluster", "model", name="pk_health"),
    )
    op.create_table(
        "good_version",
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("version", sa.String, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("cluster", "model", "version", name="pk_good_version"),
    )
    op.create_table(
        "observation",
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("n", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("cluster", "model", "n", name="pk_observation"),
    )


def _cases() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )
    op.create_index("ix_incident_state_created_at", "incident", ["state", "created_at"])
    unresolved = sa.text("state <> 'resolved'")
    op.create_index(
        "uq_incident_unresolved_key",
        "incident",
        ["key"],
        unique=True,
        sqlite_where=unresolved,
        postgresql_where=unresolved,
    )
    op.create_table(
        "evidence",
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "cluster", "model", "at", name="pk_evidence"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_evidence_incident_id"),
    )


def _remedies() -> None:
    op.create_table(
        "remediation",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_remediation"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_remediation_incident_id"),
    )
    op.create_index("ix_remediation_incident_id", "remediation", ["incident_id"])
    op.create_index("ix_remediation_state_created_at", "remediation", ["state", "created_at"])


def _audit() -> None:
    op.create_table(
        "decision",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("incident_key", sa.String, nullable=False),
        sa.Column("stream", sa.String, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("verdict", sa.String, nullable=False),
        sa.Column("reasons", sa.JSON, nullable=False),
        sa.Column("detail", sa.String, nullable=False),
        sa.Column("policy", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("mode", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_decision"),
    )
    op.create_index("ix_decision_incident_id", "decision", ["incident_id"])
    op.create_table(
        "pass",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("began_at", _INSTANT, nullable=False),
        sa.Column("ended_at", _INSTANT),
        sa.Column("commit", sa.String, nullable=False),
        sa.Column("summary", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_pass"),
        sqlite_autoincrement=True,
    )
