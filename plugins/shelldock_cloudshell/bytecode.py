"""Bytecode of packages, kept from one environment for the next: compiling takes ten times as long as installing."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from shelldock.paths import private

_CACHE: Final = "__pycache__"


class _Module(NamedTuple):
    """A source file and its bytecode, which need not be there."""

    source: Path
    compiled: Path


class Bytecode:
    """A folder of bytecode files, each a hard link to the ones in environments.

    A file is named after the content of its source, and after the source's time, without which Python does not
    take it. Installers link files from their cache, so both are the same in the next environment.

    :param folder: on the file system of the environments.
    :param version: the interpreter's. Only CPython's bytecode is kept; Python itself refuses what is not its own.
    """

    def __init__(self, folder: Path, version: str) -> None:
        self._folder = folder
        self._tag = "cpython-" + "".join(version.split(".")[:2])

    def bring(self, packages: Path) -> bool:
        """Link what is known to where ``packages`` looks for it. False: something has to be compiled."""
        complete = True
        for module in self._modules(packages):
            if not module.compiled.exists():
                complete &= _link(self._kept(module), module.compiled)
        return complete

    def keep(self, packages: Path) -> None:
        """Keep what is new in ``packages`` for others."""
        private(self._folder)
        for module in self._modules(packages):
            _link(module.compiled, self._kept(module))

    def prune(self, unused_for: float) -> None:
        """Remove what has been in no environment for so many seconds."""
        limit = time.time() - unused_for
        for file in self._folder.rglob("*.pyc"):
            with suppress(FileNotFoundError):  # another was quicker
                status = file.stat()
                if (
                    status.st_nlink == 1 and status.st_ctime <= limit
                ):  # when its last other link went
                    file.unlink()

    def _modules(self, packages: Path) -> Iterator[_Module]:
        for source in [one for one in packages.rglob("*.py") if one.is_file()]:
            yield _Module(source, source.parent / _CACHE / f"{source.stem}.{self._tag}.pyc")

    def _kept(self, module: _Module) -> Path:
        digest = hashlib.sha256(module.source.read_bytes()).hexdigest()
        written = int(module.source.stat().st_mtime)
        return self._folder / digest[:2] / f"{digest[2:]}-{written}.{self._tag}.pyc"


def _link(source: Path, target: Path) -> bool:
    """Whether ``target`` is there now; not where there is no source, or the file system has no such links."""
    try:
        target.parent.mkdir(exist_ok=True)
        os.link(source, target)
    except FileExistsError:
        return True
    except OSError:
        return False
    return True
