"""Who holds the data: one server at a time, and the next one is told who it is."""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Self

import msgspec
from sqlalchemy import Connection, text

from shelldock.errors import HeldError, StoreError
from shelldock.locks import FileLock, take
from shelldock.model import Value
from shelldock.store import Store

LOCK: Final = "server.lock"

_NUMBER: Final = 0x5DE11D0C
"""What all servers on one PostgreSQL database lock."""


class _Holder(Value, frozen=True, kw_only=True):
    """What a server writes into its lock."""

    pid: int
    program: str
    machine: str
    since: float


class Holding:
    """The data of a server: a folder, and the database, which may be on another machine. ``take`` makes it."""

    def __init__(self, lock: FileLock, session: Connection | None) -> None:
        self._lock = lock
        self._session = session

    @classmethod
    def take(cls, folder: Path, store: Store) -> Self:
        """Hold them until ``release``, or until this process ends, however it ends.

        Raises ``HeldError`` where another process does, and ``StoreError`` where the lock cannot be made.
        """
        path = folder / LOCK
        try:
            lock = take(path)
        except OSError as error:
            raise StoreError(
                f"cannot make the lock {str(path)!r}: {(error.strerror or str(error)).lower()}; the folder must be "
                "writable"
            ) from error
        if lock is None:
            raise _held(str(folder), _read(path))
        try:
            session = _session(store)
            _write(path)
        except BaseException:
            lock.release()
            raise
        return cls(lock, session)

    def release(self) -> None:
        """Let go of them."""
        if self._session is not None:
            self._session.close()
        self._lock.discard()


def _session(store: Store) -> Connection | None:
    """A session on a database server, with its lock; None for a file, as that lies in the folder."""
    with store.transaction() as connection:
        engine = connection.engine
    if engine.dialect.name != "postgresql":
        return None
    session = engine.connect()
    try:
        name = f"shelldock {os.getpid()} on {socket.gethostname()}"[:63]
        session.execute(text("select set_config('application_name', :name, false)"), {"name": name})
        taken = session.execute(text("select pg_try_advisory_lock(:n)"), {"n": _NUMBER}).scalar()
        session.commit()
        if not taken:
            raise HeldError(store.place, 0, 0.0, _of_database(session))
    except BaseException:
        session.close()
        raise
    session.detach()  # the pool would give it to somebody else
    return session


def _of_database(session: Connection) -> str:
    found = session.execute(
        text(
            "select a.application_name from pg_locks l join pg_stat_activity a using (pid)"
            " where l.locktype = 'advisory' and l.granted and l.objid = :n"
        ),
        {"n": _NUMBER},
    ).scalar()
    return str(found or "one that has just ended")


def _write(path: Path) -> None:
    holder = _Holder(
        pid=os.getpid(),
        program=" ".join(sys.orig_argv),
        machine=socket.gethostname(),
        since=time.time(),
    )
    try:
        path.write_bytes(msgspec.json.encode(holder))
    except OSError as error:
        raise StoreError(
            f"cannot write the lock {str(path)!r}: {(error.strerror or str(error)).lower()}; make room and try again"
        ) from error


def _read(path: Path) -> _Holder | None:
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(path.read_bytes(), type=_Holder)
    return None  # it has just begun, or just ended


def _held(place: str, holder: _Holder | None) -> HeldError:
    if holder is None:
        return HeldError(place, 0, 0.0, "one that has just started or is about to end")
    since = datetime.fromtimestamp(holder.since).astimezone().isoformat(sep=" ", timespec="seconds")
    said = f"process {holder.pid} on {holder.machine} ({holder.program}), since {since}"
    return HeldError(place, holder.pid, holder.since, said)
