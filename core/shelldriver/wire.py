"""Frames of JSON over a socket, as ``multiprocessing.connection`` frames its bytes."""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import json
import os
import resource
import socket
import struct
import threading
from typing import Any, Dict, Iterator, List, Optional

Message = Dict[str, Any]

_LENGTH = struct.Struct("!i")
_LONG_LENGTH = struct.Struct("!Q")
_LONGEST = 0x7FFFFFFF
_CHUNK = 1 << 16
_PIECE = 1 << 17
"""Characters of a result beyond which it follows its message in pieces. As JSON it would be copied six times more.

What both sides make of a piece on its way stays in the processor's caches.
"""
_GONE = (errno.EPIPE, errno.ECONNRESET, errno.EBADF, errno.ENOTCONN)

_parse = json.JSONDecoder().raw_decode
_dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def valid(text: str) -> str:
    """``text`` with the halves of surrogate pairs, which have no place in UTF-8, replaced."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def pack(message: Message) -> bytes:
    """One frame, always valid UTF-8 inside."""
    return _frame(_dumps(message))


def frames(message: Message) -> Iterator[bytes]:
    """The frames of a message: itself, and the pieces of its text where it is a long result."""
    text = message["text"] if message.get("is") == "result" else ""
    if len(text) <= _PIECE:
        yield pack(message)
        return
    starts = range(0, len(text), _PIECE)
    yield pack({**message, "text": "", "pieces": len(starts)})
    for start in starts:
        yield _frame(text[start : start + _PIECE])


def _frame(text: str) -> bytes:
    try:
        body = text.encode("utf-8")
    except UnicodeEncodeError:
        body = valid(text).encode("utf-8")
    if len(body) > _LONGEST:
        return _LENGTH.pack(-1) + _LONG_LENGTH.pack(len(body)) + body
    return _LENGTH.pack(len(body)) + body


class Inbox:
    """Cuts messages out of bytes, however they come."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> List[Message]:
        """The messages that ``data`` completes."""
        self._buffer += data
        messages = []
        start = 0
        while True:
            head, length = self._measure(start)
            if length is None or len(self._buffer) < start + head + length:
                break
            end = start + head + length
            messages.append(_parse(self._buffer[start + head : end].decode("utf-8"))[0])
            start = end
        if start:
            del self._buffer[:start]
        return messages

    def _measure(self, start: int) -> Any:
        """How long the header and the body of the frame at ``start`` are; None while unknown."""
        there = len(self._buffer) - start
        if there < _LENGTH.size:
            return 0, None
        (length,) = _LENGTH.unpack_from(self._buffer, start)
        if length != -1:
            return _LENGTH.size, length
        head = _LENGTH.size + _LONG_LENGTH.size
        if there < head:
            return 0, None
        return head, _LONG_LENGTH.unpack_from(self._buffer, start + _LENGTH.size)[0]


class Stream:
    """One end of a connection that must never block: what cannot be sent yet waits in the outbox."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self.end = end
        self._inbox = Inbox()
        self._outbox = bytearray()

    def fileno(self) -> int:
        """Its descriptor, for polling."""
        return self.end.fileno()

    @property
    def waiting(self) -> bool:
        """Whether something is left to send."""
        return bool(self._outbox)

    def read(self) -> List[Message]:
        """The messages that are there. Raises ``EOFError`` when the other side has gone."""
        try:
            data = self.end.recv(_CHUNK)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError as error:
            raise EOFError(str(error)) from error
        if not data:
            raise EOFError("end of file")
        return self._inbox.feed(data)

    def send(self, message: Message) -> None:
        """Send ``message``, or as much of it as the socket takes now."""
        self._outbox += pack(message)
        self.flush()

    def flush(self) -> None:
        """Send what waits, as far as the socket takes it."""
        try:
            while self._outbox:
                del self._outbox[: self.end.send(self._outbox)]
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:  # The other side has gone: reading tells so, in one place.
            self._outbox.clear()

    def close(self) -> None:
        """Hang up."""
        self.end.close()


class Channel:
    """An instance's end of a connection: read by one thread, written by any.

    Its descriptor is moved out of the way of drivers that close or write to low descriptors.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = out_of_the_way(descriptor)
        os.set_blocking(self.descriptor, True)
        self._inbox = Inbox()
        self._lock = threading.Lock()

    def read(self) -> List[Message]:
        """Wait for bytes; the messages that they complete. Raises ``EOFError`` at the end."""
        return self._inbox.feed(self._some(_CHUNK))

    def read_one(self) -> Message:
        """Wait for a message, and leave what follows it where it is. Raises ``EOFError`` at the end."""
        (length,) = _LENGTH.unpack(self._exactly(_LENGTH.size))
        message: Message = _parse(self._exactly(length).decode("utf-8"))[0]
        return message

    def _exactly(self, size: int) -> bytes:
        data = self._some(size)
        while len(data) < size:
            data += self._some(size - len(data))
        return data

    def _some(self, most: int) -> bytes:
        try:
            data = os.read(self.descriptor, most)
        except OSError as error:
            raise EOFError(str(error)) from error
        if not data:
            raise EOFError("end of file")
        return data

    def send(self, message: Message, patience: float = -1) -> None:
        """Send ``message`` whole. Nothing happens if nobody is there to read, or others write for
        longer than ``patience`` seconds (negative: wait)."""
        if not self._lock.acquire(timeout=patience):
            return
        try:
            for frame in frames(message):
                self._write(memoryview(frame))
        except OSError as error:
            if error.errno not in _GONE:
                raise
        finally:
            self._lock.release()

    def _write(self, rest: memoryview) -> None:
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]

    def close(self) -> None:
        """Hang up, in this process."""
        with contextlib.suppress(OSError):
            os.close(self.descriptor)


def send_descriptor(end: socket.socket, descriptor: int) -> None:
    """Send a descriptor, as ``receive_descriptor`` takes it. Raises ``OSError`` when the other side has gone."""
    numbers = array.array("i", [descriptor])
    end.sendmsg([b" "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])


def receive_descriptor(end: socket.socket) -> Optional[int]:
    """A descriptor, sent as ``multiprocessing.reduction`` sends them; None when the other side has gone."""
    numbers = array.array("i")
    space = socket.CMSG_SPACE(numbers.itemsize)
    try:
        _, ancillary, _, _ = end.recvmsg(1, space, getattr(socket, "MSG_CMSG_CLOEXEC", 0))
    except OSError:
        return None
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            numbers.frombytes(data)
    return numbers[0] if numbers else None


def out_of_the_way(descriptor: int) -> int:
    """Move a descriptor up, where those who count from 3 do not meet it, and keep it from children."""
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    # Not higher than needed: the kernel's table is as long as the highest number.
    floor = 1000 if soft == resource.RLIM_INFINITY else max(3, min(1000, soft - 24))
    moved = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, floor)
    os.close(descriptor)
    return moved
