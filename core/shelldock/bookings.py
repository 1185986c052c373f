"""The sandboxes in the store: what is in use survives its server."""

from __future__ import annotations

import time
from typing import Final

import msgspec
from msgspec.structs import replace
from sqlalchemy import delete, insert, select, update

from shelldock.errors import NotFoundError, StoreError
from shelldock.model import Message, Sandbox, SandboxDetails
from shelldock.store import Store
from shelldock.tables import messages, sandboxes

KEPT: Final = 1000
"""The newest messages of a sandbox that are read back."""


class Bookings:
    """Writes sandboxes as they change and reads them back. Every method blocks, and raises ``StoreError``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def add(self, details: SandboxDetails) -> None:
        """Write a new sandbox."""
        with self._store.transaction(write=True) as connection:
            connection.execute(insert(sandboxes), _row(details))

    def save(self, details: SandboxDetails) -> None:
        """Write a sandbox as it is now."""
        row = _row(details)
        with self._store.transaction(write=True) as connection:
            connection.execute(update(sandboxes).where(sandboxes.c.id == row["id"]).values(row))

    def under_way(self) -> list[SandboxDetails]:
        """Those that have not ended, oldest first."""
        with self._store.transaction() as connection:
            records = connection.execute(
                select(sandboxes.c.record)
                .where(sandboxes.c.state != "ended")
                .order_by(sandboxes.c.started)
            ).scalars()
            return [_read(record) for record in records]

    def get(self, id: str) -> SandboxDetails:
        """The sandbox with this id. Raises ``NotFoundError``."""
        with self._store.transaction() as connection:
            record = connection.execute(
                select(sandboxes.c.record).where(sandboxes.c.id == id)
            ).scalar()
        if record is None:
            raise NotFoundError("sandbox", id)
        return _read(record)

    def ended(self, limit: int) -> list[Sandbox]:
        """Those that ended last, newest first."""
        with self._store.transaction() as connection:
            records = connection.execute(
                select(sandboxes.c.record)
                .where(sandboxes.c.state == "ended")
                .order_by(sandboxes.c.ended.desc())
                .limit(limit)
            ).scalars()
            return [_read(record).sandbox for record in records]

    def say(self, sandbox: str, said: list[Message]) -> None:
        """Add to the output of a sandbox."""
        rows = [{"sandbox": sandbox, "record": msgspec.json.encode(one).decode()} for one in said]
        with self._store.transaction(write=True) as connection:
            connection.execute(insert(messages), rows)

    def said(self, sandbox: str) -> list[Message]:
        """The output of a sandbox, oldest first."""
        with self._store.transaction() as connection:
            records = connection.execute(
                select(messages.c.record)
                .where(messages.c.sandbox == sandbox)
                .order_by(messages.c.number.desc())
                .limit(KEPT)
            ).scalars()
            found = [msgspec.json.decode(record, type=Message) for record in records]
        return found[::-1]

    def tidy(self, unused_after: float) -> None:
        """Forget what ended longer ago than so many seconds."""
        with self._store.transaction(write=True) as connection:
            old = select(sandboxes.c.id).where(sandboxes.c.ended < time.time() - unused_after)
            connection.execute(delete(messages).where(messages.c.sandbox.in_(old)))
            connection.execute(
                delete(sandboxes).where(sandboxes.c.ended < time.time() - unused_after)
            )


def _row(details: SandboxDetails) -> dict[str, object]:
    sandbox = details.sandbox
    kept = [replace(one, sandbox=None) for one in details.targets if not one.stored]
    record = msgspec.json.encode(replace(details, targets=kept)).decode()
    return {
        "id": sandbox.id,
        "name": sandbox.name,
        "owner": sandbox.owner,
        "state": sandbox.state,
        "started": sandbox.started,
        "ended": sandbox.ended,
        "record": record,
    }


def _read(record: str) -> SandboxDetails:
    try:
        details = msgspec.json.decode(record, type=SandboxDetails)
    except msgspec.DecodeError as error:
        raise StoreError(f"cannot read a sandbox from the store: {error}") from None
    return replace(
        details, targets=[replace(one, sandbox=details.sandbox) for one in details.targets]
    )
