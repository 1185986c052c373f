"""What instances wrote: the lines of their logs, older files included."""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from shelldock.logs import NOBODY, Log, find
from shelldock.model import Value
from shelldock.paths import Paths

RAW: Final = "raw"
"""The source of what was written past Python, and of the line that says whose it was."""

_HEAD: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}) (\S+) (\S+) (.*)", re.DOTALL
)


class Line(Value, frozen=True, kw_only=True):
    """A line of an instance's log (L1)."""

    time: float | None
    """Unix time; None where nobody knows."""
    execution: str
    """Empty for the instance's own, and where nobody knows whose it is."""
    source: str
    """``out``, ``err``, ``raw`` for what child processes and libraries wrote, ``log`` for ``logging``."""
    level: str
    """A level of ``logging``; empty where the line has none."""
    text: str

    def __str__(self) -> str:
        """The line as it is in the file, also where it has no fields there."""
        stamp = "-"
        if self.time is not None:
            moment = datetime.fromtimestamp(self.time).astimezone()
            stamp = f"{moment.isoformat(timespec='milliseconds')[:23]}{moment:%z}"
        return f"{stamp} {self.execution or NOBODY} {self.level or self.source} {self.text}"


class Tail:
    """Reads a log from its oldest file on, and goes on to where it is continued.

    :param first: the file to begin with, in place of the oldest.
    """

    def __init__(self, log: Path, first: Path | None = None) -> None:
        self._log = log
        self._first = first
        self._file: Path | None = None
        self._identity: tuple[int, int] | None = None
        self._position = 0
        self._cut = b""
        self._raw: list[str] = []
        self._time: float | None = None

    def new(self) -> list[Line]:
        """What was added since it was asked last.

        What was written past Python comes with the line that says whose it was, or when nothing more has come until
        the next time.
        """
        found = list(self._read())
        while self._move_on():
            found += self._read()
        if not found:
            found = self._unclaimed()
        return found

    def rest(self) -> list[Line]:
        """What is there and not complete."""
        cut, self._cut = self._cut, b""
        found = list(self._take(cut)) if cut else []
        return found + self._unclaimed()

    def _read(self) -> Iterator[Line]:
        if self._file is None and not self._open(self._first or parts(self._log)[0]):
            return
        assert self._file is not None
        try:
            with self._file.open("rb") as file:
                file.seek(self._position)
                data = file.read()
        except FileNotFoundError:
            return
        if not self._position and self._cut:  # the last line of the file before
            yield from self._take(self._cut)
            self._cut = b""
        self._position += len(data)
        *lines, self._cut = (self._cut + data).split(b"\n")
        for line in lines:
            yield from self._take(line)

    def _open(self, file: Path) -> bool:
        self._identity = _identity(file)
        self._file = file if self._identity else None
        self._position = 0
        return self._file is not None

    def _move_on(self) -> bool:
        """Go on to the next file, if the one that was read has been put aside."""
        if self._identity is None:
            return False
        files = parts(self._log)
        there = [_identity(file) for file in files]
        if there[-1] in (None, self._identity):
            return False
        # Its name has changed; where it is gone already, so are some that came after it.
        number = there.index(self._identity) if self._identity in there else -1
        if number >= 0 and files[number] != self._file:
            self._file = files[number]  # What was added to it before it was put aside.
            return True
        return self._open(files[number + 1])

    def _take(self, line: bytes) -> Iterator[Line]:
        text = line.decode("utf-8", "replace")
        head = _HEAD.fullmatch(text)
        if head is None:
            self._raw.append(text)
            return
        stamp, execution, source, text = head.groups()
        self._time = datetime.fromisoformat(stamp).timestamp()
        yield from self._claimed("" if execution == NOBODY else execution)
        if source != RAW:
            level = "" if source in ("out", "err", "log") else source
            yield self._line(execution, "log" if level else source, level, text)

    def _claimed(self, execution: str) -> list[Line]:
        raw, self._raw = self._raw, []
        return [self._line(execution, RAW, "", text) for text in raw]

    def _unclaimed(self) -> list[Line]:
        return self._claimed("")

    def _line(self, execution: str, source: str, level: str, text: str) -> Line:
        return Line(
            time=self._time,
            execution="" if execution == NOBODY else execution,
            source=source,
            level=level,
            text=text,
        )


