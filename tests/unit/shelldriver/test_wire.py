"""Frames are those of ``multiprocessing.connection``, however the bytes come."""

from __future__ import annotations

import json
import os
import socket
import threading
from multiprocessing.connection import Connection
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shelldriver.wire import Channel, Inbox, Stream, frames, out_of_the_way, pack

_MESSAGES = st.lists(st.dictionaries(st.text(), st.text() | st.integers() | st.none()), min_size=1)


@given(_MESSAGES, st.data())
def test_messages_come_out_as_they_went_in(
    messages: list[dict[str, Any]], data: st.DataObject
) -> None:
    stream = b"".join(map(pack, messages))
    inbox, found = Inbox(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += inbox.feed(stream[:size])
        stream = stream[size:]
    assert found == messages


@given(st.text(st.characters(categories=["Cs", "L"])))
def test_frames_are_always_utf_8(text: str) -> None:
    json.loads(pack({"text": text})[4:].decode("utf-8"))


def test_the_framing_is_that_of_multiprocessing() -> None:
    ours, theirs = socket.socketpair()
    connection = Connection(theirs.detach())
    channel = Channel(ours.detach())
    try:
        for message in ({"a": "ä"}, {"a": "x" * 50_000}):
            channel.send(message)
            assert json.loads(connection.recv_bytes()) == message
            connection.send_bytes(json.dumps(message).encode())
            got: list[Any] = []
            while not got:
                got = channel.read()
            assert got == [message]
    finally:
        connection.close()
        channel.close()


def test_lengths_beyond_31_bits_take_eight_more_bytes() -> None:
    body = json.dumps({"a": 1}).encode()
    frame = b"\xff\xff\xff\xff" + len(body).to_bytes(8, "big") + body
    inbox = Inbox()
    assert [inbox.feed(frame[n : n + 1]) for n in range(len(frame))][-1] == [{"a": 1}]


@given(st.text(st.characters(categories=["L"]), min_size=1), st.integers(0, 9))
def test_a_long_result_follows_its_message_in_pieces(part: str, more: int) -> None:
    text = part * (600_000 // len(part)) + "x" * more
    first, *pieces = frames({"is": "result", "call": 1, "text": text})
    assert json.loads(first[4:]) == {"is": "result", "call": 1, "text": "", "pieces": len(pieces)}
    assert len(pieces) > 1
    assert "".join(piece[4:].decode("utf-8") for piece in pieces) == text


def test_pieces_are_always_utf_8() -> None:
    _, *pieces = frames({"is": "result", "text": "\ud800x" * 200_000})
    assert "".join(piece[4:].decode("utf-8") for piece in pieces) == "\ufffdx" * 200_000


def test_a_stream_never_blocks_and_loses_nothing() -> None:
    ours, theirs = socket.socketpair()
    stream, other = Stream(ours), Channel(theirs.detach())
    for number in range(300):
        stream.send({"number": number, "text": "x" * 5000})
    assert stream.waiting
    found: list[Any] = []
    while len(found) < 300:
        stream.flush()
        found += other.read()
    assert [message["number"] for message in found] == list(range(300))
    stream.close()
    with pytest.raises(EOFError):
        other.read()
    other.close()


def test_sending_to_nobody_is_no_error() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    channel = Channel(ours.detach())
    channel.send({"a": 1})
    channel.close()


def test_a_sender_does_not_wait_for_others_longer_than_its_patience() -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours.detach())
    big = threading.Thread(target=channel.send, args=({"a": "x" * 10**7},), daemon=True)
    big.start()
    while not theirs.recv(1, socket.MSG_PEEK):
        pass
    channel.send({"b": 1}, patience=0.01)
    theirs.close()
    big.join(10)
    assert not big.is_alive()
    channel.close()


def test_descriptors_move_out_of_the_way_and_are_not_inherited() -> None:
    read, write = os.pipe()
    os.close(write)
    moved = out_of_the_way(read)
    try:
        assert moved >= 100
        assert not os.get_inheritable(moved)
        with pytest.raises(OSError, match="Bad file"):
            os.fstat(read)
    finally:
        os.close(moved)
