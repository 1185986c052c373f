"""The record of what was asked for and what became of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from msgspec.structs import replace

from shelldock.errors import CancelledError, NotFoundError
from shelldock.model import Call, Execution, ExecutionState, Outcome

ENDED: frozenset[ExecutionState] = frozenset({"completed", "failed", "cancelled", "interrupted"})


class Executions:
    """All that runs, and the newest of what ended.

    :param changed: told every new state of every execution.
    :param keep: how many ended executions are remembered.
    """

    def __init__(self, changed: Callable[[Execution], None], keep: int = 1000) -> None:
        self._changed = changed
        self._keep = keep
        self._all: dict[str, Execution] = {}
        self._ended: dict[str, None] = {}
        self._waiters: dict[str, asyncio.Future[Execution]] = {}

    def accept(self, call: Call, chain: tuple[str, ...] = ()) -> Execution:
        """Record that a command was asked for.

        :param chain: the scopes that wait for it, outermost first.
        """
        target = call.target
        execution = Execution(
            id=call.execution,
            target=target.name,
            kind=target.kind,
            sandbox=target.sandbox.id if target.sandbox else "",
            command=call.command,
            inputs=call.inputs,
            accepted=time.time(),
            chain=chain,
        )
        self._put(execution)
        return execution

    def runs(self, id: str) -> bool:
        """Whether an execution has left the queue."""
        return self.get(id).state != "accepted"

    def started(self, id: str, instance: str) -> None:
        """Record that it runs now, on ``instance``."""
        self._put(replace(self._all[id], state="running", started=time.time(), instance=instance))

    def say(self, id: str, message: str) -> None:
        """Record what the driver wrote to the sandbox's output meanwhile."""
        execution = self.get(id)
        self._put(replace(execution, messages=(*execution.messages, message)))

    def end(self, id: str, outcome: Outcome) -> Execution:
        """Record how it ended."""
        failure = outcome.failure
        state: ExecutionState = "completed"
        result = outcome.result
        if failure is not None:
            state = "cancelled" if isinstance(failure.error(), CancelledError) else "failed"
            kept = failure.facts.get("result")  # what a cancelled command returned all the same
            result = kept if isinstance(kept, str) else None
        before = self._all[id]
        execution = replace(
            before,
            state=state,
            ended=time.time(),
            result=result,
            failure=failure,
            instance=outcome.instance or before.instance,
            environment=outcome.environment,
        )
        self._put(execution)
        self._ended[id] = None
        while len(self._ended) > self._keep:
            oldest = next(iter(self._ended))
            del self._ended[oldest], self._all[oldest]
        waiter = self._waiters.pop(id, None)
        if waiter is not None:
            waiter.set_result(execution)
        return execution

    def get(self, id: str) -> Execution:
        """The execution as it is now. Raises ``NotFoundError``."""
        try:
            return self._all[id]
        except KeyError:
            raise NotFoundError("execution", id, hint="it may have ended long ago") from None

    def all(self) -> list[Execution]:
        """Every execution that is remembered, oldest first."""
        return list(self._all.values())

    async def wait(self, id: str) -> Execution:
        """The execution when it has ended."""
        execution = self.get(id)
        if execution.state in ENDED:
            return execution
        waiter = self._waiters.get(id)
        if waiter is None:
            waiter = self._waiters[id] = asyncio.get_running_loop().create_future()
        return await asyncio.shield(waiter)

    def _put(self, execution: Execution) -> None:
        self._all[execution.id] = execution
        self._changed(execution)
