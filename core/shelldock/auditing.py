"""Who changed what, and who tried to: a line for each, in the store."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import insert, select

from shelldock.model import Audit
from shelldock.store import Store
from shelldock.tables import audit

LONGEST: Final = 1000
"""Characters of an object's name, or of a detail."""


class Auditing:
    """Lines are added and read, never changed. Both block, and raise ``StoreError``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(self, line: Audit) -> None:
        """Add a line; its ``id`` is given here."""
        row = msgspec.to_builtins(line)
        del row["id"]
        row["object"] = row["object"][:LONGEST]
        row["detail"] = row["detail"][:LONGEST]
        with self._store.transaction(write=True) as connection:
            connection.execute(insert(audit), row)

    def read(self, *, user: str | None = None, before: int = 0, limit: int = 100) -> list[Audit]:
        """The newest lines, newest first.

        :param before: only lines older than the one with this id; 0: the newest.
        """
        statement = select(audit).order_by(audit.c.id.desc()).limit(limit)
        if user is not None:
            statement = statement.where(audit.c.user == user)
        if before:
            statement = statement.where(audit.c.id < before)
        with self._store.transaction() as connection:
            rows = connection.execute(statement).mappings()
            return [msgspec.convert({str(key): row[key] for key in row}, Audit) for row in rows]
