"""What survives a restart, in a database: SQLite by default, another one by URL."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Final, Self

from shelldock.model import Resource

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shelldock.database import Database
    from shelldock.rows import Change

MEMORY: Final = "sqlite://"


class Store:
    """The database behind a host; opened on the first use, safe to share between threads and processes.

    :param url: a database URL as SQLAlchemy has it: ``sqlite:////var/lib/shelldock/state.db``, or
        ``postgresql://user:password@host/database``. Its tables are made where they are missing, and brought up to
        this version where an earlier one left them. Raises ``StoreError`` where it is none.

    Every method raises ``StoreError`` with one line where the database cannot be read or written.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._database: Database | None = None
        if url != MEMORY:
            self._needed()

    @classmethod
    def memory(cls) -> Self:
        """A store that ends with its host, for hosts that need no state."""
        return cls(MEMORY)

    @property
    def place(self) -> str:
        """Where the data are, fit to be shown: a file's path, or the URL without its password."""
        return self._needed().place

    def resources(self) -> list[Resource]:
        """Every resource, parents before their children."""
        if self._database is None:
            return []  # in memory, where nobody has put anything yet
        return self._database.resources()

    def change(self) -> AbstractContextManager[Change]:
        """Open a change: nobody else writes meanwhile, and all of it is kept, or none if it raises."""
        return self._needed().change()

    def transaction(self, *, write: bool = False) -> AbstractContextManager[Connection]:
        """One transaction: all of it is kept, or none if it raises; nobody else writes while one writes."""
        return self._needed().transaction(write=write)

    def close(self) -> None:
        """Let go of the database; the next use opens it again (what was in memory is gone)."""
        if self._database is not None:
            self._database.close()

    def _needed(self) -> Database:
        with self._lock:
            if self._database is None:
                # Its library takes longer to import than most commands take, and some hosts keep nothing.
                from shelldock.database import Database

                self._database = Database(self._url)
            return self._database
