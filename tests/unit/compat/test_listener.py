"""The HTTP server answers in one segment, keeps connections, and lets no client take more than its share."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import Awaitable, Callable

import pytest

from shelldock_compat.listener import Handler, Limits, Listener, Request, Response

HELLO = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"


def echo(request: Request) -> Response:
    """Answers what it was asked."""
    if request.target == "/bug":
        raise RuntimeError("oops")
    text = f"{request.method} {request.target} {len(request.body)} {request.oversize}"
    return Response(text.encode(), "text/plain")


class Client:
    """A raw connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def socket(self) -> socket.socket:
        sock: socket.socket = self.writer.get_extra_info("socket")
        return sock

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def reply(self) -> tuple[int, bytes]:
        """Status and body of the next reply."""
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head.split()[1])
        if status == 100:
            return status, b""
        (length,) = (
            int(line.split(b":")[1])
            for line in head.splitlines()
            if line.lower().startswith(b"content-length")
        )
        return status, await self.reader.readexactly(length)

    async def closed(self) -> bool:
        """Whether the server closes the connection; waits for it."""
        try:
            return await self.reader.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.writer.close()


Connect = Callable[[], Awaitable[Client]]


def serve(
    scenario: Callable[[Connect], Awaitable[None]],
    limits: Limits | None = None,
    handler: Handler = echo,
) -> None:
    """Run ``scenario`` against a listener."""

    async def run() -> None:
        listener = Listener(handler, limits)
        port = await listener.start("127.0.0.1", 0)
        clients: list[Client] = []

        async def connect() -> Client:
            clients.append(Client(*await asyncio.open_connection("127.0.0.1", port)))
            return clients[-1]

        try:
            async with asyncio.timeout(20):
                await scenario(connect)
        finally:
            for client in clients:
                client.close()
            await listener.stop()

    asyncio.run(run())


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_INFO is laid out so on Linux only")
def test_a_reply_is_one_segment_since_two_cost_the_client_40_ms() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        for number in range(1, 4):
            await client.send(HELLO)
            assert await client.reply() == (200, b"POST /x 5 False")
            info = client.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
            assert struct.unpack_from("I", info, 152)[0] == number  # tcpi_data_segs_in

    serve(scenario)


def test_a_connection_serves_many_requests_also_when_they_come_at_once() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(HELLO * 3)
        for _ in range(3):
            assert await client.reply() == (200, b"POST /x 5 False")

    serve(scenario)


def test_a_request_may_come_a_byte_at_a_time() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        for byte in HELLO:
            await client.send(bytes([byte]))
            await asyncio.sleep(0)
        assert await client.reply() == (200, b"POST /x 5 False")

    serve(scenario)


def test_a_client_that_asks_for_it_gets_its_connection_closed() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(HELLO.replace(b"Host: h", b"Host: h\r\nConnection: close"))
        assert (await client.reply())[0] == 200
        assert await client.closed()

    serve(scenario)


def test_chunks_and_a_wait_for_100_continue_are_understood() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        head = b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        await client.send(head)
        assert (await client.reply())[0] == 100
        await client.send(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        assert await client.reply() == (200, b"POST /x 5 False")

    serve(scenario)


def test_a_handler_that_raises_costs_one_reply(caplog: pytest.LogCaptureFixture) -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(HELLO.replace(b"/x", b"/bug"))
        assert (await client.reply())[0] == 500
        await client.send(HELLO)
        assert (await client.reply())[0] == 200

    serve(scenario)
    assert "oops" in caplog.text


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"NOT HTTP\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00" * 20 + b"\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 100_000 + b"\r\n\r\n", 431),
    ],
    ids=["text", "tls", "no host", "long head"],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(data: bytes, status: int) -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(data)
        assert (await client.reply())[0] == status
        assert await client.closed()

    serve(scenario)


