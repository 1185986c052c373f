"""The log of a process: every line with its time, the execution that it belongs to, and where it came from."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from threading import get_ident
from typing import Dict, FrozenSet, Iterable, Optional, Tuple

from shelldriver.wire import out_of_the_way

NOBODY = "-"
"""In place of an execution: the instance itself, or somebody of whom it is not known."""

RAW = "raw"
"""Where a line came from that tells of what was written past Python."""

_LONGEST_PART = 1 << 16
"""Bytes of a line that is not complete, after which it is written as it is."""

_PRIVATE = 0o600

Writer = Tuple[int, str, str]
"""A thread, where it writes to, and the execution that it works for."""


class Log:
    """Takes what Python writes. Any thread may write; its lines stay whole, and its own.

    Standard output and error as the system knows them lead to the same file, past this object: what libraries and
    child processes write there can neither be lost nor wait for anybody. A line after it tells whose it was.
    """

    def __init__(self) -> None:
        self._descriptor = out_of_the_way(os.dup(1))
        self._path = ""
        self._most = float("inf")
        self._keep = 1
        self._concurrent = False
        self._lock = threading.RLock()  # The handler of a signal may write, too.
        self._parts: Dict[Writer, bytes] = {}
        self._unended: Optional[Writer] = None
        """Who wrote the last line without its end."""
        self._executions: Dict[int, str] = {}
        """By thread, where commands run side by side."""
        self._running = NOBODY
        """Where they run one at a time."""
        self._bystanders: FrozenSet[Optional[int]] = frozenset()
        """Threads that are older than the command that runs."""
        self._second = -1
        self._clock = ("", "")

    # ---- the file ---------------------------------------------------------------------------------

    def move(self, path: str, most: float, keep: int, concurrent: bool) -> None:
        """From now on write to a file of this instance's own.

        :param most: bytes from which it is continued in a new one.
        :param keep: how many older ones stay.
        """
        self._path, self._most, self._keep = path, most, keep
        self._concurrent = concurrent
        self._attach((1, 2))

    def forget(self) -> None:
        """In a process that the driver forked: what was half written, and the care for the file, are the parent's."""
        self._lock = threading.RLock()
        self._parts.clear()
        self._most = float("inf")

    def _attach(self, standard: Iterable[int]) -> None:
        """Open the file that the path means now; the ``standard`` descriptors lead to it, too."""
        opened = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _PRIVATE)
        # An open file of their own: the position of ours tells how much of the file is known to us.
        output = os.open(self._path, os.O_WRONLY | os.O_APPEND)
        os.dup2(opened, self._descriptor, inheritable=False)
        os.lseek(self._descriptor, 0, os.SEEK_END)
        for descriptor in standard:
            os.dup2(output, descriptor)
        for descriptor in (opened, output):
            if descriptor > 2:
                os.close(descriptor)
        self._unended = None

    def _rotate(self) -> None:
        """Go on in a new file. Children that still have the old one open go on in that."""
        followers = [one for one in (1, 2) if self._is_ours(one)]
        try:
            for number in range(self._keep, 0, -1):
                with contextlib.suppress(FileNotFoundError):
                    os.replace(_older(self._path, number - 1), _older(self._path, number))
            self._attach(followers)
        except OSError:  # No space, no right, no descriptor: this one has to do, and not to be asked at each line.
            self._most *= 2

    def _is_ours(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), os.fstat(self._descriptor))
        except OSError:  # The driver closed it.
            return False

    # ---- whose lines they are -----------------------------------------------------------------------

    def begin(self, execution: str) -> None:
        """This thread works for ``execution`` from now on."""
        if self._concurrent:
            self._executions[get_ident()] = execution
            return
        self._running = execution
        if self._bystanders or threading.active_count() > 1:
            threads = {one.ident for one in threading.enumerate()}
            self._bystanders = frozenset(threads - {get_ident()})

    def complete(self) -> None:
        """Write the ends of lines that what runs in this thread still owes."""
        if self._parts:
            self._flush(self.execution())

    def end(self) -> None:
        """This thread works for no execution any more."""
        self.look()
        if self._concurrent:
            self._executions.pop(get_ident(), None)
        else:
            self._running = NOBODY

    def execution(self) -> str:
        """The one that this thread works for, as far as is known.

        Where commands run one at a time, a thread that is not older than the one that runs works for it.
        """
        if self._concurrent:
            return self._executions.get(get_ident(), NOBODY)
        if self._bystanders and get_ident() in self._bystanders:
            return NOBODY
        return self._running

    def _sole(self) -> str:
        """The only execution that runs."""
        if not self._concurrent:
            return self._running
        running = list(self._executions.values())
        return running[0] if len(running) == 1 else NOBODY

    # ---- writing ------------------------------------------------------------------------------------

    def feed(self, stream: str, data: bytes) -> None:
        """Take what this thread wrote to ``stream``, in whatever pieces; the start of a line waits for its end."""
        writer = (get_ident(), stream, self.execution())
        if writer in self._parts:
            data = self._parts.pop(writer) + data
        lines, end, rest = data.rpartition(b"\n")
        if end:
            self._write(writer, lines)
        if len(rest) > _LONGEST_PART:
            self._write(writer, rest, whole=False)
        elif rest:
            self._parts[writer] = rest

    def push(self, stream: str) -> None:
        """Write what this thread left of a line in ``stream``; the line may go on."""
        writer = (get_ident(), stream, self.execution())
        part = self._parts.pop(writer, None)
        if part is not None:
            self._write(writer, part, whole=False)

    def flush(self) -> None:
        """Write all that was left of lines, of all threads."""
        self._flush(None)

    def note(self, text: str, level: str = "INFO", execution: Optional[str] = None) -> None:
        """Write lines of our own."""
        self.add(level, "shelldock: " + text, self.execution() if execution is None else execution)

    def add(self, level: str, text: str, execution: str, when: Optional[float] = None) -> None:
        """Write whole lines.

        :param when: the Unix time to write before them, by default that of now.
        """
        data = text.rstrip("\n").encode("utf-8", "backslashreplace")
        self._write((get_ident(), level, execution), data, when)

    def _flush(self, execution: Optional[str]) -> None:
        for writer in list(self._parts):
            if execution is None or writer[2] == execution:
                part = self._parts.pop(writer, None)
                if part is not None:
                    self._write(writer, part)

    def _write(
        self, writer: Writer, text: bytes, when: Optional[float] = None, whole: bool = True
    ) -> None:
        with self._lock:
            head = self._head(writer[1], writer[2], when)
            lines = head + text.replace(b"\n", b"\n" + head) + (b"\n" if whole else b"")
            size, others = self._measure()
            if others:
                lines = self._told(size, others) + lines
            elif self._unended == writer:
                lines = lines[len(head) :]
            elif self._unended is not None:
                lines = b"\n" + lines
            self._unended = None if whole else writer
            self._put(lines)
            if whole and size + len(lines) >= self._most:
                self._rotate()

    def look(self) -> None:
        """See to the size, and to what was written past Python: it is of whoever runs now."""
        with self._lock:
            size, others = self._measure()
            if others:
                self._put(self._told(size, others))
            if size >= self._most:
                self._rotate()

    def _measure(self) -> Tuple[int, int]:
        """The bytes of the file, and how many of them others added since we last wrote."""
        try:
            known = os.lseek(self._descriptor, 0, os.SEEK_CUR)
            size = os.lseek(self._descriptor, 0, os.SEEK_END)
            return size, size - known
        except OSError:  # It is no file, or the driver closed it.
            return 0, 0

    def _told(self, size: int, others: int) -> bytes:
        """The line that says whose the last ``others`` bytes are."""
        ended = os.pread(self._descriptor, 1, size - 1) == b"\n"
        line = self._head(RAW, self._sole()) + b"%d bytes above were written past Python\n" % others
        return line if ended else b"\n" + line

    def _head(self, source: str, execution: str, when: Optional[float] = None) -> bytes:
        now = time.time() if when is None else when
        second = int(now)
        if second != self._second:
            local = time.localtime(second)
            self._clock = time.strftime("%Y-%m-%dT%H:%M:%S", local), time.strftime("%z", local)
            self._second = second
        head = "%s.%03d%s %s %s " % (
            self._clock[0],
            (now - second) * 1000,
            self._clock[1],
            execution,
            source.replace(" ", "_"),
        )
        return head.encode("utf-8", "backslashreplace")

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError:  # The disk is full: no command shall fail for that.
            self._unended = (0, "", "")


def _older(path: str, number: int) -> str:
    return "%s.%d" % (path, number) if number else path
