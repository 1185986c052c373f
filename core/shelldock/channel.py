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
            frame = bytes(buffer[start + _LENGTH.size : end])
            start = end
            try:
                self._received(_decode(frame))
            except (msgspec.MsgspecError, LookupError, TypeError, ValueError) as error:
                self._refuse(f"it sent what is no message: {error}")
        del buffer[:start]

    def _refuse(self, reason: str) -> None:
        self._fault = reason
        if self._transport is not None:
            self._transport.abort()
