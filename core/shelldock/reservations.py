"""The life of sandboxes: what they hold is theirs from their start to their end, which comes once."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from shelldock.errors import ConflictError, InputError, NotFoundError, ReservedError, StoreError
from shelldock.model import Hold, Message, Sandbox, SandboxDetails, Target
from shelldock.sandboxes import Sandboxes

if TYPE_CHECKING:
    from shelldock.bookings import Bookings

log = logging.getLogger(__name__)

LOOK: Final = 30.0
"""The longest time between two looks at the clock, which may jump."""

AGAIN: Final = 1.0
"""Seconds until what could not end is tried again."""

KEPT: Final = 1000
"""So many ended sandboxes are remembered by a host without a durable store, and listed by one with it."""


class Reservations:
    """Starts, extends and ends sandboxes.

    :param bookings: where they are kept; None: in memory alone.
    :param release: cancels what runs in a sandbox and stops what is its own.
    :param changed: told each new state.
    """

    def __init__(
        self,
        sandboxes: Sandboxes,
        bookings: Bookings | None,
        release: Callable[[Sandbox, Sequence[Target]], Awaitable[None]],
        changed: Callable[[Sandbox], None],
        unused_after: float,
    ) -> None:
        self._sandboxes = sandboxes
        self._bookings = bookings
        self._release = release
        self._changed = changed
        self._unused_after = unused_after
        self._ended: dict[str, SandboxDetails] = {}
        self._ending: dict[str, asyncio.Task[Sandbox]] = {}
        self._due = asyncio.Event()
        self._clock: asyncio.Task[None] | None = None
        self._said: dict[str, list[Message]] = {}
        self._writing: asyncio.Task[None] | None = None

    # ---- with the host --------------------------------------------------------------------------

    async def open(self, resource: Callable[[str], Target]) -> None:
        """Take up the sandboxes that an earlier server left.

        :param resource: the target for a resource of the inventory; raises ``NotFoundError``.
        """
        if self._bookings is not None:
            await asyncio.to_thread(self._bookings.tidy, self._unused_after)
            for details in await asyncio.to_thread(self._bookings.under_way):
                self._sandboxes.begin(details.sandbox, details.holds)
                for target in details.targets:
                    self._sandboxes.admit(target)
                self._admit_held(details, resource)
                said = await asyncio.to_thread(self._bookings.said, details.sandbox.id)
                for message in said:
                    self._sandboxes.write(details.sandbox.id, message)
            self._sandboxes.follow(self._kept, self._heard)
        for sandbox in self._sandboxes.all():
            if sandbox.state == "ending":
                self._begin_end(sandbox.id, sandbox.reason)
        self._clock = asyncio.create_task(self._watch(), name="sandboxes")

    async def close(self) -> None:
        """Let endings come to their end; what is under way stays as it is."""
        if self._clock is not None:
            self._clock.cancel()
            await asyncio.wait({self._clock})
        if self._ending:
            await asyncio.wait(self._ending.values())
        while self._writing is not None:
            await asyncio.wait({self._writing})

    # ---- life -----------------------------------------------------------------------------------

    async def start(
        self, sandbox: Sandbox, targets: Sequence[Target] = (), holds: Sequence[Hold] = ()
    ) -> SandboxDetails:
        """Begin a sandbox. Raises ``ConflictError`` for an id that is taken, ``ReservedError``, ``StoreError``."""
        if sandbox.id in [one.id for one in self._sandboxes.all()]:
            raise ConflictError(f"sandbox {sandbox.id!r} is there already; end it first")
        for hold in holds:
            self._refuse_held(hold)
        if not sandbox.started:
            sandbox = replace(sandbox, started=time.time())
        targets = [replace(one, sandbox=sandbox) for one in targets]
        details = SandboxDetails(sandbox=sandbox, targets=list(targets), holds=list(holds))
        self._sandboxes.begin(sandbox, holds)
        try:
            if self._bookings is not None:
                await asyncio.to_thread(self._bookings.add, details)
        except BaseException:
            self._sandboxes.end(sandbox.id)
            raise
        for target in targets:
            self._sandboxes.admit(target, new=True)
        self._changed(sandbox)
        self._due.set()
        return details

    async def extend(self, id: str, ends: float | None) -> Sandbox:
        """Let a sandbox end at another time (Unix time); None: not by itself.

        Raises ``NotFoundError``, ``ConflictError`` for one that has ended, and ``InputError`` for a time that is over.
        """
        if ends is not None and not time.time() < ends < float("inf"):
            raise InputError("a sandbox can be extended to a time that is still to come")
        details = await self.details(id)
        if details.sandbox.state != "active":
            raise ConflictError(f"sandbox {id!r} has ended; start another one")
        sandbox = replace(details.sandbox, ends=ends)
        if self._bookings is not None:
            await asyncio.to_thread(self._bookings.save, replace(details, sandbox=sandbox))
        if self._sandboxes.change(sandbox):
            self._changed(sandbox)
            self._due.set()
        return sandbox

    async def end(self, id: str, reason: str) -> Sandbox:
        """End a sandbox, once: whoever asks again gets it as it ended. Raises ``NotFoundError``."""
        details = await self.details(id)
        if details.sandbox.state == "ended":
            return details.sandbox
        return await asyncio.shield(self._begin_end(id, reason))

    # ---- what there is --------------------------------------------------------------------------

    async def details(self, id: str) -> SandboxDetails:
        """A sandbox and what is in it, also when it has ended. Raises ``NotFoundError``."""
        if id not in self._sandboxes:
            if id in self._ended:
                return self._ended[id]
            if self._bookings is not None:
                return await asyncio.to_thread(self._bookings.get, id)
        return self._now(id)

    async def all(self, *, ended: bool = False) -> list[Sandbox]:
        """The sandboxes that have not ended, oldest first; with ``ended``, those that have, too, after them."""
        found = self._sandboxes.all()
        if ended and self._bookings is not None:
            found += await asyncio.to_thread(self._bookings.ended, KEPT)
        elif ended:
            found += [one.sandbox for one in reversed(self._ended.values())]
        return found

    async def output(self, id: str) -> list[Message]:
        """What was written to the output of a sandbox, oldest first. Raises ``NotFoundError``."""
        if id not in self._sandboxes and self._bookings is not None:
            await asyncio.to_thread(self._bookings.get, id)
            return await asyncio.to_thread(self._bookings.said, id)
        return self._sandboxes.output(id)

    def refuse_ended(self, sandbox: Sandbox | None) -> None:
        """Raise ``ConflictError`` where a sandbox takes no more commands."""
        if sandbox is None:
            return
        known = self._ended.get(sandbox.id)
        if sandbox.id in self._ending or (known and sandbox.id not in self._sandboxes):
            raise ConflictError(f"sandbox {sandbox.id!r} has ended; start another one")

    def refuse_held(self, resource: str) -> None:
        """Raise ``ReservedError`` where a sandbox has the root resource for itself."""
        for sandbox, hold in self._sandboxes.holders(resource):
            if not hold.shared:
                raise ReservedError(resource, sandbox.name or sandbox.id, sandbox.owner)

    # ---- inside ---------------------------------------------------------------------------------

    def _refuse_held(self, wanted: Hold) -> None:
        for sandbox, hold in self._sandboxes.holders(wanted.resource):
            if not (hold.shared and wanted.shared):
                raise ReservedError(wanted.resource, sandbox.name or sandbox.id, sandbox.owner)

    def _now(self, id: str) -> SandboxDetails:
        sandbox, targets = self._sandboxes.sandbox(id)
        return SandboxDetails(
            sandbox=sandbox, targets=targets, holds=list(self._sandboxes.holds(id))
        )

    def _admit_held(self, details: SandboxDetails, resource: Callable[[str], Target]) -> None:
        for hold in details.holds:
            try:
                self._sandboxes.admit(replace(resource(hold.resource), sandbox=details.sandbox))
            except NotFoundError as error:
                log.warning("sandbox %s: %s", details.sandbox.id, error)

    def _begin_end(self, id: str, reason: str) -> asyncio.Task[Sandbox]:
        task = self._ending.get(id)
        if task is None:
            task = asyncio.create_task(self._end(id, reason), name=f"end of sandbox {id}")
            self._ending[id] = task
            task.add_done_callback(lambda done: self._end_done(id, done))
        return task

    def _end_done(self, id: str, task: asyncio.Task[Sandbox]) -> None:
        del self._ending[id]
        if not task.cancelled() and task.exception() is not None:
            log.error("sandbox %s could not end: %s", id, task.exception())

    async def _end(self, id: str, reason: str) -> Sandbox:
        details = self._now(id)
        ending = replace(details.sandbox, state="ending", reason=reason)
        await self._save(replace(details, sandbox=ending))
        self._sandboxes.change(ending)
        self._changed(ending)
        await self._release(ending, details.targets)
        ended = replace(ending, state="ended", ended=time.time())
        details = replace(self._now(id), sandbox=ended)
        await self._save(details)
        self._sandboxes.end(id)
        self._ended[id] = details
        while len(self._ended) > KEPT:
            del self._ended[next(iter(self._ended))]
        self._changed(ended)
        return ended

    async def _save(self, details: SandboxDetails) -> None:
        if self._bookings is not None:
            await asyncio.to_thread(self._bookings.save, details)

    def _kept(self, id: str) -> None:
        """Write what changed in a sandbox before whoever changed it hears that it did."""
        assert self._bookings is not None
        self._bookings.save(self._now(id))

    def _heard(self, id: str, message: Message) -> None:
        """Have the output written soon: many messages share a commit."""
        self._said.setdefault(id, []).append(message)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(), name="output of sandboxes")

    async def _write(self) -> None:
        assert self._bookings is not None
        try:
            while self._said:
                said, self._said = self._said, {}
                for sandbox, messages in said.items():
                    await asyncio.to_thread(self._bookings.say, sandbox, messages)
        except StoreError as error:
            log.error("output of sandboxes was not kept: %s", error)
        finally:
            self._writing = None

    async def _watch(self) -> None:
        """End what is due."""
        while True:
            self._due.clear()
            now = time.time()
            wait = LOOK
            for one in self._sandboxes.all():
                if one.state != "active" or one.ends is None:
                    continue
                if one.ends <= now:
                    self._begin_end(one.id, "its time was over")
                    wait = min(wait, AGAIN)
                else:
                    wait = min(wait, one.ends - now)
            try:
                async with asyncio.timeout(wait):
                    await self._due.wait()
            except TimeoutError:
                continue
