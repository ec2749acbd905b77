"""Terms of leaders, the epoch of each remediation's latest write, the configuration of each pass."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of the latest term, and the columns; what is there was written without an election."""
    op.create_table(
        "term",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("holder", sa.String, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_term"),
    )
    op.add_column("remediation", sa.Column("epoch", sa.Integer, nullable=False, server_default="0"))
    op.add_column("pass", sa.Column("configuration", sa.String, nullable=False, server_default=""))
    op.add_column("pass", sa.Column("complaint", sa.String, nullable=False, server_default=""))
