"""One scope: the queue before a driver instance, which outlives the instances that come and go behind it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from shelldock.errors import CancelledError, InstanceLost, ShelldockError, StartError
from shelldock.instance import DriverInstance
from shelldock.model import Call, Shell

log = logging.getLogger(__name__)

Start = Callable[[Shell, Call], Awaitable[DriverInstance]]


class Turn:
    """A command's place in the queue."""

    def __init__(self, shell: Shell, call: Call) -> None:
        self.shell = shell
        self.call = call
        self.instance: asyncio.Future[DriverInstance] = asyncio.get_running_loop().create_future()
        """The instance on which it may run now, with room kept for it; or why it never will."""


class Scope:
    """Everything that waits for, or runs on, the one instance of a key. First in, first out.

    :param start: makes an instance that is initialized, or raises.
    :param emptied: called when nothing waits, nothing runs and no instance is left.
    """

    def __init__(self, key: str, start: Start, emptied: Callable[[Scope], None]) -> None:
        self.key = key
        self.instance: DriverInstance | None = None
        self._start = start
        self._emptied = emptied
        self._waiting: deque[Turn] = deque()
        self._granted = 0
        self._closed = ""
        self._pump: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[DriverInstance] | None = None

    @property
    def waiting(self) -> int:
        """How many commands wait."""
        return len(self._waiting)

    @property
    def idle(self) -> DriverInstance | None:
        """The instance, if it has nothing to do and nothing waits for it."""
        instance = self.instance
        if (
            instance is None
            or instance.state != "ready"
            or instance.running
            or self._granted
            or self._waiting
        ):
            return None
        return instance

    async def run(
        self, shell: Shell, call: Call, started: Callable[[str, str], None]
    ) -> tuple[str, DriverInstance]:
        """Run a command when its turn comes; its result, and the instance that gave it. Raises what became of it.

        :param started: told the execution and the instance when it starts to run.
        """
        instance = self._ready(shell) or await self._turn(shell, call)
        started(call.execution, instance.id)
        try:
            return await instance.run(call), instance
        finally:
            if self._waiting:
                self._kick()

    def cancel(self, execution: str) -> bool:
        """Take a command out of the queue, or tell the driver to give it up. False: it is not here."""
        for turn in self._waiting:
            if turn.call.execution == execution:
                self._waiting.remove(turn)
                _refuse(
                    turn, CancelledError(f"{turn.call.command!r} was cancelled before it started")
                )
                return True
        if self.instance is not None and execution in self.instance.running:
            self.instance.cancel(execution)
            return True
        return False

    async def stop(self, reason: str) -> None:
        """Stop the instance in order; what waits is run by a new one."""
        if self.instance is not None and self.instance.state in ("ready", "busy"):
            await self.instance.stop(reason)

    async def terminate(self, reason: str) -> None:
        """End the instance at once; what runs fails, what waits is run by a new one."""
        if self.instance is not None:
            await self.instance.terminate(reason)
        elif self._starting is not None:
            self._starting.cancel()

    async def close(self, reason: str, grace: float) -> None:
        """End it all: what waits is refused, what runs is cancelled and has ``grace`` seconds, the instance stops."""
        self._closed = reason
        while self._waiting:
            turn = self._waiting.popleft()
            _refuse(
                turn,
                CancelledError(f"{turn.call.command!r} was cancelled before it started: {reason}"),
            )
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        instance = self.instance
        if instance is None:
            return
        for execution in list(instance.running):
            instance.cancel(execution)
        if await instance.quiet(grace):
            await instance.stop(reason)
        else:
            await instance.terminate(reason)

    def changed(self, instance: DriverInstance) -> None:
        """Hear from an instance of this scope that it changed."""
        if instance.state == "gone" and instance is self.instance:
            self.instance = None
            self._kick()

    def _ready(self, shell: Shell) -> DriverInstance | None:
        """The instance, when a command may run on it without waiting. The way of nearly every command."""
        instance = self.instance
        if (
            instance is None
            or self._waiting
            or self._closed
            or self._pump is not None
            or not self._has_room(instance)
            or not _serves(instance, shell)
        ):
            return None
        return instance

    async def _turn(self, shell: Shell, call: Call) -> DriverInstance:
        if self._closed:
            raise CancelledError(f"{call.command!r} was not accepted: {self._closed}")
        turn = Turn(shell, call)
        self._waiting.append(turn)
        self._kick()
        try:
            return await turn.instance
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._waiting.remove(turn)
            raise
        finally:
            if (
                turn.instance.done()
                and not turn.instance.cancelled()
                and turn.instance.exception() is None
            ):
                self._granted -= 1

    def _kick(self) -> None:
        if self._pump is None:
            self._pump = asyncio.create_task(self._serve(), name=f"scope {self.key}")

    async def _serve(self) -> None:
        """Give turns, in order, for as long as something waits and there is room."""
        try:
            while self._waiting:
                turn = self._waiting[0]
                try:
                    instance = await self._instance_for(turn)
                except ShelldockError as error:
                    self._drop(turn, error)
                    continue
                except Exception as error:  # ours to mend; but whoever waits must not wait for ever
                    log.exception("starting an instance for %s", self.key)
                    self._drop(turn, StartError(f"internal error, please report it: {error!r}"))
                    continue
                except asyncio.CancelledError:
                    self._drop(
                        turn,
                        InstanceLost(
                            f"the instance of {turn.call.target.name!r} was terminated while it started"
                        ),
                    )
                    continue
                if turn.instance.done() or not self._waiting or self._waiting[0] is not turn:
                    continue
                if not self._has_room(instance):
                    break  # the next command that ends kicks again
                self._waiting.popleft()
                self._granted += 1
                turn.instance.set_result(instance)
                await asyncio.sleep(0)  # let it run before the next one is looked at
        finally:
            self._pump = None
        if self._waiting and (self.instance is None or not self.instance.alive):
            self._kick()
        elif self.instance is None and not self._waiting and not self._granted:
            self._emptied(self)

    async def _instance_for(self, turn: Turn) -> DriverInstance:
        """The instance that serves ``turn``: the one there is, or a new one; never two at a time."""
        instance = self.instance
        if instance is not None and instance.alive and _serves(instance, turn.shell):
            return instance
        if instance is not None:
            if instance.alive:
                await instance.quiet()
                await instance.stop("updated")
            await instance.gone.wait()
        self._starting = asyncio.ensure_future(self._start(turn.shell, turn.call))
        try:
            self.instance = await self._starting
        finally:
            self._starting = None
        if not self.instance.alive:
            lost, self.instance = self.instance, None
            raise InstanceLost(
                f"the instance of {lost.target!r} ended as soon as it had started: {lost.reason}"
            )
        return self.instance

    def _has_room(self, instance: DriverInstance) -> bool:
        """Whether one more command may run on it now, beside those that run and those that were just let in."""
        busy = len(instance.running) + self._granted
        return instance.state in ("ready", "busy") and busy < instance.concurrency

    def _drop(self, turn: Turn, error: ShelldockError) -> None:
        if self._waiting and self._waiting[0] is turn:
            self._waiting.popleft()
        _refuse(turn, error)


def _serves(instance: DriverInstance, shell: Shell) -> bool:
    """Whether the instance runs this very driver: an updated shell needs a new one."""
    return instance.shell is shell or instance.shell.driver == shell.driver


def _refuse(turn: Turn, error: ShelldockError) -> None:
    if not turn.instance.done():
        turn.instance.set_exception(error)
