"""The folder that all environments lie in, used by several processes at once."""

from __future__ import annotations

import contextlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from shelldock import manifest
from shelldock.errors import ConflictError, NotFoundError
from shelldock.locks import FileLock, take
from shelldock.model import Environment
from shelldock.paths import private

_BUILDING: Final = ".building-"
_REMOVED: Final = ".removed-"
_LOCKS: Final = ".locks"


class Shelf:
    """Finds, holds and removes environments. Beside each lies its log; locks lie in a folder of their own.

    Two locks: one for each digest, which its builder has alone; one for each environment, which all who use it
    share and who removes it has alone.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._locks = private(root / _LOCKS)

    # ---- finding --------------------------------------------------------------------------------

    def find(self, digest: str) -> Environment | None:
        """The environment with this digest, whichever driver it was first made for."""
        folders = sorted(self.root.glob(f"[!.]*-{digest[:8]}*/{manifest.FILE}"))
        found = (manifest.read(file.parent) for file in folders)
        return next((one for one in found if one and one.digest == digest), None)

    def all(self) -> list[Environment]:
        """Every environment that can be used, by name."""
        folders = sorted(self.root.glob(f"[!.]*/{manifest.FILE}"))
        return [one for file in folders if (one := manifest.read(file.parent))]

    def log(self, name: str) -> Path:
        """Where the builder of the environment writes."""
        return self.root / f"{name}.log"

    # ---- holding --------------------------------------------------------------------------------

    def build_lock(self, digest: str) -> FileLock | None:
        """The right to build for this digest, alone among all processes."""
        return take(self._locks / f"{digest[:8]}.build")

    def hold(self, name: str) -> FileLock:
        """Keep the environment from being removed. Raises ``NotFoundError`` where it is removed already."""
        lock = take(self._use(name), shared=True)
        if lock is not None and (self.root / name / manifest.FILE).exists():
            return lock
        if lock is not None:
            lock.release()
        raise NotFoundError("environment", name, (one.name for one in self.all()))

    # ---- placing --------------------------------------------------------------------------------

    @contextlib.contextmanager
    def workshop(self, digest: str) -> Iterator[Path]:
        """An empty folder to build in, gone afterwards unless it was placed."""
        folder = Path(tempfile.mkdtemp(prefix=f"{_BUILDING}{digest[:8]}-", dir=self.root))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def place(self, folder: Path, name: str) -> Path:
        """Move a complete environment to its name; to the next free one where something in use has that."""
        number, target = 1, self.root / name
        while target.exists() and not self.discard(target.name):
            number, target = number + 1, self.root / f"{name}_{number + 1}"
        return folder.rename(target)

    # ---- removing -------------------------------------------------------------------------------

    def discard(self, name: str) -> bool:
        """Remove an environment, or what is left of one; False where it is in use."""
        lock = take(self._use(name))
        if lock is None:
            return False
        removed = self.root / f"{_REMOVED}{secrets.token_hex(4)}"
        with contextlib.suppress(FileNotFoundError):  # another was quicker
            (self.root / name).rename(removed)
        lock.discard()
        shutil.rmtree(removed, ignore_errors=True)
        return True

    def remove(self, name: str) -> Environment:
        """Remove an environment by name. Raises ``NotFoundError``, or ``ConflictError`` where it is in use."""
        known = {one.name: one for one in self.all()}
        if name not in known:
            raise NotFoundError("environment", name, known)
        if not self.discard(name):
            raise ConflictError(f"environment {name!r} is in use; stop its instances first")
        self.log(name).unlink(missing_ok=True)
        return known[name]

    def prune(self, unused_for: float) -> list[Environment]:
        """Remove what nobody has used for so many seconds; tells what that was."""
        limit = time.time() - unused_for
        pruned = [one for one in self.all() if one.used <= limit and self.discard(one.name)]
        for file in self.root.glob("*.log"):
            if not file.with_suffix("").exists() and file.stat().st_mtime <= limit:
                file.unlink(missing_ok=True)
        self._sweep()
        return pruned

    def sweep(self, digest: str) -> None:
        """Remove what builders of this digest left that did not live to do so; needs its build lock."""
        for folder in self.root.glob(f"{_BUILDING}{digest[:8]}-*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _sweep(self) -> None:
        for folder in self.root.glob(f"{_REMOVED}*"):
            shutil.rmtree(folder, ignore_errors=True)
        left = {
            folder.name.removeprefix(_BUILDING)[:8] for folder in self.root.glob(f"{_BUILDING}*")
        }
        for digest in left | {file.stem for file in self._locks.glob("*.build")}:
            if lock := self.build_lock(digest):
                self.sweep(digest)
                lock.discard()

    def _use(self, name: str) -> Path:
        return self._locks / f"{name}.use"
