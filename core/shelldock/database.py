"""The database behind a store: opened when it is first used, its trouble said in one line."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, create_engine, event, insert, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from shelldock.errors import StoreError
from shelldock.model import Resource
from shelldock.rows import Change, every
from shelldock.tables import HEAD, SCHEMA, metadata, revisions, schema

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

BUSY: Final = 5.0
"""Seconds that a process waits for another one's write before it gives up."""

CONNECT: Final = 10
"""Seconds that a database server has to take a connection."""

_PRAGMAS: Final = ("foreign_keys = ON", "journal_mode = WAL", "synchronous = FULL")

_SHARED: Final = ("host", "port")
"""What of a URL's options may be shown."""

_WRITER: Final = 0x5DE11D0B
"""What whoever writes to a PostgreSQL database locks until the end of the transaction."""


class Database:
    """What a ``Store`` asks, once it has something to ask: the same methods.

    :param url: as for ``Store``. Raises ``StoreError`` where it is none.
    """

    def __init__(self, url: str) -> None:
        self._url = _parsed(url)
        self._engine: Engine | None = None
        self._lock = threading.RLock()
        # A store in memory is one connection, which takes one transaction at a time.
        self._alone = _in_memory(self._url)

    @property
    def place(self) -> str:
        """See ``Store.place``."""
        return _place(self._url)

    def resources(self) -> list[Resource]:
        """See ``Store.resources``."""
        with self.transaction() as connection:
            return every(connection)

    @contextmanager
    def change(self) -> Iterator[Change]:
        """See ``Store.change``."""
        with self.transaction(write=True) as connection:
            yield Change(connection)

    def close(self) -> None:
        """See ``Store.close``."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def transaction(self, *, write: bool = False) -> Iterator[Connection]:
        """See ``Store.transaction``."""
        turn = self._lock if write or self._alone else nullcontext()
        with turn, _said(self._url), _begun(self._open(), write=write) as connection:
            yield connection

    def _open(self) -> Engine:
        with self._lock:
            if self._engine is None:
                engine = _engine(self._url)
                try:
                    _prepare(engine, self.place)
                except BaseException:
                    engine.dispose()
                    raise
                self._engine = engine
            return self._engine


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # the latter where the port is no number
        raise _unusable(url) from None
    if parsed.drivername in ("postgres", "postgresql"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() not in ("sqlite", "postgresql"):
        raise _unusable(url)
    return parsed


def _unusable(url: str) -> StoreError:
    shown = re.sub(r".*@", "…@", url, flags=re.DOTALL)  # what is before may hold a password
    return StoreError(
        f"cannot use {shown!r} as a store: not a URL such as 'sqlite:////path/to/state.db' or "
        "'postgresql://user:password@host/database'"
    )


def _in_memory(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "sqlite":
        return _sqlite(url)
    try:
        # A connection is looked at before it is used again: the server may have been restarted.
        engine = create_engine(
            url,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": CONNECT} | url.query,
        )
    except (ImportError, ArgumentError) as error:
        raise StoreError(
            f"cannot use the store {_place(url)!r}: its driver is not installed: {error}; "
            "install shelldock[postgresql]"
        ) from None
    event.listen(engine, "begin", _begin_postgresql)
    return engine


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("shelldock_write"):
        connection.exec_driver_sql(f"set local lock_timeout = {int(BUSY * 1000)}")
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_WRITER})")


def _sqlite(url: URL) -> Engine:
    if _in_memory(url):
        engine = create_engine(
            url,
            poolclass=StaticPool,
            paramstyle="named",
            hide_parameters=True,
            connect_args={"check_same_thread": False},
        )
    else:
        _make_folder(Path(str(url.database)).parent)
        engine = create_engine(
            url, paramstyle="named", hide_parameters=True, connect_args={"timeout": BUSY}
        )
    event.listen(engine, "connect", _connect_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"cannot make the folder {str(folder)!r} for the store: {error.strerror}"
        ) from error


def _connect_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver's own transactions begin too late (at the first write), so it is told to leave them to us.
    connection.isolation_level = None
    try:
        for pragma in _PRAGMAS:
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA {pragma}")
            cursor.close()
    except BaseException:
        connection.close()  # nobody else knows of it yet
        raise


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("shelldock_write")
    # A transaction that reads first and writes later would fail when another writer comes between.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def _begun(engine: Engine, *, write: bool) -> Iterator[Connection]:
    with (
        engine.connect().execution_options(shelldock_write=write) as connection,
        connection.begin(),
    ):
        yield connection


def _prepare(engine: Engine, place: str) -> None:
    with _begun(engine, write=False) as connection:
        if _revision(connection) == HEAD:
            return
    with _begun(engine, write=True) as connection:  # nobody else gets here meanwhile
        found = _revision(connection)  # somebody else may have been quicker
        if found is None:
            _make(connection)
        elif found > HEAD:
            raise StoreError(
                f"cannot use {place!r}: a newer version of shelldock wrote it (its schema is {found}, and this version "
                f"knows {HEAD}); use that version, or another store"
            )
        elif found < HEAD:
            _upgrade(connection, found, place)


def _revision(connection: Connection) -> str | None:
    """Which migration left the tables as they are; None where there are none."""
    there = inspect(connection)
    if there.has_table(revisions.name):
        return connection.execute(select(revisions.c.version_num)).scalar()
    if there.has_table(schema.name):
        return f"{connection.execute(select(schema.c.version)).scalar() or 0:04}"
    return None


def _make(connection: Connection) -> None:
    # Tables of somebody else are not taken for ours.
    metadata.create_all(connection, checkfirst=False)
    connection.execute(insert(schema).values(version=SCHEMA))
    connection.execute(insert(revisions).values(version_num=HEAD))


def _upgrade(connection: Connection, found: str, place: str) -> None:
    # Alembic takes longer to import than most commands take, and is needed once in a store's version.
    from alembic.util import CommandError

    from shelldock import migrations

    try:
        if not inspect(connection).has_table(revisions.name):
            migrations.stamp(connection, found)
        migrations.upgrade(connection)
    except CommandError as error:
        raise StoreError(f"cannot bring {place!r} up to this version: {error}") from error


@contextmanager
def _said(url: URL) -> Iterator[None]:
    """Turn the database's trouble into one line that says where and, where known, what to do."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreError(f"cannot use the store {_place(url)!r}: {_reason(error)}") from error


def _reason(error: SQLAlchemyError) -> str:
    said = " ".join(str(getattr(error, "orig", None) or error).split())
    return next((f"{said}; {hint}" for part, hint in _HINTS.items() if part in said), said)


_HINTS: Final = {
    "database is locked": f"another process has been writing for {BUSY:g} s; try again",
    "disk is full": "make room and try again",
    "unable to open": "its folder must exist and be writable",
    "readonly database": "the file and its folder must be writable",
    "not a database": "move the file away to begin with an empty store",
    "already exists": "it has tables of something else; give shelldock a database of its own",
    "lock timeout": f"another process has been writing for {BUSY:g} s; try again",
    "malformed": "the file is damaged; restore a copy, or move it away to begin with an empty store",
}


def _place(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return url.database or "memory"
    shared = {name: value for name, value in url.query.items() if name in _SHARED}
    return url.set(drivername="postgresql", query=shared).render_as_string(hide_password=True)