def parts(log: Path) -> list[Path]:
    """The files of a log, the oldest first; the log's own name comes last."""
    older = []
    for file in log.parent.glob(f"{_escaped(log.name)}.*"):
        number = file.name.removeprefix(f"{log.name}.")
        if number.isdecimal():
            older.append((int(number), file))
    return [file for _, file in sorted(older, reverse=True)] + [log]


def lines(log: Path, count: int = 0) -> list[Line]:
    """The last ``count`` lines of a log, or all of them (0), in the order of their times."""
    tail = Tail(log, _reaching(log, count) if count else None)
    return ordered(tail.new() + tail.rest())[-count:]


def ordered(found: Iterable[Line]) -> list[Line]:
    """By time: what is kept back until there is an error, as cloudshell-logging does, comes late."""
    latest = 0.0
    keyed = []
    for line in found:
        latest = latest if line.time is None else line.time
        keyed.append((latest, line))
    return [line for _, line in sorted(keyed, key=lambda one: one[0])]


def of_execution(paths: Paths, execution: str, text: str = "") -> tuple[list[Log], list[Line]]:
    """What was written for an execution, and the logs that it is in (R4).

    :param text: only logs that ``find`` finds with it.
    """
    mark = f" {execution} ".encode()
    logs = [log for log in find(paths, text) if any(_holds(file, mark) for file in parts(log.path))]
    found = [
        line for log in reversed(logs) for line in lines(log.path) if line.execution == execution
    ]
    return logs, ordered(found)


def prune(paths: Paths, unused_after: float) -> list[Path]:
    """Remove the logs of instances that have ended, with all that lies beside them; those that were removed.

    :param unused_after: seconds after the last line.
    """
    before = time.time() - unused_after
    removed = []
    for log in paths.logs.glob("*/*.log"):
        beside = log.with_suffix("")
        files = [*parts(log), *beside.rglob("*")]
        if _newest(files) < before and not _alive(paths, log):
            shutil.rmtree(beside, ignore_errors=True)
            for file in parts(log):
                file.unlink(missing_ok=True)
            removed.append(log)
            with contextlib.suppress(OSError):  # There are others.
                log.parent.rmdir()
    return removed


def _reaching(log: Path, count: int) -> Path:
    """The newest file from which on there are ``count`` lines."""
    there = 0
    files = parts(log)
    for file in reversed(files):
        with contextlib.suppress(FileNotFoundError):
            there += file.read_bytes().count(b"\n")
        if there > count:
            return file
    return files[0]


def _identity(file: Path) -> tuple[int, int] | None:
    try:
        facts = file.stat()
    except FileNotFoundError:
        return None
    return facts.st_dev, facts.st_ino


def _holds(file: Path, mark: bytes) -> bool:
    try:
        return mark in file.read_bytes()
    except FileNotFoundError:
        return False


def _newest(files: Iterable[Path]) -> float:
    times = []
    for file in files:
        with contextlib.suppress(FileNotFoundError):
            times.append(file.stat().st_mtime)
    return max(times, default=0.0)


def _alive(paths: Paths, log: Path) -> bool:
    """Whether there is a working folder of the process that writes it, of whatever host."""
    names = (log.stem.rpartition("-")[2], f"fork-server-{log.stem}")
    return any((room / name).exists() for room in paths.instances.iterdir() for name in names)


def _escaped(name: str) -> str:
    return re.sub(r"([*?[])", r"[\1]", name)