def test_a_body_that_is_too_long_is_heard_to_its_end_and_not_kept() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n")
        await client.send(b"x" * 3_000_000)
        assert await client.reply() == (200, b"POST /x 0 True")
        await client.send(HELLO)
        assert await client.reply() == (200, b"POST /x 5 False")

    serve(scenario, Limits(body=1000))


def test_a_client_that_does_not_finish_its_request_is_cut_off() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(HELLO[:-1])
        assert await client.closed()

    serve(scenario, Limits(patience=0.1))


def test_a_client_that_does_not_take_its_reply_is_cut_off() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        long = HELLO.replace(b"/x", b"/" + b"x" * 60_000)
        with pytest.raises((ConnectionError, TimeoutError)):  # noqa: PT012 - which of the writes fails is up to the buffers
            for _ in range(2_000):
                await client.send(long)
            await asyncio.sleep(5)
            await client.send(long)

    serve(scenario, Limits(head=100_000, patience=0.1))


def test_a_connection_that_is_idle_for_too_long_is_closed() -> None:
    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(HELLO)
        await client.reply()
        assert await client.closed()

    serve(scenario, Limits(idle=0.1))


def test_with_too_many_connections_the_one_idle_for_longest_makes_room() -> None:
    async def scenario(connect: Connect) -> None:
        clients = [await connect() for _ in range(3)]
        for client in clients[1:] + clients[:1]:
            await client.send(HELLO)
            await client.reply()
        newest = await connect()
        await newest.send(HELLO)
        assert (await newest.reply())[0] == 200
        assert await clients[1].closed()
        for client in (clients[0], clients[2]):
            await client.send(HELLO)
            assert (await client.reply())[0] == 200

    serve(scenario, Limits(connections=3))


def test_clients_that_are_slow_on_purpose_do_not_lock_out_the_others() -> None:
    async def scenario(connect: Connect) -> None:
        for _ in range(3):
            await (await connect()).send(HELLO[:-1])
        newest = await connect()
        await newest.send(HELLO)
        assert (await newest.reply())[0] == 200

    serve(scenario, Limits(connections=3))


def test_stopping_closes_every_connection() -> None:
    async def run() -> None:
        listener = Listener(echo)
        port = await listener.start("127.0.0.1", 0)
        client = Client(*await asyncio.open_connection("127.0.0.1", port))
        await client.send(HELLO)
        await client.reply()
        await listener.stop()
        assert await client.closed()
        client.close()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", port)

    asyncio.run(asyncio.wait_for(run(), 20))


def test_stopping_does_not_wait_for_a_client_that_does_not_take_its_reply() -> None:
    def long(_: Request) -> Response:
        return Response(b"x" * 20_000_000)

    async def run() -> None:
        listener = Listener(long)
        port = await listener.start("127.0.0.1", 0)
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(HELLO.replace(b"Host: h", b"Host: h\r\nConnection: close"))
        await asyncio.sleep(0.2)
        await listener.stop()
        writer.close()

    asyncio.run(asyncio.wait_for(run(), 10))


# ---- answers that take their time -----------------------------------------------------------------


class Slow:
    """A handler whose answers to ``/slow`` come when they are let go; those to anything else at once."""

    def __init__(self) -> None:
        self.asked = 0
        self.ended = 0
        self.go = asyncio.Event()

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        return self._later() if request.target == "/slow" else echo(request)

    async def _later(self) -> Response:
        self.asked += 1
        try:
            await self.go.wait()
            if self.asked > 100:
                raise RuntimeError("oops")
            return Response(b"late", "text/plain")
        finally:
            self.ended += 1

    async def until_asked(self, times: int) -> None:
        while self.asked < times:  # noqa: ASYNC110 - bounded by the scenario
            await asyncio.sleep(0.01)


SLOW = HELLO.replace(b"/x", b"/slow")


