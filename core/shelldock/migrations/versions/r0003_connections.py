"""Where resources lie, and what they are connected to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Put all that is there into no folder."""
    op.add_column("resources", sa.Column("folder", sa.String, nullable=False, server_default=""))
    op.create_table(
        "connections",
        sa.Column("resource", sa.String(36), primary_key=True),
        sa.Column("other", sa.String(36), nullable=False, unique=True),
        sa.Column("weight", sa.Integer, nullable=False),
    )
