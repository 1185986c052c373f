"""One command on a host, from acceptance to its end: Ctrl-C cancels it, a second one terminates it."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import msgspec
import typer

from shelldock.cli.failures import fail
from shelldock.cli.progress import Progress
from shelldock.cli.screen import show
from shelldock.errors import NotFoundError
from shelldock.inputs import Inputs
from shelldock.model import Execution, Target, Value

if TYPE_CHECKING:
    from shelldock.host import AsyncHost

IN_THE_LOG: Final = ("driver", "lost")
"""Failures of which the instance's log tells more."""


class Work(Value, frozen=True, kw_only=True):
    """A command to run."""

    target: Target
    command: str
    inputs: Inputs = ()
    ports: Sequence[str] = ()
    limit: float | None = None


def complete(host: AsyncHost, work: Work, progress: Progress) -> Execution:
    """Open the host for one command, and run it to its end. Raises where it can never run."""

    async def run() -> Execution:
        async with host:
            accepted = await host.submit(
                work.target, work.command, work.inputs, ports=work.ports, limit=work.limit
            )
            with Interrupts(host, work.target, accepted.id, progress):
                execution = await host.wait(accepted.id)
            progress.stop()
            return execution

    try:
        return asyncio.run(run())
    finally:
        progress.stop()


class Interrupts:
    """While it is entered, an interrupt (or a request to end) is for the command, not for the host.

    The first cancels, the second terminates, and the third is Python's again, for whoever cannot wait.
    """

    def __init__(self, host: AsyncHost, target: Target, execution: str, progress: Progress) -> None:
        self._host = host
        self._target = target
        self._execution = execution
        self._progress = progress
        self._count = 0
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(one, self._interrupted)

    def __exit__(self, *_: object) -> None:
        self._let_go()

    def _interrupted(self) -> None:
        self._count += 1
        if self._count == 1:
            self._progress.say("cancelling; interrupt again to terminate the driver")
            self._begin(self._cancel())
        else:
            self._progress.say("terminating the driver")
            self._begin(self._terminate())
            self._let_go()

    def _let_go(self) -> None:
        for one in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().remove_signal_handler(one)

    async def _cancel(self) -> None:
        await self._host.cancel(self._execution, force=True)

    async def _terminate(self) -> None:
        with suppress(NotFoundError):  # it has just ended by itself
            await self._host.terminate(self._host.plugins.scope(self._target), "interrupted twice")

    def _begin(self, work: object) -> None:
        assert asyncio.iscoroutine(work)
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def report(execution: Execution, *, as_json: bool, verbose: bool) -> None:
    """Print how an execution ended; raises ``typer.Exit`` with the code for it unless it completed."""
    failure = execution.failure
    if failure is not None:
        more = {"execution": msgspec.to_builtins(execution)}
        message = failure.message
        if failure.code in IN_THE_LOG and not as_json:
            message += f"; more in: shelldock logs --execution {execution.id}"
        code = fail(
            failure.code,
            message,
            failure.facts,
            as_json=as_json,
            verbose=verbose,
            more=more,
        )
        raise typer.Exit(code)
    if as_json:
        show(execution, None, as_json=True)
    elif execution.result:
        sys.stdout.write(
            execution.result if execution.result.endswith("\n") else execution.result + "\n"
        )
