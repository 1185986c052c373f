"""Standard output and error as Python's code sees them: text that finds its way into the log."""

from __future__ import annotations

import contextlib
import io
import sys
from typing import Any, TextIO

from shelldriver.log import Log


class _Bytes(io.BufferedIOBase):
    """What lies below a standard stream. Closing it closes nothing."""

    mode = "wb"

    def __init__(self, log: Log, source: str, name: str, descriptor: int) -> None:
        self._log = log
        self._source = source
        self._descriptor = descriptor
        self.name = name

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any) -> int:
        whole = bytes(data)
        self._log.feed(self._source, whole)
        return len(whole)

    def flush(self) -> None:
        self._log.push(self._source)

    def close(self) -> None:
        self.flush()


def replace(log: Log) -> None:
    """Let ``sys.stdout`` and ``sys.stderr`` write to ``log``, any text and from any thread."""
    flush()
    for name, source, descriptor in (("stdout", "out", 1), ("stderr", "err", 2)):
        stream = _stream(log, source, "<%s>" % name, descriptor)
        setattr(sys, name, stream)
        setattr(sys, "__%s__" % name, stream)


def flush() -> None:
    """Write out what the standard streams still hold."""
    streams: Any = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    for stream in streams:
        with contextlib.suppress(Exception):  # A stranger's stream.
            stream.flush()


def _stream(log: Log, source: str, name: str, descriptor: int) -> TextIO:
    # What is written is passed on at once, so that it is known which thread wrote it.
    return io.TextIOWrapper(
        _Bytes(log, source, name, descriptor),
        encoding="utf-8",
        errors="backslashreplace",
        write_through=True,
    )
