"""One driver instance: ``initialize`` first and alone, commands as they come, ``cleanup`` last."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from shelldock.errors import CancelledError, InstanceLost, LimitReached, ShelldockError
from shelldock.logs import note
from shelldock.model import (
    NO_LIMIT,
    Call,
    Environment,
    Instance,
    InstanceState,
    Limit,
    Shell,
    Value,
)
from shelldock.process import Process

log = logging.getLogger(__name__)

CLEAN = "exit status 0"
"""How a process ends that was stopped in order."""


class Limits(Value, frozen=True, kw_only=True):
    """The clocks of an instance."""

    initialize: Limit
    cancel_grace: Limit
    """How long a command that ran out of time may take to notice that it is cancelled."""
    cleanup: Limit


class Running(Value, frozen=True, kw_only=True):
    """A command that an instance runs now."""

    number: int
    """On the wire."""
    command: str
    since: float
    """On the monotonic clock."""


class DriverInstance:
    """One driver object alive in its own process, from its start to its end.

    :param changed: called after every change that others may want to see.
    """

    def __init__(
        self,
        id: str,
        key: str,
        shell: Shell,
        target: str,
        limits: Limits,
        concurrency: float,
        changed: Callable[[DriverInstance], None],
    ) -> None:
        self.id = id
        self.key = key
        self.shell = shell
        self.target = target
        self.concurrency = concurrency
        self.state: InstanceState = "starting"
        self.started = time.time()
        self.running: dict[str, Running] = {}
        """What it runs now, by execution."""
        self.idle_since: float | None = None
        self.idle_from = 0.0
        """The same on the monotonic clock, which nobody sets back."""
        self.idle_limit: float | None = None
        """None until somebody was asked, once for each time that it falls idle."""
        self.environment: Environment | None = None
        self.log: Path | None = None
        self.reason = ""
        self.gone = asyncio.Event()
        self._limits = limits
        self._changed = changed
        self._process: Process | None = None
        self._asked_to_cancel: set[str] = set()
        self._told: set[str] = set()  # of what runs: that of which the driver has heard
        self._quiet: asyncio.Future[None] | None = None

    @property
    def alive(self) -> bool:
        """Whether it can take a command, now or once it has started."""
        return self.state in ("starting", "initializing", "ready", "busy")

    async def initialize(
        self, process: Process, context: Mapping[str, object], execution: str
    ) -> None:
        """Let the driver initialize. When it fails the process ends, without ``cleanup``, and the error is raised."""
        self._process = process
        process.gone.add_done_callback(lambda gone: self._ended(gone.result()))
        self._become("initializing")
        limit = self._limits.initialize
        try:
            async with asyncio.timeout(limit.seconds if limit.seconds < NO_LIMIT else None):
                await process.initialize(context, execution)
        except TimeoutError:
            await self.terminate("initialize took too long")
            what = f"'initialize' of {self.target!r}"
            raise LimitReached("initialize", limit.seconds, what, limit.source) from None
        except BaseException:
            await self.terminate("initialize failed")
            raise
        if not self.alive:
            raise InstanceLost(
                f"the instance of {self.target!r} ended while it initialized: {self.reason}"
            )
        self._idle()

    async def run(self, call: Call, begun: Callable[[], Awaitable[None]]) -> str:
        """Run one command to its end and give its result. Raises what became of it instead.

        :param begun: told before the driver is: where it raises, the driver hears nothing.
        """
        process = self._process
        assert process is not None
        number = process.number()
        running = Running(number=number, command=call.command, since=time.monotonic())
        self.running[call.execution] = running
        self.idle_since = self.idle_limit = None
        if self.state == "ready":
            self._become("busy")
        try:
            await begun()
            if call.execution in self._asked_to_cancel:
                raise CancelledError(f"{call.command!r} was cancelled before it started")
            self._told.add(call.execution)
            answer = process.call(number, call)
            result = await (
                answer if call.limit.seconds == NO_LIMIT else self._within(call, answer)
            )
        except CancelledError:
            raise
        except ShelldockError as error:
            if call.execution in self._asked_to_cancel and not isinstance(error, InstanceLost):
                raise CancelledError(f"{call.command!r} was cancelled ({error})") from error
            raise
        else:
            if call.execution in self._asked_to_cancel:
                raise CancelledError(f"{call.command!r} was cancelled", result)
            return result
        finally:
            self._asked_to_cancel.discard(call.execution)
            self._told.discard(call.execution)
            del self.running[call.execution]
            if not self.running:
                if self._quiet is not None and not self._quiet.done():
                    self._quiet.set_result(None)
                if self.state == "busy":
                    self._idle()

    def cancel(self, execution: str) -> None:
        """Tell the driver that a running command is cancelled; it ends when the driver looks."""
        if self._process is not None and execution in self.running:
            self._asked_to_cancel.add(execution)
            if execution in self._told:
                self._process.cancel(self.running[execution].number)

    def busy_with(self) -> str:
        """What has been running longest, in words."""
        longest = next(iter(self.running.values()))
        seconds = time.monotonic() - longest.since
        others = f" and {len(self.running) - 1} more" if len(self.running) > 1 else ""
        return f"{longest.command!r}{others} has been running for {seconds:.0f} s"

    async def quiet(self, limit: float | None = None) -> bool:
        """Wait until nothing runs, for at most ``limit`` seconds. False: something still does."""
        if self.running:
            if self._quiet is None or self._quiet.done():
                self._quiet = asyncio.get_running_loop().create_future()
            await asyncio.wait({self._quiet}, timeout=limit)
        return not self.running

    async def stop(self, reason: str) -> None:
        """Let the driver give up what it runs, clean up, and end the process; what goes wrong in that is logged."""
        if self.state in ("stopping", "gone"):
            await self.gone.wait()
            return
        self.reason = reason
        self._asked_to_cancel.update(self.running)  # whoever still runs is told to give up
        self._become("stopping")
        assert self._process is not None
        trouble = await self._process.stop(reason, self._limits.cleanup.seconds)
        if trouble:
            log.warning("cleanup of %s (%s): %s", self.target, self.id, trouble)
        await self.gone.wait()

    async def terminate(self, reason: str) -> None:
        """End the process at once, without ``cleanup``."""
        self.reason = self.reason or reason
        if self._process is None:
            self._ended("")
        elif not self._process.gone.done():
            self._process.kill(reason)
        await self.gone.wait()

    def set_log_level(self, level: str) -> None:
        """Let the driver log from ``level`` on, for as long as this instance lives (L1)."""
        if self._process is not None:
            self._process.set_log_level(level)

    def info(self, node: str, waiting: int = 0, *, memory: bool = False) -> Instance:
        """What is known of it now, as a value. Reading the memory takes about a millisecond."""
        process = self._process
        return Instance(
            id=self.id,
            key=self.key,
            node=node,
            shell=self.shell.name,
            version=self.shell.version,
            target=self.target,
            state=self.state,
            pid=process.pid if process else 0,
            started=self.started,
            idle_since=self.idle_since,
            idle_limit=None if self.idle_limit == NO_LIMIT else self.idle_limit,
            way=process.way if process else "",
            environment=self.environment.name if self.environment else "",
            running=len(self.running),
            waiting=waiting,
            memory=process.memory() if memory and process and not self.gone.is_set() else 0,
            log=self.log,
            reason=self.reason,
        )

    async def _within(self, call: Call, answer: asyncio.Future[str]) -> str:
        """The answer, if it comes before the command's limit.

        Else the command is cancelled, and where that does not help the instance is terminated.
        """
        limit = call.limit
        done, _ = await asyncio.wait({answer}, timeout=limit.seconds)
        if not done:
            assert self._process is not None
            self._process.cancel(self.running[call.execution].number)
            done, _ = await asyncio.wait({answer}, timeout=self._limits.cancel_grace.seconds)
            if not done:
                await self.terminate(
                    f"{call.command!r} ran longer than {limit.seconds:g} s and did not notice the cancel"
                )
            if not answer.cancelled():
                answer.exception()  # seen: what counts is that it was too late
            raise LimitReached(
                "command", limit.seconds, f"{call.command!r} of {self.target!r}", limit.source
            )
        return answer.result()

    def _idle(self) -> None:
        self.idle_since = time.time()
        self.idle_from = time.monotonic()
        self._become("ready")

    def _ended(self, how: str) -> None:
        self._note_end(how)
        self.reason = self.reason or f"lost: {how}"
        self._become("gone")
        self.gone.set()

    def _note_end(self, how: str) -> None:
        """Say in its log how it ended, where that was not in order: the process could not (R4)."""
        if self.log is not None and how and (self.state != "stopping" or how != CLEAN):
            why = f"{self.reason or 'lost'}: {how.removesuffix(f' ({self.reason})')}"
            execution = next(iter(self.running)) if len(self.running) == 1 else ""
            note(self.log, why, execution)

    def _become(self, state: InstanceState) -> None:
        self.state = state
        self._changed(self)
