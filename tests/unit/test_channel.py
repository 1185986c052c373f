"""What comes over a channel is checked, whatever the pieces it comes in."""

from __future__ import annotations

import asyncio
import gc
import json
import socket
import struct
import threading
import time
import tracemalloc
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelldock.channel import Channel
from shelldriver import wire

MOST = 1000


def frame(message: object) -> bytes:
    body = json.dumps(message).encode()
    return struct.pack("!i", len(body)) + body


async def received(*pieces: bytes) -> tuple[list[dict[str, Any]], list[str]]:
    """What a channel makes of the pieces, and why it closed."""
    messages: list[dict[str, Any]] = []
    closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    channel = Channel(messages.append, closed.set_result, MOST)
    ours, theirs = socket.socketpair()
    await asyncio.get_running_loop().create_unix_connection(lambda: channel, sock=ours)
    for piece in pieces:
        theirs.send(piece)
        await asyncio.sleep(0)
    theirs.close()
    async with asyncio.timeout(10):
        return messages, [await closed]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9), max_size=3),
        max_size=6,
    ),
    st.integers(1, 40),
)
def test_messages_arrive_whole_and_in_order_however_they_are_cut(
    sent: list[dict[str, Any]], size: int
) -> None:
    data = b"".join(map(frame, sent))
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    messages, closed = asyncio.run(received(*pieces))
    assert messages == sent
    assert closed == [""]


def text(data: bytes) -> bytes:
    return struct.pack("!i", len(data)) + data


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=20), min_size=1, max_size=9), st.integers(1, 40))
def test_a_long_text_comes_after_its_message_in_pieces(parts: list[str], size: int) -> None:
    announced = {"is": "result", "text": "", "pieces": len(parts)}
    data = frame(announced) + b"".join(text(part.encode()) for part in parts) + frame({"is": "x"})
    messages, closed = asyncio.run(
        received(*(data[at : at + size] for at in range(0, len(data), size)))
    )
    assert messages == [announced | {"text": "".join(parts)}, {"is": "x"}]
    assert closed == [""]


@pytest.mark.parametrize(
    "pieces",
    [
        frame({"is": "result", "pieces": "many"}),
        frame({"is": "result", "pieces": 1}) + text(b"\xff"),
        frame({"is": "result", "pieces": 9}) + text(b"x" * 600) * 2,
        frame({"is": "result", "pieces": 10**9}) + text(b"") * 300,
    ],
    ids=["no number", "no UTF-8", "too long", "too many"],
)
async def test_what_is_no_text_closes_the_channel_with_the_reason(pieces: bytes) -> None:
    messages, (reason,) = await received(frame({"is": "fine"}), pieces)
    assert messages == [{"is": "fine"}]
    assert "it sent what is no message" in reason


@pytest.mark.parametrize(
    "garbage",
    [
        struct.pack("!i", MOST + 1),
        struct.pack("!i", -1),
        struct.pack("!i", 4) + b"\xff\xff\xff\xff",
        struct.pack("!i", 2) + b"[]",
    ],
    ids=["too long", "negative", "no JSON", "no object"],
)
async def test_what_is_no_message_closes_the_channel_with_the_reason(garbage: bytes) -> None:
    messages, (reason,) = await received(frame({"is": "fine"}), garbage)
    assert messages == [{"is": "fine"}]
    assert "it sent" in reason


async def test_nothing_is_received_of_a_text_whose_sender_hangs_up_within_it() -> None:
    begun = frame({"is": "result", "pieces": 3}) + text(b"x" * 100) + text(b"x" * 100)[:50]
    messages, closed = await received(frame({"is": "fine"}), begun)
    assert messages == [{"is": "fine"}]
    assert closed == [""]


# ---- from the driver's end ------------------------------------------------------------------------


async def sent(message: dict[str, Any]) -> tuple[dict[str, Any], float]:
    """What arrives of a message that a driver sends; the CPU seconds that the loop was held up at the most."""
    loop = asyncio.get_running_loop()
    arrived: asyncio.Future[dict[str, Any]] = loop.create_future()
    closed: asyncio.Future[str] = loop.create_future()
    ours, theirs = socket.socketpair()
    channel = Channel(arrived.set_result, closed.set_result, 2**30)
    await loop.create_unix_connection(lambda: channel, sock=ours)
    driver = wire.Channel(theirs.detach())
    sender = threading.Thread(target=driver.send, args=(message,))
    sender.start()
    longest, before = 0.0, time.thread_time()
    async with asyncio.timeout(60):
        while not arrived.done():
            await asyncio.sleep(0)
            now = time.thread_time()
            longest, before = max(longest, now - before), now
        sender.join()
        driver.close()
        await closed
    return arrived.result(), longest


@pytest.mark.parametrize("part", ["ascii ", "café ", "10 € ", "中", "smile 😀 "])
async def test_a_long_result_arrives_as_the_driver_sent_it(part: str) -> None:
    long = "x" * 99_999 + part * 99_999 + "x" * 99_999
    message, _ = await sent({"is": "result", "call": 1, "text": long})
    assert message["call"] == 1
    assert message["text"] == long


async def test_halves_of_surrogate_pairs_in_a_long_result_are_replaced() -> None:
    message, _ = await sent({"is": "result", "text": "\ud800x" * 200_000})
    assert message["text"] == "\ufffdx" * 200_000


async def test_a_long_text_is_never_in_memory_twice() -> None:
    """That it grows in its place is CPython's doing: where it does not, each piece would copy all before it."""
    size = 20_000_000
    message = {"is": "result", "text": "x" * size}
    tracemalloc.start()
    try:
        arrived, _ = await sent(message)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(arrived["text"]) == size
    assert most < 1.5 * size


async def test_no_memory_is_taken_for_what_is_only_announced() -> None:
    loop = asyncio.get_running_loop()
    closed: asyncio.Future[str] = loop.create_future()
    ours, theirs = socket.socketpair()
    channel = Channel(lambda message: None, closed.set_result, 2**30)
    await loop.create_unix_connection(lambda: channel, sock=ours)
    tracemalloc.start()
    try:
        theirs.send(frame({"is": "result", "pieces": 1}) + struct.pack("!i", 2**29) + b"x" * 1000)
        await asyncio.sleep(0.1)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        theirs.close()
    assert await closed == ""
    assert most < 2**20


async def test_a_text_of_50_mb_does_not_hold_the_loop_up() -> None:
    gc.collect()
    gc.disable()
    try:
        _, longest = await sent({"is": "result", "text": "x" * 50_000_000})
    finally:
        gc.enable()
    assert longest < 0.25  # some milliseconds; a machine that is busy counts more
