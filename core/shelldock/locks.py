"""Locks between processes, given back by the system when their holder dies, however it dies."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Final

POLL: Final = 0.05
"""Seconds between two looks at a lock that another has."""


class FileLock:
    """A lock that is held; ``take`` makes it."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    def fileno(self) -> int:
        """Its descriptor: a process that inherits it holds the lock too."""
        return self._descriptor

    def release(self) -> None:
        """Give it back; a second time is nothing."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def discard(self) -> None:
        """Remove the file, for a lock that is held alone and has had its day, and give it back."""
        self._path.unlink(missing_ok=True)
        self.release()


def take(path: Path, *, shared: bool = False) -> FileLock | None:
    """The lock at ``path``, alone or shared with others who share it; None where somebody is in the way. Never waits.

    Each call is a holder of its own, also within one process.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        if _is_at(descriptor, path):
            return FileLock(path, descriptor)
        os.close(
            descriptor
        )  # discarded between opening and locking: the file at the path is another


@contextlib.asynccontextmanager
async def held(
    attempt: Callable[[], FileLock | None], waits: Callable[[], None]
) -> AsyncGenerator[None]:
    """Hold what ``attempt`` takes; while another has it, try again and again, without blocking the event loop."""
    while (lock := attempt()) is None:
        waits()
        await asyncio.sleep(POLL)
    try:
        yield
    finally:
        lock.release()


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
