"""What became of every command, in the store before anybody hears of it."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import (
    ColumnElement,
    Connection,
    Insert,
    Update,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)

from shelldock.errors import CancelledError, InputError, InstanceLost, NotFoundError, StoreError
from shelldock.holding import Holding
from shelldock.model import Execution, Failure, History, Request
from shelldock.settings import HistorySettings
from shelldock.store import Store
from shelldock.tables import executions

TIDY: Final = 600.0
"""Seconds between two removals of what is older than it may be."""

RETRY: Final = 1.0
"""Seconds until the next try to write what could not be written."""

LONG: Final = 100_000
"""Characters of a result that is kept beside the record: as a part of it, it would be copied several times."""

Row = dict[str, object]

log = logging.getLogger(__name__)


@dataclass
class _Entry:
    """What is to be written of an execution: the newest of it."""

    execution: Execution
    new: bool = False
    request: Request | None = None
    waiting: list[asyncio.Future[None]] = field(default_factory=list)


class Ledger:
    """The executions in the store. One thread writes whatever has come since it wrote last: many share a commit.

    :param folder: that of the data, which one ledger holds at a time.
    """

    def __init__(self, store: Store, folder: Path, kept: HistorySettings) -> None:
        self._store = store
        self._folder = folder
        self._kept = kept
        self._insert = _Statement(_INSERT)
        self._update = _Statement(_UPDATE)
        self._fresh: dict[str, _Entry] = {}  # these two are of the loop's thread alone
        self._ripe: dict[str, _Entry] = {}
        self._ripening = False
        self._come = threading.Condition()
        self._entries: dict[str, _Entry] = {}
        self._writing: dict[str, _Entry] = {}
        self._owed: dict[str, _Entry] = {}
        self._ending = False
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._holding: Holding | None = None

    # ---- life -----------------------------------------------------------------------------------

    async def open(self) -> None:
        """Take hold of the data, and say of what was under way when they were last let go what became of it.

        Raises ``HeldError`` and ``StoreError``.
        """
        self._loop = asyncio.get_running_loop()
        self._holding = await asyncio.to_thread(Holding.take, self._folder, self._store)
        await asyncio.to_thread(self._settle)
        self._thread = threading.Thread(target=self._write_on, name="ledger", daemon=True)
        self._thread.start()

    async def close(self) -> None:
        """Write all that is left, and let go of the data."""
        with self._come:
            self._ending = True
            self._come.notify()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join)
            self._thread = None
        if self._holding is not None:
            await asyncio.to_thread(self._holding.release)
            self._holding = None

    # ---- writing --------------------------------------------------------------------------------

    def write(
        self, execution: Execution, *, new: bool = False, request: Request | None = None
    ) -> asyncio.Future[None]:
        """Have it written as it is now; the future is done when it is safe on the disk.

        It raises ``StoreError`` where that fails, and ``InputError`` for text that cannot be written. What is not new
        is tried again, all the same, until it succeeds or turns out to be no text.
        """
        written = self._loop.create_future()
        if new:
            self._fresh[execution.id] = _Entry(execution, True, request, [written])
            if not self._ripening:
                self._ripening = True
                self._loop.call_soon(self._ripen)
            return written
        entry = self._fresh.pop(execution.id, None) or self._ripe.pop(execution.id, None)
        with self._come:
            if entry is None:
                entry = self._entries.get(execution.id) or _Entry(execution)
            entry.execution = execution
            entry.waiting.append(written)
            self._entries[execution.id] = entry
            self._come.notify()
        return written

    def keep(self, execution: Execution) -> None:
        """Have it written as it is now with the next commit, for which nobody waits."""
        with self._come:
            self._entries.setdefault(execution.id, _Entry(execution)).execution = execution
            self._come.notify()

    async def flush(self) -> None:
        """Wait until all is written, or refused, that came before."""
        with self._come:
            every = (self._writing, self._entries, self._ripe, self._fresh)
            waiting = [one for some in every for entry in some.values() for one in entry.waiting]
        if waiting:
            await asyncio.wait(waiting)

    def _ripen(self) -> None:
        """Hand over what was accepted a whole round of the loop ago: had it started at once, it would have by now."""
        if self._ripe:
            with self._come:
                self._entries |= self._ripe
                self._come.notify()
        self._ripe, self._fresh = self._fresh, {}
        self._ripening = bool(self._ripe)
        if self._ripening:
            self._loop.call_soon(self._ripen)

    def _write_on(self) -> None:
        tidied = -TIDY
        ending = False
        while not ending:
            if time.monotonic() - tidied >= TIDY:
                tidied = time.monotonic()
                self._tidy()
            with self._come:
                if not self._entries and not self._ending:
                    self._come.wait(RETRY if self._owed else TIDY)
                ending = self._ending
                self._writing, self._entries = self._owed | self._entries, {}
                self._owed = {}
            if self._writing:
                self._write_together(self._writing)

    def _write_together(self, entries: dict[str, _Entry]) -> None:
        failed = self._commit(entries.values())
        if failed is None:
            self._tell(entries.values(), None)
            return
        # One that cannot be written must not hold up the others.
        for name, entry in entries.items():
            alone = failed if len(entries) == 1 else self._commit([entry])
            self._tell([entry], alone)
            if isinstance(alone, StoreError) and not entry.new:
                entry.waiting = []
                self._owed[name] = entry

    def _commit(self, entries: Collection[_Entry]) -> StoreError | InputError | None:
        try:
            new = [_row(entry) for entry in entries if entry.new]
            changed = [_change(entry.execution) for entry in entries if not entry.new]
            with self._store.transaction(write=True) as connection:
                self._insert.run(connection, new)
                self._update.run(connection, changed)
        except StoreError as error:
            log.error("%d executions could not be recorded: %s", len(entries), error)
            return error
        except UnicodeEncodeError as error:
            log.error("%d executions could not be recorded: %s", len(entries), error)
            return _no_text(next(iter(entries)).execution, error)
        except Exception as error:
            log.exception("%d executions could not be recorded", len(entries))
            return StoreError(f"internal error, please report it: {type(error).__name__}: {error}")
        return None

    def _tell(self, entries: Iterable[_Entry], error: StoreError | InputError | None) -> None:
        waiting = [one for entry in entries for one in entry.waiting]
        if waiting:
            self._loop.call_soon_threadsafe(_settle_all, waiting, error)

    # ---- after a crash, and after years ------------------------------------------------------------

    def _settle(self) -> None:
        """End on paper what nobody runs any more: nothing is ever run a second time."""
        with self._store.transaction(write=True) as connection:
            found = connection.execute(
                select(*_READ).where(executions.c.state.in_(("accepted", "running")))
            )
            ended = [_change(_given_up(_read(*row))) for row in found]
            self._update.run(connection, ended)
        if ended:
            log.warning("%d executions were under way when the last server ended", len(ended))

    def _tidy(self) -> None:
        """Remove the executions that are older, or more, than are kept."""
        try:
            with self._store.transaction(write=True) as connection:
                too_old = executions.c.ended < time.time() - self._kept.unused_after
                connection.execute(delete(executions).where(too_old))
                if self._kept.most:
                    self._remove_surplus(connection)
        except StoreError as error:
            log.error("old executions could not be removed: %s", error)

    def _remove_surplus(self, connection: Connection) -> None:
        newest = connection.execute(select(func.max(executions.c.number))).scalar() or 0
        connection.execute(
            delete(executions).where(
                executions.c.number <= newest - self._kept.most, executions.c.ended.is_not(None)
            )
        )

    # ---- reading --------------------------------------------------------------------------------

    def get(self, id: str) -> Execution:
        """The execution with this id. Raises ``NotFoundError``."""
        with self._store.transaction() as connection:
            row = connection.execute(select(*_READ).where(executions.c.id == id)).first()
        if row is None:
            raise NotFoundError("execution", id, hint="it may have ended long ago")
        return _read(*row)

    def requested(self, user: str, key: str) -> tuple[str, str] | None:
        """The id of the execution that a user asked for with this key, and the digest of the request."""
        with self._store.transaction() as connection:
            row = connection.execute(
                select(executions.c.id, executions.c.request_digest).where(
                    executions.c.user == user, executions.c.request_key == key
                )
            ).first()
        return (row[0], row[1]) if row else None

    def page(self, wanted: dict[str, str], before: str, limit: int) -> History:
        """A page of the history, newest first.

        :param wanted: values by column. :param before: the ``next`` of the page before it.
        """
        conditions: list[ColumnElement[bool]] = [
            executions.c[name] == value for name, value in wanted.items()
        ]
        if before:
            conditions.append(executions.c.number < _number(before))
        with self._store.transaction() as connection:
            rows = connection.execute(
                select(executions.c.number, *_READ)
                .where(*conditions)
                .order_by(executions.c.number.desc())
                .limit(limit + 1)
            ).all()
        page = rows[:limit]
        more = str(page[-1].number) if len(rows) > limit else ""
        return History(executions=[_read(*row[1:]) for row in page], next=more)


_READ: Final = (executions.c.record, executions.c.result)
_INSERT: Final = insert(executions).values({
    name: bindparam(name)
    for name in (
        "id", "state", "target", "sandbox", "command", "user", "accepted", "ended", "record",
        "request_key", "request_digest",
    )
}).inline()  # fmt: skip
_UPDATE: Final = (
    update(executions)
    .where(executions.c.id == bindparam("of"))
    .values({name: bindparam(name) for name in ("state", "ended", "record", "result")})
)


class _Statement:
    """One statement for many rows.

    They reach the driver as they are: SQLAlchemy takes longer to look at each than the database to write it.
    """

    def __init__(self, statement: Insert | Update) -> None:
        self._statement = statement
        self._text = ""

    def run(self, connection: Connection, rows: list[Row]) -> None:
        """Execute it for all of them; for none, not at all."""
        if not rows:
            return
        if not self._text:
            self._text = str(self._statement.compile(dialect=connection.dialect))
        connection.exec_driver_sql(self._text, rows)


def _row(entry: _Entry) -> Row:
    execution, request = entry.execution, entry.request
    return {
        "id": execution.id,
        "state": execution.state,
        "target": execution.target,
        "sandbox": execution.sandbox,
        "command": execution.command,
        "user": execution.user,
        "accepted": execution.accepted,
        "ended": execution.ended,
        "record": msgspec.json.encode(execution).decode(),
        "request_key": request.key if request else None,
        "request_digest": request.digest if request else None,
    }


def _change(execution: Execution) -> Row:
    result = execution.result
    if result is not None and _is_kept_apart(result):
        execution = replace(execution, result=None)
    else:
        result = None
    return {
        "of": execution.id,
        "state": execution.state,
        "ended": execution.ended,
        "record": msgspec.json.encode(execution).decode(),
        "result": result,
    }


def _is_kept_apart(result: str) -> bool:
    # Not every database takes a zero byte in a text as it is.
    return len(result) > LONG and "\0" not in result


def _no_text(execution: Execution, error: UnicodeEncodeError) -> InputError:
    return InputError(
        f"{execution.command!r} of {execution.target!r} cannot be recorded, as its text is no Unicode: {error}"
    )


def _read(record: str, result: str | None) -> Execution:
    try:
        execution = msgspec.json.decode(record, type=Execution)
    except msgspec.DecodeError as error:
        raise StoreError(f"cannot read an execution from the store: {error}") from None
    return execution if result is None else replace(execution, result=result)


def _given_up(execution: Execution) -> Execution:
    """What is said of an execution whose server ended under it."""
    if execution.state == "accepted":
        cancelled = CancelledError(
            f"{execution.command!r} of {execution.target!r} was cancelled: the server ended before it could start; "
            "ask for it again"
        )
        return replace(
            execution, state="cancelled", ended=time.time(), failure=Failure.of(cancelled)
        )
    lost = InstanceLost(
        f"{execution.command!r} of {execution.target!r} was interrupted: the server ended while it ran, and nobody "
        "knows how far it came; look at the device before you ask for it again"
    )
    return replace(execution, state="interrupted", ended=time.time(), failure=Failure.of(lost))


def _number(cursor: str) -> int:
    if not cursor.isdecimal() or len(cursor) > 18:
        raise InputError(f"{cursor!r} is no place in the history; give the 'next' of a page")
    return int(cursor)


def _settle_all(waiting: list[asyncio.Future[None]], error: StoreError | InputError | None) -> None:
    for one in waiting:
        if one.done():
            continue
        if error is None:
            one.set_result(None)
        else:
            one.set_exception(error)
            one.exception()  # whoever does not wait has seen it in the log
