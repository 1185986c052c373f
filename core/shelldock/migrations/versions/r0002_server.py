"""What a server keeps: executions, sandboxes and their output, users, tokens, and who did what.

Some of these tables are in stores that were made while they came to be.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the tables, and keep programs away that know only the first ones."""
    _executions()
    _sandboxes()
    _users()
    _audit()
    op.execute("update shelldock_schema set version = 2")


def _executions() -> None:
    op.create_table(
        "executions",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(36), nullable=False, unique=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("sandbox", sa.String, nullable=False),
        sa.Column("command", sa.String, nullable=False),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("accepted", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("request_key", sa.String),
        sa.Column("request_digest", sa.String),
        sa.Column("record", sa.Text, nullable=False),
        sa.UniqueConstraint("user", "request_key", name="one_execution_per_request"),
        if_not_exists=True,
    )
    _index("executions_by_state", "executions", "state")
    _index("executions_by_target", "executions", "target", "number")
    _index("executions_by_sandbox", "executions", "sandbox", "number")
    _index("executions_by_end", "executions", "ended")


def _sandboxes() -> None:
    op.create_table(
        "sandboxes",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("ended", sa.Float),
        sa.Column("record", sa.Text, nullable=False),
        if_not_exists=True,
    )
    _index("sandboxes_by_state", "sandboxes", "state")
    op.create_table(
        "messages",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("sandbox", sa.String(36), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        if_not_exists=True,
    )
    _index("messages_by_sandbox", "messages", "sandbox", "number")


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("folded", sa.String, nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("email", sa.String, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("password", sa.String, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("used", sa.Float),
        if_not_exists=True,
    )


def _audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("user", sa.String, nullable=False),
        sa.Column("address", sa.String, nullable=False),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("object", sa.String, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        if_not_exists=True,
    )
    _index("audit_by_time", "audit", "at")


def _index(name: str, table: str, *columns: str) -> None:
    op.create_index(name, table, columns, if_not_exists=True)
