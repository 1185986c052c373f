"""A command's place in the queue of a scope, and what holds for every such queue."""

from __future__ import annotations

import asyncio
import time

from shelldock.errors import CancelledError, ShelldockError
from shelldock.instance import DriverInstance
from shelldock.model import Call, Shell, Value
from shelldock.starts import Rules


class QueueRules(Value, frozen=True, kw_only=True):
    """What holds for the queue of every scope."""

    most: int
    """How many commands may wait; 0: any number."""
    source: str = "default"
    starts: Rules


class Turn:
    """A command's place in the queue."""

    def __init__(self, shell: Shell, call: Call) -> None:
        self.shell = shell
        self.call = call
        self.since = time.time()
        self.expires = time.monotonic() + call.pending.seconds
        self.instance: asyncio.Future[DriverInstance] = asyncio.get_running_loop().create_future()
        """The instance on which it may run now, with room kept for it; or why it never will."""

    @property
    def has_room(self) -> bool:
        """Whether an instance keeps room for it."""
        given = self.instance
        return given.done() and not given.cancelled() and given.exception() is None

    def refuse(self, error: ShelldockError) -> None:
        """Let it end with ``error``."""
        if not self.instance.done():
            self.instance.set_exception(error)

    def cancelled(self, reason: str = "") -> None:
        """Let it end as cancelled."""
        why = f": {reason}" if reason else ""
        self.refuse(CancelledError(f"{self.call.command!r} was cancelled before it started{why}"))

    @property
    def premises(self) -> object:
        """What a start depends on: where it failed, it may succeed once any of this has changed."""
        resource = self.call.target.resource
        return self.shell.driver, resource.address, resource.attributes
