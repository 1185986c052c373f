"""How a store of an earlier version becomes one of this: Alembic's steps, each in ``versions``."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

HERE: Final = Path(__file__).parent


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run the steps that the database lacks, up to the revision ``to``, in the transaction of the connection.

    A database without a revision begins before the first step. Raises what Alembic and SQLAlchemy raise.
    """
    command.upgrade(_config(connection), to)


def stamp(connection: Connection, revision: str) -> None:
    """Write down that the database is at a revision, and change nothing else."""
    command.stamp(_config(connection), revision)


def _config(connection: Connection) -> Config:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(HERE).replace("%", "%%"))
    return config
