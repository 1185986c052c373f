"""The inventory, and the number that programs looked at before there were migrations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make what the first stores had."""
    op.create_table(
        "resources",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("shell", sa.String, nullable=False),
        sa.Column("model", sa.String, nullable=False),
        sa.Column("family", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("description", sa.String, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
        sa.Column("unique_identifier", sa.String, nullable=False),
        sa.Column("excluded", sa.Boolean, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("status_text", sa.String, nullable=False),
        sa.Column("app_request", sa.String, nullable=False),
        sa.Column("deployed_app", sa.String, nullable=False),
    )
    op.create_table("shelldock_schema", sa.Column("version", sa.Integer, nullable=False))
    op.execute("insert into shelldock_schema (version) values (1)")
