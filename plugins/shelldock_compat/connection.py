"""One connection of the small HTTP/1.1 server, from its first request to its last."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable

import h11

from shelldock_compat.listener import BUG, CHUNK, Handler, Limits, Request, Response

log = logging.getLogger(__name__)


class Connection:
    """One client's connection.

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
        """On the event loop's clock; None while a request is read or answered."""
        self.waits = False
        """Whether its client waits for an answer that takes its time."""
        self._reader = reader
        self._writer = writer
        self._handler = handler
        self._limits = limits
        self._left = left
        self._wire = h11.Connection(h11.SERVER, max_incomplete_event_size=limits.head)

    async def serve(self) -> None:
        """Answer one request after the other, until either side has enough."""
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
        data = await self._reader.read(CHUNK)
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
