"""A small HTTP/1.1 server on the host's event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

import h11
import msgspec

from shelldock.model import Value

log = logging.getLogger(__name__)

_CHUNK: Final = 64 * 1024


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
        self._open: dict[asyncio.Task[None], _Connection] = {}
        self._left: set[asyncio.Future[Response]] = set()

    async def start(self, address: str, port: int) -> int:
        """Listen; the port, which the system chooses where ``port`` is 0. Raises ``OSError``."""
        self._server = await asyncio.start_server(self._accept, address, port, limit=_CHUNK)
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
        connection = _Connection(reader, writer, self._handler, self._limits, self._left)
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


class _Connection:
    """One client's connection, from its first request to its last.

    :param left: the answers that are still to come for clients that have gone.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        handler: Handler,
        limits: Limits,
        left: set[asyncio.Future[Response]],
    ) -> None:
        self.idle_since: float | None = None
        self.waits = False
        """Whether its client waits for an answer that takes its time."""
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._limits = limits
        self._left = left
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)

    async def serve(self) -> None:
        try:
            while await self._wait():
                async with asyncio.timeout(self._limits.patience):
                    request = await self._request()
                if request is None:
                    return
                answer = self._answer(request)
                response = answer if isinstance(answer, Response) else await self._awaited(answer)
                if response is None:
                    return
                await self._reply(response)
                if self._wire.our_state is not h11.DONE or self._wire.their_state is not h11.DONE:
                    return
                self._wire.start_next_cycle()
        except h11.RemoteProtocolError as error:
            await self._refuse(error)

    async def _wait(self) -> bool:
        """Wait for the first bytes of a request; False where the client closes, or is idle for too long."""
        if self._wire.trailing_data[0]:
            return True
        self.idle_since = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._limits.idle):
                return await self._receive()
        except TimeoutError:
            return False
        finally:
            self.idle_since = None

    async def _receive(self) -> bool:
        data = await self._reader.read(_CHUNK)
        self._wire.receive_data(data)
        return bool(data)

    async def _event(self) -> h11.Event:
        while not isinstance(event := self._wire.next_event(), h11.Event):
            if self._wire.they_are_waiting_for_100_continue:
                await self._send(h11.InformationalResponse(status_code=100, headers=[]))
            await self._receive()
        return event

    async def _request(self) -> Request | None:
        head = await self._event()
        if not isinstance(head, h11.Request):
            return None
        body = bytearray()
        size = 0
        while isinstance(part := await self._event(), h11.Data):
            size += len(part.data)
            if size <= self._limits.body:
                body += part.data
            else:
                body.clear()
        if not isinstance(part, h11.EndOfMessage):
            return None
        return Request(
            method=head.method.decode("ascii"),
            target=head.target.decode("ascii"),
            headers={name.decode("ascii"): value.decode("latin-1") for name, value in head.headers},
            body=bytes(body),
            oversize=size > self._limits.body,
        )

    def _answer(self, request: Request) -> Response | Awaitable[Response]:
        try:
            return self._handler(request)
        except Exception:  # a handler's bug must cost its client one reply, not the host its API
            log.exception("cannot answer %s %r", request.method, request.target)
            return BUG

    async def _awaited(self, answer: Awaitable[Response]) -> Response | None:
        """The answer when it is there. None where the client leaves before: what it asked for goes on without it."""
        coming = asyncio.ensure_future(answer)
        leaving = asyncio.create_task(self._leaves())
        self.waits = True
        try:
            await asyncio.wait({coming, leaving}, return_when=asyncio.FIRST_COMPLETED)
            return coming.result() if coming.done() else None
        except Exception:  # as above
            log.exception("cannot answer what a client waited for")
            return BUG
        finally:
            self.waits = False
            leaving.cancel()
            await asyncio.wait({leaving})  # only one may read at a time
            if not coming.done():
                self._left.add(coming)
                coming.add_done_callback(self._left.discard)

    async def _leaves(self) -> None:
        """Wait until the client closes; of what it sends meanwhile, the first chunk is kept."""
        try:
            if await self._receive():
                await asyncio.Event().wait()  # the rest stays where it is until there is an answer
        except OSError:
            return

    async def _reply(self, response: Response) -> None:
        headers = [("Content-Type", response.type), ("Content-Length", str(len(response.body)))]
        await self._send(
            h11.Response(status_code=response.status, headers=headers),
            h11.Data(data=response.body),
            h11.EndOfMessage(),
        )

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        """Say what was wrong with the request, where the client can still hear it."""
        log.debug("refused a request: %s", error)
        if self._wire.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            text = f"{error}\n".encode()
            await self._reply(Response(text, "text/plain; charset=utf-8", error.error_status_hint))

    async def _send(self, *events: h11.Event) -> None:
        # One write for head and body: two cost 40 ms, the client's delayed acknowledgement.
        self._writer.write(b"".join(self._wire.send(event) or b"" for event in events))
        async with asyncio.timeout(self._limits.patience):
            await self._writer.drain()


async def _cancelled(futures: Iterable[asyncio.Future[Any]]) -> None:
    """Cancel all of them and wait for their end."""
    ending = list(futures)
    for one in ending:
        one.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
