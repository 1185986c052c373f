"""A small HTTP/1.1 server on the host's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from shelldock.model import Value

# Imported when somebody dials: it brings along what speaks HTTP, and many drivers never ask for anything.
if TYPE_CHECKING:
    from shelldock_compat.connection import Connection

log = logging.getLogger(__name__)

CHUNK: Final = 64 * 1024
"""Bytes that are read at a time."""


class Limits(Value, frozen=True, kw_only=True):
    """What one client may take of the server. Sizes in bytes, times in seconds."""

    head: int = 32 * 1024
    body: int = 16 * 1024 * 1024
    """A longer body is read and thrown away, so that the client, still sending, hears why it was refused."""
    patience: float = 30
    """From the first byte of a request to its last, and for the client to take the reply."""
    idle: float = 300
    """Between requests; clients notice a closed connection and open another."""
    connections: int = 512
    """Beyond it, the connection that has been idle for longest is closed; never one whose client waits."""


class Request(Value, frozen=True, kw_only=True):
    """One request. ``target`` is as it came; header names are lower-case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""
    oversize: bool = False
    """The body was longer than the limit, and is not here."""


class Response(msgspec.Struct, frozen=True):
    """What a handler answers."""

    body: bytes
    type: str = "text/xml; charset=utf-8"
    status: int = HTTPStatus.OK


BUG: Final = Response(
    b"internal error; see the host's log", "text/plain", HTTPStatus.INTERNAL_SERVER_ERROR
)

Handler = Callable[[Request], Response | Awaitable[Response]]
"""Answers at once, or with something to wait for: then the connection waits, and no other one."""


class Listener:
    """Serves one address and port with one handler.

    :param handler: called on the event loop, must not block; if it raises, the client gets a 500. An answer that it
        gives to wait for is waited for to its end, also when the client does not.
    """

    def __init__(self, handler: Handler, limits: Limits | None = None) -> None:
        self._handler = handler
        self._limits = limits or Limits()
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], Connection] = {}
        self._left: set[asyncio.Future[Response]] = set()

    async def start(self, address: str, port: int) -> int:
        """Listen; the port, which the system chooses where ``port`` is 0. Raises ``OSError``."""
        self._server = await asyncio.start_server(self._accept, address, port, limit=CHUNK)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._server is None:
            return
        self._server.close()
        await _cancelled(self._open)
        await _cancelled(self._left)
        await self._server.wait_closed()
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if not self._make_room():
            writer.transport.abort()
            return
        from shelldock_compat.connection import Connection

        connection = Connection(reader, writer, self._handler, self._limits, self._left)
        self._open[task] = connection
        try:
            await connection.serve()
            writer.close()
            async with asyncio.timeout(self._limits.patience):
                await writer.wait_closed()
        except asyncio.CancelledError:
            pass  # stopped, or made room for another: the streams' own callback would log it as an error
        except OSError as error:  # TimeoutError is one
            log.debug("connection closed: %r", error)
        finally:
            self._open.pop(task, None)
            writer.transport.abort()  # what a client has not taken by now, it never will

    def _make_room(self) -> bool:
        """Close a connection where there are too many. False: none may be closed."""
        if len(self._open) < self._limits.connections:
            return True
        idle = {
            task: one.idle_since for task, one in self._open.items() if one.idle_since is not None
        }
        # With none idle the oldest goes: a client that is slow on purpose must not lock out the drivers. One that waits
        # for a command stays: it would send its request again, and the command would run twice.
        slow = (task for task, one in self._open.items() if not one.waits)
        task = min(idle, key=idle.__getitem__) if idle else next(slow, None)
        limit = self._limits.connections
        if task is None:
            log.warning(
                "refused a connection: %d wait for commands, and more are not let in", limit
            )
            return False
        del self._open[task]
        log.warning("more than %d connections: closed one", limit)
        task.cancel()
        return True


async def _cancelled(futures: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel all of them and wait for their end."""
    ending = list(futures)
    for one in ending:
        one.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
