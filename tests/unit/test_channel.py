"""What comes over a channel is checked, whatever the pieces it comes in."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shelldock.channel import Channel

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
