"""How often in a row a driver failed to start, and when it may be tried again."""

from __future__ import annotations

import asyncio
import time

from shelldock.errors import (
    BrokenError,
    DriverError,
    InstanceLost,
    LimitReached,
    ShelldockError,
    StartError,
)
from shelldock.model import Value

AT_ONCE = 3
"""So many starts in a row may fail before there are pauses between them."""

_THE_DRIVERS = (StartError, DriverError, LimitReached, InstanceLost)
"""Failures of the driver itself; an index or an interpreter that is away is no reason to give it up."""


class Rules(Value, frozen=True, kw_only=True):
    """When a driver is given up."""

    attempts: int
    """After so many failures in a row; 0: never."""
    pause: float
    """The longest between two attempts, in seconds."""
    rest: float
    """Seconds after which a broken one may be tried once more."""


class Starts:
    """The record of one scope. It begins anew when what is started is not the same any more.

    Starts are tried at once, three times; then after 1, 2, 4 … seconds; then the scope is broken.
    """

    def __init__(self, key: str, rules: Rules) -> None:
        self.failures = 0
        self.last = ""
        self._key = key
        self._rules = rules
        self._of: object = None
        self._when = 0.0
        self._wake = asyncio.Event()

    @property
    def broken(self) -> bool:
        """Whether it failed so often that it is not tried any more."""
        return 0 < self._rules.attempts <= self.failures

    def failed(self, error: ShelldockError, of: object) -> None:
        """Remember that a start failed, and what it was that should have been started."""
        if isinstance(error, _THE_DRIVERS):
            self.begin_anew(of)
            self.failures += 1
            self.last = str(error)
            self._of = of
            self._when = time.monotonic()

    def forget(self) -> None:
        """Begin anew: it has started, or somebody wants it tried."""
        self.failures = 0
        self.wake()

    def wake(self) -> None:
        """End a pause now: who waits for it may have changed."""
        self._wake.set()

    def begin_anew(self, of: object) -> None:
        """Forget what failed where something else is to be started now: it may have been mended."""
        if of != self._of:
            self.forget()

    def check(self, target: str) -> None:
        """Raise ``BrokenError`` where nothing is to be tried now."""
        if self.broken and time.monotonic() - self._when < self._rules.rest:
            raise BrokenError(self._key, target, self.failures, self.last)

    def pause(self) -> float:
        """Seconds until the next attempt may be made."""
        if self.failures < AT_ONCE or self.broken:
            return 0.0
        pause = min(self._rules.pause, 2.0 ** (self.failures - AT_ONCE))
        return max(0.0, self._when + pause - time.monotonic())

    async def sleep(self, seconds: float) -> None:
        """Wait so long, or until somebody wakes it."""
        self._wake.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
