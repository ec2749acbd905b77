"""Witnesses: what the hub's objects say of spokes, in the latest pass and behind incidents."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "witness",
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("cluster", name="pk_witness"),
    )
    op.create_table(
        "testimony",
        sa.Column("incident_id", sa.String, nullable=False),
        sa.Column("cluster", sa.String, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "cluster", "at", name="pk_testimony"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_testimony_incident_id"),
    )
