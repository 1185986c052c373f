"""The folders that one host's instances work in, which go when the host and all its processes are gone."""

from __future__ import annotations

import logging
import secrets
import shutil
from pathlib import Path
from typing import Final, Self

from shelldock.locks import FileLock, take

LOCK: Final = ".lock"

log = logging.getLogger(__name__)


class Room:
    """A folder of one host's own, locked for as long as anybody lives who inherited ``fileno``."""

    def __init__(self, folder: Path, lock: FileLock) -> None:
        self.folder = folder
        self._lock = lock

    @classmethod
    def open(cls, parent: Path) -> Self:
        """A new room in ``parent``, from which the rooms of hosts that were killed are removed."""
        sweep(parent)
        folder = parent / secrets.token_hex(4)
        lock = take(folder.with_suffix(LOCK))
        assert lock is not None
        folder.mkdir(mode=0o700)
        return cls(folder, lock)

    def fileno(self) -> int:
        """The descriptor to let processes inherit that work in the room."""
        return self._lock.fileno()

    def close(self) -> None:
        """Remove the room and all in it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._lock.discard()


def sweep(parent: Path) -> None:
    """Remove the rooms in ``parent`` that nobody works in any more."""
    for path in parent.glob(f"*{LOCK}"):
        lock = take(path)
        if lock is not None:
            log.info("removing what a host left behind: %s", path.stem)
            shutil.rmtree(path.with_suffix(""), ignore_errors=True)
            lock.discard()
