"""One scope: the queue before a driver instance, which outlives the instances that come and go behind it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial

from shelldock.errors import (
    CancelledError,
    InstanceLost,
    PendingTooLong,
    QueueFull,
    ShelldockError,
    StartError,
)
from shelldock.instance import DriverInstance
from shelldock.model import Call, Instance, Shell, Waiting
from shelldock.starts import Starts
from shelldock.turns import QueueRules, Turn

log = logging.getLogger(__name__)

Start = Callable[[Shell, Call], Awaitable[DriverInstance]]

SEQUENTIAL = "Pending, Concurrent commands not enabled"
SHORTLY = "Pending, Waiting to be processed"
"""States of the queue in the product's words (§7.2)."""


class Scope:
    """Everything that waits for, or runs on, the one instance of a key. First in, first out.

    :param start: makes an instance that is initialized, or raises.
    :param emptied: called when nothing waits, nothing runs and no instance is left.
    """

    def __init__(
        self, key: str, rules: QueueRules, start: Start, emptied: Callable[[Scope], None]
    ) -> None:
        self.key = key
        self.instance: DriverInstance | None = None
        self.starts = Starts(key, rules.starts)
        self._rules = rules
        self._start = start
        self._emptied = emptied
        self._waiting: deque[Turn] = deque()
        self._granted = 0
        self._closed = ""
        self._pump: asyncio.Task[None] | None = None
        self._starting: asyncio.Task[DriverInstance] | None = None
        self._retiring: asyncio.Future[None] | None = None
        self._failed: Turn | None = None

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

    def ready(self, shell: Shell) -> DriverInstance | None:
        """The instance, when a command may run on it without waiting. The way of nearly every command."""
        return None if self._waiting else self._free(shell)

    # ---- commands -------------------------------------------------------------------------------

    async def run(
        self,
        shell: Shell,
        call: Call,
        started: Callable[[Call, str], Awaitable[None]],
        renewed: Callable[[Call], Awaitable[Call]],
    ) -> tuple[str, DriverInstance]:
        """Run a command when its turn comes; its result, and the instance that gave it. Raises what became of it.

        :param started: told the call and the instance when it starts to run.
        :param renewed: the call of a command that has waited, as of now; raises where it can no longer run.
        """
        instance = self.ready(shell)
        waited = instance is None
        try:
            if instance is None:
                instance = await self._turn(shell, call)
            else:
                self._granted += 1
            try:
                call = await renewed(call) if waited else call
            finally:
                self._granted -= 1  # from here on, it counts as running
            return await instance.run(call, partial(started, call, instance.id)), instance
        finally:
            if self._waiting:
                self._pass_on()

    def cancel(self, execution: str) -> bool:
        """Take a command out of the queue, or tell the driver to give it up. False: it is not here."""
        for turn in self._waiting:
            if turn.call.execution == execution:
                self._leave(turn)
                turn.cancelled()
                return True
        if self.instance is not None and execution in self.instance.running:
            self.instance.cancel(execution)
            return True
        return False

    def cancel_all(self, reason: str) -> int:
        """Empty the queue and tell the driver to give up what runs; the instance stays (Q8). How many that were."""
        count = self._refuse_all(reason)
        running = list(self.instance.running) if self.instance else []
        for execution in running:
            assert self.instance is not None
            self.instance.cancel(execution)
        return count + len(running)

    def expire(self, now: float) -> None:
        """Cancel what has waited for longer than it may (Q4). What its instance is being started for goes on.

        :param now: seconds on the monotonic clock.
        """
        for turn in [one for one in self._waiting if one.expires <= now]:
            if turn is self._waiting[0] and self._starting is not None:
                continue
            reason = self._reason(turn)
            self._leave(turn)
            limit = turn.call.pending
            turn.refuse(PendingTooLong(turn.call.command, limit.seconds, reason, limit.source))

    def queue(self, node: str) -> list[Waiting]:
        """What waits, in order, and for what (Q3)."""
        return [
            Waiting(
                execution=turn.call.execution,
                target=turn.call.target.name,
                command=turn.call.command,
                sandbox=turn.call.target.sandbox.id if turn.call.target.sandbox else "",
                key=self.key,
                node=node,
                position=position,
                since=turn.since,
                limit=turn.call.pending.told,
                state=self._state(turn),
                reason=self._reason(turn),
            )
            for position, turn in enumerate(self._waiting, start=1)
        ]

    def broken(self, node: str) -> Instance | None:
        """What is known of an instance that failed to start too often; None where it did not."""
        turn = self._failed
        if turn is None or not self.starts.broken or self.instance or self._starting:
            return None
        return Instance(
            id="",
            key=self.key,
            node=node,
            shell=turn.shell.name,
            version=turn.shell.version,
            target=turn.call.target.name,
            state="broken",
            started=turn.since,
            waiting=self.waiting,
            reason=f"failed to start {self.starts.failures} times in a row, last: {self.starts.last}",
        )

    # ---- the instance ---------------------------------------------------------------------------

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

    async def retire(self, reason: str, *, grace: float | None) -> None:
        """Refuse what waits and end the instance; a command that comes later gets a new one.

        :param grace: what runs is cancelled and has so many seconds before the instance is terminated;
            None: what runs goes on to its end.
        """
        while self._retiring is not None:
            await asyncio.shield(self._retiring)
        self._retiring = asyncio.get_running_loop().create_future()
        try:
            self._refuse_all(reason)
            if self._starting is not None:
                self._starting.cancel()
                await asyncio.wait({self._starting})
            if self.instance is not None:
                await self._end(self.instance, reason, grace)
        finally:
            self._retiring.set_result(None)
            self._retiring = None
            self._kick()

    async def close(self, reason: str, grace: float) -> None:
        """End it all: what waits is refused, what runs is cancelled and has ``grace`` seconds, the instance stops."""
        self._closed = reason
        await self.retire(reason, grace=grace)

    def retry(self) -> None:
        """Forget that starts failed: the next one may be tried at once."""
        self.starts.forget()
        self._kick()

    def changed(self, instance: DriverInstance) -> None:
        """Hear from an instance of this scope that it changed."""
        if instance.state == "gone" and instance is self.instance:
            self.instance = None
            self._kick()

    async def _end(self, instance: DriverInstance, reason: str, grace: float | None) -> None:
        if grace is not None:
            for execution in list(instance.running):
                instance.cancel(execution)
        if await instance.quiet(grace):
            await instance.stop(reason)
        else:
            await instance.terminate(reason)

    # ---- the queue ------------------------------------------------------------------------------

    def _pass_on(self) -> None:
        """Give the room that a command leaves to the next one. The way of nearly every command that has waited."""
        turn = self._waiting[0]
        instance = self._free(turn.shell)
        if instance is not None and not turn.instance.done():
            self._grant(turn, instance)
        else:  # there is more to do first; or who waited was cancelled, and has yet to leave
            self._kick()

    def _free(self, shell: Shell) -> DriverInstance | None:
        """The instance, when it serves ``shell``, has room, and nothing is about to become of it."""
        instance = self.instance
        if (
            instance is None
            or self._closed
            or self._pump is not None
            or self._retiring is not None
            or not self._has_room(instance)
            or not _serves(instance, shell)
        ):
            return None
        return instance

    async def _turn(self, shell: Shell, call: Call) -> DriverInstance:
        """The instance on which it may run now, with room kept for it in ``_granted``."""
        if self._closed:
            raise CancelledError(f"{call.command!r} was not accepted: {self._closed}")
        if self._rules.most and len(self._waiting) >= self._rules.most:
            raise QueueFull(call.target.name, self._rules.most, self._rules.source)
        turn = Turn(shell, call)
        self._waiting.append(turn)
        self._kick()
        try:
            return await turn.instance
        except asyncio.CancelledError:
            if turn in self._waiting:
                self._leave(turn)
            elif turn.has_room:
                self._granted -= 1
            raise

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
                if instance is None or turn.instance.done() or not self._is_next(turn):
                    await asyncio.sleep(0)  # whoever was cancelled has yet to leave
                    continue
                if not self._has_room(instance):
                    break  # the next command that ends kicks again
                self._grant(turn, instance)
                await asyncio.sleep(0)  # let it run before the next one is looked at
        finally:
            self._pump = None
        if self._waiting and (self.instance is None or not self.instance.alive):
            self._kick()
        elif self._is_empty():
            self._emptied(self)

    async def _instance_for(self, turn: Turn) -> DriverInstance | None:
        """The instance that serves ``turn``: the one there is, or a new one; never two at a time.

        None where it is too early to say: who waits must be looked at again.
        """
        if self._retiring is not None:
            await asyncio.shield(self._retiring)
            return None
        instance = self.instance
        if instance is not None and instance.alive and _serves(instance, turn.shell):
            return instance
        if instance is None:
            return await self._started(turn)
        if not instance.alive:
            await instance.gone.wait()
        elif await instance.quiet() and self._is_next(turn):
            await instance.stop("updated")
        return None

    async def _started(self, turn: Turn) -> DriverInstance | None:
        """A new instance, unless starting one has to pause first. Raises why there is none."""
        self.starts.begin_anew(turn.premises)
        self.starts.check(turn.call.target.name)
        pause = self.starts.pause()
        if pause:
            await self.starts.sleep(pause)
            return None
        self._starting = asyncio.ensure_future(self._start(turn.shell, turn.call))
        try:
            self.instance = await self._starting
            if not self.instance.alive:
                lost, self.instance = self.instance, None
                raise InstanceLost(
                    f"the instance of {lost.target!r} ended as soon as it had started: {lost.reason}"
                )
        except ShelldockError as error:
            self.starts.failed(error, turn.premises)
            self._failed = turn
            raise
        finally:
            self._starting = None
        self.starts.forget()
        self._failed = None
        return self.instance

    def _has_room(self, instance: DriverInstance) -> bool:
        """Whether one more command may run on it now, beside those that run and those that were just let in."""
        busy = len(instance.running) + self._granted
        return instance.state in ("ready", "busy") and busy < instance.concurrency

    def _grant(self, turn: Turn, instance: DriverInstance) -> None:
        self._waiting.popleft()
        self._granted += 1
        turn.instance.set_result(instance)

    def _is_next(self, turn: Turn) -> bool:
        return bool(self._waiting) and self._waiting[0] is turn

    def _is_empty(self) -> bool:
        """Whether nothing is left to remember; a driver that failed to start is, until it starts."""
        idle = self.instance is None and not self._waiting and not self._granted
        return idle and (not self.starts.failures or bool(self._closed))

    def _drop(self, turn: Turn, error: ShelldockError) -> None:
        if self._is_next(turn):
            self._waiting.popleft()
        turn.refuse(error)

    def _leave(self, turn: Turn) -> None:
        self._waiting.remove(turn)
        self.starts.wake()

    def _refuse_all(self, reason: str) -> int:
        count = len(self._waiting)
        while self._waiting:
            self._waiting.popleft().cancelled(reason)
        self.starts.wake()
        return count

    # ---- in words -------------------------------------------------------------------------------

    def _state(self, turn: Turn) -> str:
        instance = self.instance
        sequential = instance is not None and instance.alive and instance.concurrency == 1
        return SEQUENTIAL if sequential or not self._is_next(turn) else SHORTLY

    def _reason(self, turn: Turn) -> str:
        instance = self.instance
        if self._retiring is not None:
            return "the instance before it is being stopped"
        if self._starting is not None:
            return "the driver is being started"
        if pause := self.starts.pause():
            return (
                f"the driver failed to start {self.starts.failures} times in a row and is tried again "
                f"in {pause:.0f} s; last: {self.starts.last}"
            )
        if instance is not None and instance.alive and not _serves(instance, turn.shell):
            return f"the instance of version {instance.shell.version} has to end first"
        if instance is not None and instance.running:
            return instance.busy_with()
        return "it is about to start"


def _serves(instance: DriverInstance, shell: Shell) -> bool:
    """Whether the instance runs this very driver: an updated shell needs a new one."""
    return instance.shell is shell or instance.shell.driver == shell.driver