async def let_in(connect: Connect) -> None:
    """Connect until there is room: the server may not have seen yet that another client left."""
    while True:
        try:
            client = await connect()
            await client.send(HELLO)
            assert (await client.reply())[0] == 200
        except (ConnectionError, asyncio.IncompleteReadError):
            continue
        return


def test_an_answer_that_takes_longer_than_patience_and_idle_limit_is_waited_for_a3() -> None:
    handler = Slow()

    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(SLOW)
        await handler.until_asked(1)
        await asyncio.sleep(1)
        handler.go.set()
        assert await client.reply() == (200, b"late")

    serve(scenario, Limits(patience=0.3, idle=0.3), handler)


def test_while_one_client_waits_others_are_answered_a3() -> None:
    handler = Slow()

    async def scenario(connect: Connect) -> None:
        client, other = await connect(), await connect()
        await client.send(SLOW)
        await handler.until_asked(1)
        await other.send(HELLO)
        assert await other.reply() == (200, b"POST /x 5 False")
        handler.go.set()
        assert await client.reply() == (200, b"late")
        await client.send(HELLO)
        assert await client.reply() == (200, b"POST /x 5 False")

    serve(scenario, handler=handler)


def test_requests_that_come_while_an_answer_is_waited_for_are_answered_after_it_in_order_a3() -> (
    None
):
    handler = Slow()

    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(SLOW + HELLO)
        await handler.until_asked(1)
        await client.send(SLOW[:7])
        await client.send(SLOW[7:] + HELLO * 2)
        handler.go.set()
        said = [(await client.reply())[1] for _ in range(5)]
        late, quick = b"late", b"POST /x 5 False"
        assert said == [late, quick, late, quick, quick]

    serve(scenario, handler=handler)


def test_what_a_client_asked_for_that_left_goes_on_and_holds_no_connection_a3_i16() -> None:
    handler = Slow()

    async def scenario(connect: Connect) -> None:
        stays = await connect()
        await stays.send(SLOW)
        await handler.until_asked(1)
        leaves = await connect()
        await leaves.send(SLOW)
        await handler.until_asked(2)
        leaves.close()
        await leaves.writer.wait_closed()
        await let_in(connect)
        assert handler.ended == 0
        handler.go.set()
        assert (await stays.reply())[0] == 200
        assert handler.ended == 2

    serve(scenario, Limits(connections=2), handler)


def test_a_connection_that_waits_is_never_closed_to_make_room_a3(
    caplog: pytest.LogCaptureFixture,
) -> None:
    handler = Slow()

    async def scenario(connect: Connect) -> None:
        waiting = await connect()
        await waiting.send(SLOW)
        await handler.until_asked(1)
        slow = await connect()
        await slow.send(HELLO[:-1])
        also = await connect()
        await also.send(SLOW)
        await handler.until_asked(2)
        assert await slow.closed()
        refused = await connect()
        assert await refused.closed()
        handler.go.set()
        assert await waiting.reply() == (200, b"late")
        assert await also.reply() == (200, b"late")

    serve(scenario, Limits(connections=2), handler)
    assert "2 wait for commands" in caplog.text


def test_an_answer_that_fails_late_costs_one_reply_a3(caplog: pytest.LogCaptureFixture) -> None:
    handler = Slow()
    handler.asked = 100
    handler.go.set()

    async def scenario(connect: Connect) -> None:
        client = await connect()
        await client.send(SLOW)
        assert (await client.reply())[0] == 500
        await client.send(HELLO)
        assert (await client.reply())[0] == 200

    serve(scenario, handler=handler)
    assert "oops" in caplog.text


def test_stopping_ends_the_answers_that_are_waited_for_and_those_that_nobody_waits_for_a3() -> None:
    handler = Slow()

    async def scenario(connect: Connect) -> None:
        stays, leaves = await connect(), await connect()
        for number, client in enumerate((stays, leaves), 1):
            await client.send(SLOW)
            await handler.until_asked(number)
        leaves.close()

    serve(scenario, handler=handler)
    assert handler.ended == 2
