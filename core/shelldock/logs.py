"""Logs: how the host's own are shown, and one file for each driver instance."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Final, TextIO

from shelldock.errors import InputError, ShelldockError
from shelldock.model import Value
from shelldock.paths import Paths, private

LONGEST: Final = 60

LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

NOBODY: Final = "-"
"""In place of an execution: the instance itself."""

_HASHED: Final = re.compile(r"-[0-9a-f]{8}$")

own = logging.getLogger(__name__)


class Log(Value, frozen=True, kw_only=True):
    """One log file; ``written`` is the Unix time of its last line."""

    path: Path
    name: str
    """Its path below the folder of the logs: the scope's folder first."""
    size: int
    """Bytes."""
    written: float


def configure(level: str, *, json: bool = False, to: TextIO | None = None) -> None:
    """Send the records of every logger to standard error, or ``to``; for the command line alone.

    :param level: name of a level of ``logging``. From ``WARNING`` on, a record is one line for people, without
        time or trace.
    :param json: one JSON object a line in place of text, with all there is.
    """
    numbers = logging.getLevelNamesMapping()
    brief = numbers[level] >= logging.WARNING
    handler = logging.StreamHandler(to or sys.stderr)
    handler.setFormatter(_Json() if json else _Brief() if brief else _Text())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.getLogger("asyncio").setLevel(max(numbers[level], logging.WARNING))


def instance_log(paths: Paths, key: str, id: str) -> Path:
    """The file for an instance with this id of the scope ``key``; its folder is made, the file is not."""
    return private(paths.logs / folder_name(key)) / f"{time.strftime('%Y%m%d-%H%M%S')}-{id}.log"


def folder_name(key: str) -> str:
    """A scope's key as the name of a folder: readable, and another one for every key."""
    safe = re.sub(r"[^\w.-]+", "_", key, flags=re.ASCII).strip("._")[:LONGEST]
    if safe == key and key and not _HASHED.search(key):
        return key
    return f"{safe or '_'}-{hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def level_name(level: str) -> str:
    """``level`` as drivers' loggers know it. Raises ``InputError`` for what is none."""
    name = level.strip().upper()
    if name not in LEVELS:
        raise InputError(f"there is no log level {level!r}; known: {', '.join(LEVELS)}")
    return name


def note(log: Path, text: str, execution: str = "") -> None:
    """Add a line of the host's to an instance's log, whose process could not write it any more.

    :param execution: the one that the line is about, if any.
    """
    now = datetime.now().astimezone()
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S") + now.strftime(".%f")[:4] + now.strftime("%z")
    line = f"{stamp} {execution or NOBODY} INFO shelldock: {text}\n"
    try:
        with log.open("r+b", buffering=0) as file:
            cut = file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1]
            file.write((b"\n" if cut not in (0, b"\n") else b"") + line.encode())
    except (
        OSError
    ) as error:  # it was removed, or the disk is full: nobody's command shall fail for it
        own.warning("cannot write to log %s: %s", log, error)


def find(paths: Paths, text: str = "") -> list[Log]:
    """The logs whose name has ``text`` in it (a target, a scope, an instance's id), the newest first.

    The files that drivers write by themselves (``LOG_PATH``) are among them.
    """
    found = [_log(file, paths.logs) for file in paths.logs.rglob("*.log")]
    fitting = _fitting([one for one in found if one is not None], _comparable(text))
    return sorted(fitting, key=lambda one: one.written, reverse=True)


def of_newest_instance(found: list[Log]) -> list[Log]:
    """Those of ``found``, the newest first, that one instance wrote: its own log, then what its driver made beside."""
    instance = _instance(found[0])
    return sorted(
        (one for one in found if _instance(one) == instance), key=lambda one: one.name.count("/")
    )


def _instance(log: Log) -> tuple[str, ...]:
    scope, _, rest = log.name.partition("/")
    return scope, rest.partition("/")[0].removesuffix(".log")


def _fitting(logs: list[Log], wanted: str) -> list[Log]:
    """Those that have it as whole words (``sw1`` is not ``sw10``), else those that have it at all."""
    whole = re.compile(rf"(?<![a-z0-9]){re.escape(wanted)}(?![a-z0-9])")
    exact = [one for one in logs if whole.search(_comparable(one.name))]
    return exact or [one for one in logs if wanted in _comparable(one.name)]


def _log(file: Path, folder: Path) -> Log | None:
    try:
        facts = file.stat()
    except OSError:  # removed since it was listed
        return None
    name = file.relative_to(folder).as_posix()
    return Log(path=file, name=name, size=facts.st_size, written=facts.st_mtime)


def _comparable(text: str) -> str:
    """Without what ``folder_name`` cannot keep, so that a target is found by its own name."""
    return re.sub(r"[^\w.-]+", "_", text, flags=re.ASCII).strip("._").casefold()


class _Brief(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        why = f": {type(error).__name__}: {error}" if error else ""
        return f"shelldock: {' '.join(f'{record.getMessage()}{why}'.split())}"


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S")


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": record.created,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            entry["error"] = (
                error.code if isinstance(error, ShelldockError) else type(error).__name__
            )
            entry["trace"] = self.formatException(record.exc_info) if record.exc_info else ""
        return json.dumps(entry, ensure_ascii=False)
