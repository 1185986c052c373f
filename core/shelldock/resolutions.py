"""Remembers on disk what requirements resolved to, and when."""

from __future__ import annotations

import hashlib
import re
import time
from pathlib import Path
from typing import Final

import msgspec

from shelldock.locks import FileLock, take
from shelldock.model import Needs, Shell, Value
from shelldock.paths import private

PATIENCE: Final = 300.0
"""Seconds for which old needs stand in after a failure, before the index is asked again."""

_FOLLOWS: Final = re.compile(
    r"(?m)^\s*(-[rce]\b|--(requirement|constraint|editable)\b|[^-#\s][^#\n]*/)"
)
"""A line that depends on other files of the driver."""


class Resolution(Value, frozen=True, kw_only=True):
    """What requirements resolved to."""

    needs: Needs
    resolved: float
    """Unix time."""


class Resolutions:
    """A folder with one file for each question that was asked.

    :param validity: seconds for which an answer counts.
    :param premises: text that stands for whatever else the answers depend on, such as the plugins' settings.
    """

    def __init__(self, folder: Path, validity: float, premises: str = "") -> None:
        self.folder = folder
        self._validity = validity
        self._premises = premises
        self._postponed: dict[str, float] = {}

    def key(self, shell: Shell, python: str | None) -> str:
        """The name of the question what ``shell`` needs: changes with its requirements, not with its code."""
        assert shell.driver is not None
        driver = shell.driver
        text = _text(driver.requirements, driver.source)
        code = driver.digest if _FOLLOWS.search(text) else ""
        facts = (shell.name, text, code, driver.python, python, self._premises, *driver.tools)
        return hashlib.sha256(msgspec.json.encode(facts)).hexdigest()[:32]

    def get(self, key: str) -> Resolution | None:
        """The last answer, however old; None where there is none that can be read, or its interpreter is gone."""
        try:
            found = msgspec.json.decode((self.folder / f"{key}.json").read_bytes(), type=Resolution)
        except (OSError, msgspec.DecodeError):
            return None
        return found if Path(found.needs.python).exists() else None

    def is_fresh(self, key: str, found: Resolution) -> bool:
        """Whether an answer still counts."""
        now = time.time()
        return 0 <= now - found.resolved < self._validity or now < self._postponed.get(key, 0)

    def put(self, key: str, needs: Needs) -> None:
        """Remember an answer."""
        temporary = self.folder / f".{key}.json"
        temporary.write_bytes(msgspec.json.encode(Resolution(needs=needs, resolved=time.time())))
        temporary.replace(self.folder / f"{key}.json")

    def postpone(self, key: str) -> None:
        """Let the last answer count a while longer, as no new one is to be had."""
        self._postponed[key] = time.time() + min(PATIENCE, self._validity)

    def log(self, key: str) -> Path:
        """Where the resolver writes."""
        return self.folder / f"{key}.log"

    def lock(self, key: str) -> FileLock | None:
        """The right to ask, alone among all processes."""
        return take(private(self.folder) / f"{key}.lock")  # a cache may vanish

    def prune(self, unused_for: float) -> None:
        """Forget the answers that neither count nor are younger than this."""
        limit = time.time() - max(unused_for, self._validity)
        for file in self.folder.glob("*.json"):
            if file.stat().st_mtime <= limit and (lock := self.lock(file.stem)):
                file.unlink(missing_ok=True)
                self.log(file.stem).unlink(missing_ok=True)
                lock.discard()


def _text(lines: tuple[str, ...] | None, source: Path) -> str:
    if lines is not None:
        return "\n".join(lines)
    try:
        return (source / "requirements.txt").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""
