"""The record of what was asked for and what became of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from shelldock.errors import CancelledError, InputError, NotFoundError, StoreError
from shelldock.inputs import masked
from shelldock.model import Call, Execution, ExecutionState, Failure, History, Outcome, Request

if TYPE_CHECKING:
    from shelldock.ledger import Ledger

ENDED: frozenset[ExecutionState] = frozenset({"completed", "failed", "cancelled", "interrupted"})

log = logging.getLogger(__name__)


class Executions:
    """All that runs, and the newest of what ended; with a ledger, all that ever was.

    :param changed: told every new state of every execution, when the ledger has it.
    :param ledger: what survives the host; by default nothing does.
    :param keep: how many ended executions are remembered without looking into the ledger.
    :param remembered: how many characters their results may have together, where the ledger has them, too.
    """

    def __init__(
        self,
        changed: Callable[[Execution], None],
        ledger: Ledger | None = None,
        keep: int = 1000,
        remembered: int = 64_000_000,
    ) -> None:
        self._changed = changed
        self._ledger = ledger
        self._keep = keep
        self._all: dict[str, Execution] = {}
        self._ended: dict[str, None] = {}
        self._most = remembered
        self._remembered = 0
        self._accepting: dict[str, asyncio.Future[None]] = {}
        self._ending: set[str] = set()
        self._waiters: dict[str, set[asyncio.Future[Execution]]] = {}

    # ---- what happens ---------------------------------------------------------------------------

    def accept(
        self,
        call: Call,
        *,
        chain: tuple[str, ...] = (),
        user: str = "",
        request: Request | None = None,
    ) -> Execution:
        """Record that a command was asked for. With a ledger, nobody may hear of it before ``accepted``.

        :param chain: the scopes that wait for it, outermost first.
        """
        target = call.target
        execution = Execution(
            id=call.execution,
            target=target.name,
            kind=target.kind,
            sandbox=target.sandbox.id if target.sandbox else "",
            command=call.command,
            user=user,
            inputs=masked(call.inputs),
            accepted=time.time(),
            chain=chain,
        )
        if self._ledger is None:
            self._put(execution)
            return execution
        self._all[execution.id] = execution
        written = self._ledger.write(execution, new=True, request=request)
        self._accepting[execution.id] = written
        written.add_done_callback(partial(self._accepted, execution))
        return execution

    def is_accepted(self, id: str) -> bool:
        """Whether it is recorded that the command was asked for."""
        return id not in self._accepting

    async def accepted(self, id: str) -> None:
        """Wait until it is recorded that the command was asked for.

        Raises ``StoreError`` where it cannot be, and ``InputError`` for text that is none: then it must not run.
        """
        written = self._accepting.get(id)
        if written is not None:
            await asyncio.shield(written)

    async def started(self, id: str, instance: str) -> None:
        """Record that it runs now, on ``instance``. Raises ``StoreError`` and ``InputError``: then it must not run."""
        running = replace(self._all[id], state="running", started=time.time(), instance=instance)
        self._all[id] = running
        if self._ledger is not None:
            await self._ledger.write(running)
            await self.accepted(id)
        self._changed(self._all[id])

    def say(self, id: str, message: str) -> None:
        """Record what the driver wrote to the sandbox's output meanwhile. Raises ``NotFoundError``: it has ended."""
        execution = self.get(id)
        if id in self._ending:
            raise NotFoundError("execution", id, hint="it has just ended")
        said = replace(execution, messages=(*execution.messages, message))
        if self._ledger is not None:
            self._ledger.keep(said)
        self._put(said)

    async def end(self, id: str, outcome: Outcome) -> Execution:
        """Record how it ended.

        Raises what ``accepted`` raises: then it never ran, and is forgotten.
        """
        try:
            await self.accepted(id)
        except (StoreError, InputError):
            self._forget(id)
            raise
        execution = _ended(self._all[id], outcome)
        if self._ledger is not None:
            self._ending.add(id)  # what came later must not be written over this
            execution = await _recorded(self._ledger, execution)
            self._ending.discard(id)
        self._put(execution)
        self._ended[id] = None
        self._remembered += len(execution.result or "")
        while len(self._ended) > self._keep or self._remembers_too_much():
            self._forget(next(iter(self._ended)))
        for waiter in self._waiters.pop(id, ()):
            if not waiter.done():  # else who waited has just been cancelled
                waiter.set_result(execution)
        return execution

    # ---- what is known ----------------------------------------------------------------------------

    def runs(self, id: str) -> bool:
        """Whether an execution has left the queue."""
        execution = self._all.get(id)
        return execution is not None and execution.state != "accepted"

    def get(self, id: str) -> Execution:
        """The execution as it is now, from memory. Raises ``NotFoundError``."""
        try:
            return self._all[id]
        except KeyError:
            raise NotFoundError("execution", id, hint="it may have ended long ago") from None

    async def find(self, id: str) -> Execution:
        """The execution as it is now, however long ago it was. Raises ``NotFoundError``."""
        if self._ledger is None or id in self._all:
            return self.get(id)
        return await asyncio.to_thread(self._ledger.get, id)

    def all(self) -> list[Execution]:
        """Every execution that is remembered, oldest first."""
        return [one for one in self._all.values() if one.id not in self._accepting]

    async def page(self, wanted: dict[str, str], before: str, limit: int) -> History:
        """A page of the history, newest first; see ``Ledger.page``."""
        if self._ledger is not None:
            return await asyncio.to_thread(self._ledger.page, wanted, before, limit)
        found = [
            one
            for one in reversed(self._all.values())
            if all(getattr(one, name) == value for name, value in wanted.items())
        ]
        if before:
            ids = [one.id for one in found]
            found = found[ids.index(before) + 1 :] if before in ids else []
        page = found[:limit]
        return History(executions=page, next=page[-1].id if len(found) > limit else "")

    async def wait(self, id: str) -> Execution:
        """The execution when it has ended."""
        execution = await self.find(id)
        if execution.state in ENDED:
            return execution
        # Each has a future of its own: one that is shared needs a shield, which takes the loop once more around.
        waiter: asyncio.Future[Execution] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(id, set())
        waiters.add(waiter)
        try:
            return await waiter
        finally:
            waiters.discard(waiter)

    def _accepted(self, execution: Execution, written: asyncio.Future[None]) -> None:
        if not written.cancelled() and written.exception() is None:
            del self._accepting[execution.id]
            self._changed(execution)

    def _put(self, execution: Execution) -> None:
        self._all[execution.id] = execution
        self._changed(execution)

    def _forget(self, id: str) -> None:
        self._ended.pop(id, None)
        self._accepting.pop(id, None)
        self._remembered -= len(self._all.pop(id).result or "")

    def _remembers_too_much(self) -> bool:
        return self._ledger is not None and self._remembered > self._most


def _ended(before: Execution, outcome: Outcome) -> Execution:
    failure = outcome.failure
    state: ExecutionState = "completed"
    result = outcome.result
    if failure is not None:
        state = "cancelled" if isinstance(failure.error(), CancelledError) else "failed"
        kept = failure.facts.get("result")  # what a cancelled command returned all the same
        result = kept if isinstance(kept, str) else None
    return replace(
        before,
        state=state,
        ended=time.time(),
        result=result,
        failure=failure,
        instance=outcome.instance or before.instance,
        environment=outcome.environment,
    )


async def _recorded(ledger: Ledger, execution: Execution) -> Execution:
    """It, once it is recorded; where that fails, nobody is told of a success that a crash would take back."""
    try:
        await ledger.write(execution)
    except (StoreError, InputError) as error:
        lost = StoreError(
            f"{execution.command!r} of {execution.target!r} ended ({execution.state}), but that could not be recorded: "
            f"{error}"
        )
        return replace(execution, state="failed", failure=Failure.of(lost))
    return execution
