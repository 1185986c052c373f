"""The tables of the store, as the newest migration leaves them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

HEAD: Final = "0004"
"""The newest migration. Whoever changes a table adds one to ``migrations``, and raises this."""

metadata: Final = MetaData()

# Alembic's own: which migration left the tables as they are.
revisions: Final = Table(
    "alembic_version",
    metadata,
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)

# What programs look at that know of no migrations: 2 keeps them away, and stays.
schema: Final = Table("shelldock_schema", metadata, Column("version", Integer, nullable=False))
SCHEMA: Final = 2

# Names compare as they are written; the folder of a sub-resource is part of its name.
resources: Final = Table(
    "resources",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("shell", String, nullable=False),
    Column("model", String, nullable=False),
    Column("family", String, nullable=False),
    Column("address", String, nullable=False),
    Column("description", String, nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("unique_identifier", String, nullable=False),
    Column("excluded", Boolean, nullable=False),
    Column("status", String, nullable=False),
    Column("status_text", String, nullable=False),
    Column("app_request", String, nullable=False),
    Column("deployed_app", String, nullable=False),
    Column("folder", String, nullable=False, server_default=""),
)

# A cable is two rows, one for each end: so an end has one at most. Ids stay when discovery changes a name.
connections: Final = Table(
    "connections",
    metadata,
    Column("resource", String(36), primary_key=True),
    Column("other", String(36), nullable=False, unique=True),
    Column("weight", Integer, nullable=False),
)

executions: Final = Table(
    "executions",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    # what is asked for by: the rest of an execution is in its record
    Column("id", String(36), nullable=False, unique=True),
    Column("state", String(16), nullable=False),
    Column("target", String, nullable=False),
    Column("sandbox", String, nullable=False),
    Column("command", String, nullable=False),
    Column("user", String, nullable=False),
    Column("accepted", Float, nullable=False),
    Column("ended", Float),
    Column("request_key", String),
    Column("request_digest", String),
    Column("record", Text, nullable=False),
    Column("result", Text),  # where it is long; else it is in the record
    UniqueConstraint("user", "request_key", name="one_execution_per_request"),
    Index("executions_by_state", "state"),
    Index("executions_by_target", "target", "number"),
    Index("executions_by_sandbox", "sandbox", "number"),
    Index("executions_by_end", "ended"),
)

sandboxes: Final = Table(
    "sandboxes",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("name", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("state", String(16), nullable=False),
    Column("started", Float, nullable=False),
    Column("ended", Float),
    Column("record", Text, nullable=False),
    Index("sandboxes_by_state", "state"),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("sandbox", String(36), nullable=False),
    Column("record", Text, nullable=False),
    Index("messages_by_sandbox", "sandbox", "number"),
)

users: Final = Table(
    "users",
    metadata,
    Column("name", String, primary_key=True),
    Column("folded", String, nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("email", String, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("password", String, nullable=False),
    Column("created", Float, nullable=False),
)

tokens: Final = Table(
    "tokens",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("user", String, nullable=False),
    Column("name", String, nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    Column("created", Float, nullable=False),
    Column("expires", Float),
    Column("used", Float),
)

audit: Final = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("user", String, nullable=False),
    Column("address", String, nullable=False),
    Column("action", String, nullable=False),
    Column("object", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("detail", Text, nullable=False),
    Index("audit_by_time", "at"),
)
