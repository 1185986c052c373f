"""The client where no server of ours answers; what a server answers is shown beside the server."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shelldock.client import Client, Event
from shelldock.errors import LoginError, UnreachableError
from shelldock.rest import read_events

ACCEPTED = (
    b'{"id":"e1","key":"k","target":"sw1","command":"ping","state":"accepted","accepted":1.0}'
)


def answer(status: str, body: bytes, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}Connection: close\r\n\r\n".encode() + body


@contextmanager
def peer(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A socket that gives these bytes, one connection each, and hangs up; what it was asked."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for one in answers:
                connection, _ = listener.accept()
                with connection:
                    asked.append(connection.recv(65536))
                    connection.sendall(one)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        thread.join(timeout=30)


def test_that_nobody_listens_is_one_clear_line() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        with Client(url) as client, pytest.raises(UnreachableError) as caught:
            client.me()
    assert str(caught.value).startswith(f"cannot reach the server {url!r}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["lab", "ftp://lab", "http://", ""])
def test_what_is_no_url_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(UnreachableError, match="expected a URL such as"):
        Client(url)


@pytest.mark.parametrize(
    "told", [answer("404 Not Found", b"<html>", "text/html"), answer("200 OK", b"<html>")]
)
def test_another_program_on_the_port_is_not_taken_for_a_server(told: bytes) -> None:
    with (
        peer(told) as (url, _),
        Client(url) as client,
        pytest.raises(UnreachableError, match=r"not .*as"),
    ):
        client.me()


def test_an_error_of_the_server_is_raised_as_what_it_was() -> None:
    body = b'{"type":"urn:shelldock:error:login","status":401,"code":"login","detail":"no such token","facts":{}}'
    told = answer("401 Unauthorized", body, "application/problem+json")
    with (
        peer(told) as (url, _),
        Client(url) as client,
        pytest.raises(LoginError, match="no such token"),
    ):
        client.me()


def test_a_lost_answer_is_asked_for_again_with_the_same_key() -> None:
    with peer(b"", answer("201 Created", ACCEPTED)) as (url, asked), Client(url) as client:
        assert client.submit("sw1", "ping").id == "e1"
    keys = [
        next(line for line in one.lower().splitlines() if line.startswith(b"idempotency-key"))
        for one in asked
    ]
    assert len(keys) == 2
    assert keys[0] == keys[1]


def test_what_changes_something_is_not_asked_for_twice() -> None:
    with (
        peer(b"") as (url, asked),
        Client(url) as client,
        pytest.raises(UnreachableError),
    ):
        client.terminate("sw1")
    assert len(asked) == 1


def test_events_go_on_after_the_last_that_was_heard() -> None:
    first = answer("200 OK", b'id: 7\nevent: output\ndata: {"text":"a"}\n\n', "text/event-stream")
    second = answer("200 OK", b"id: 8\nevent: reset\ndata: {}\n\n", "text/event-stream")
    with (
        peer(first, second) as (url, asked),
        Client(url) as client,
        client.events(["output"]) as events,
    ):
        heard = [next(events), next(events)]
    assert heard == [
        Event(id="7", kind="output", data={"text": "a"}),
        Event(id="8", kind="reset", data={}),
    ]
    assert b"last-event-id: 7" in asked[1].lower()
    assert b"last-event-id" not in asked[0].lower()


def test_comments_and_events_without_data_are_left_out() -> None:
    lines = iter([": still here", "", "event: x", "", 'data: {"a":', "data: 1}", ""])
    assert list(read_events(lines)) == [Event(kind="message", data={"a": 1})]
