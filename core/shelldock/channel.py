"""JSON messages over a socket, framed as ``multiprocessing.connection`` frames them (see ``shelldriver``)."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from typing import Any, cast

import msgspec

Message = dict[str, Any]

_LENGTH = struct.Struct("!i")
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(dict[str, Any]).decode


class _Long:
    """A message whose text follows it in pieces."""

    def __init__(self, message: Message, most: int) -> None:
        self._message = message
        self._left = int(message["pieces"])
        self._most = most
        self._size = 0
        self._text = ""

    def add(self, piece: memoryview) -> Message | None:
        """The message, once this was the last piece of it. Raises ``ValueError`` where it is too long or no text."""
        self._size += len(piece) + _LENGTH.size
        if self._size > self._most:
            raise ValueError(f"a text of more than {self._most} bytes")
        # Nobody else may hold what is there: then CPython lets it grow in its place, and copies nothing. To join
        # the pieces at the end would touch as much memory again, which takes longer than all else, in one go.
        text, self._text = self._text, ""
        text += str(piece, "utf-8")
        self._text = text
        self._left -= 1
        if self._left > 0:
            return None
        return self._message | {"text": text}


class Channel(asyncio.Protocol):
    """One end of a connection to a process that runs strangers' code: what it sends is checked, never trusted.

    :param received: called with each message.
    :param closed: called once, with the reason when the other side sent what is no message.
    :param most: bytes that one message may have.
    """

    def __init__(
        self, received: Callable[[Message], None], closed: Callable[[str], None], most: int
    ) -> None:
        self._received = received
        self._closed = closed
        self._most = most
        self._buffer = bytearray()
        self._long: _Long | None = None
        self._transport: asyncio.Transport | None = None
        self._fault = ""

    def send(self, message: Message) -> None:
        """Send ``message``; nothing happens when the other side is gone (``closed`` tells)."""
        if self._transport is not None and not self._transport.is_closing():
            frame = _encode(message)
            self._transport.write(_LENGTH.pack(len(frame)) + frame)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are so in all but name

    def connection_lost(self, exc: Exception | None) -> None:
        """Called by the event loop."""
        self._transport = None
        self._closed(self._fault)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        buffer = self._buffer
        buffer += data
        start = 0
        while not self._fault and len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            if not 0 <= length <= self._most:
                self._refuse(f"it sent a message of {length} bytes, {self._most} are allowed")
                return
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            try:
                with memoryview(buffer) as whole, whole[start + _LENGTH.size : end] as frame:
                    self._take(frame)
            except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
                self._refuse(f"it sent what is no message: {error}")
            start = end
        del buffer[:start]

    def _take(self, frame: memoryview) -> None:
        if self._long is not None:
            message = self._long.add(frame)
        else:
            message = _decode(frame)
            if "pieces" in message:
                self._long, message = _Long(message, self._most), None
        if message is not None:
            self._long = None
            self._received(message)

    def _refuse(self, reason: str) -> None:
        self._fault = reason
        if self._transport is not None:
            self._transport.abort()
