"""A driver waits for a debugger before it initializes, and goes on when one has attached."""

from __future__ import annotations

import asyncio
import json
import socket
from typing import Any

import pytest
from tests.workshop import Workshop, target

from shelldock import AsyncHost
from shelldock.errors import InputError
from shelldock.paths import Paths
from shelldock.settings import load


class Debugger:
    """As much of an editor as it takes to attach."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0

    async def ask(self, command: str, **arguments: object) -> None:
        """Send a request of the debug adapter protocol."""
        self._number += 1
        request = {
            "seq": self._number,
            "type": "request",
            "command": command,
            "arguments": arguments,
        }
        body = json.dumps(request).encode()
        self._writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        await self._writer.drain()

    async def until(self, event: str) -> dict[str, Any]:
        """Read until this event comes."""
        while True:
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(head.split(b":")[1])
            message: dict[str, Any] = json.loads(await self._reader.readexactly(length))
            if message.get("event") == event:
                return message

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


async def attached(port: int) -> Debugger:
    """A debugger that is connected, as soon as somebody listens."""
    while True:
        try:
            debugger = Debugger(*await asyncio.open_connection("127.0.0.1", port))
        except OSError:
            await asyncio.sleep(0.1)
        else:
            await debugger.ask("initialize", adapterID="test")
            await debugger.ask("attach", connect={"host": "127.0.0.1", "port": port})
            await debugger.until("initialized")
            return debugger


@pytest.mark.timeout(240)
async def test_a_driver_waits_for_a_debugger_before_it_initializes_l2(
    paths: Paths, workshop: Workshop
) -> None:
    port = free_port()
    settings = load(None, {"SHELLDOCK_LIMITS__INITIALIZE": "0.1"})
    async with AsyncHost(settings, paths=paths, debug=str(port)) as host, asyncio.timeout(200):
        running = await host.submit(target(host, workshop.shell()), "work", {"label": "on"})
        debugger = await attached(port)
        assert workshop.journal.events() == []
        await debugger.ask("configurationDone")
        assert (await host.wait(running.id)).result == "on"
        debugger.close()
    assert workshop.journal.events() == [
        "construct",
        "initialize box",
        "begin on",
        "end on",
        "cleanup",
    ]


@pytest.mark.parametrize("place", ["soon", "127.0.0.1:", "0", "127.0.0.1:70000"])
def test_where_to_wait_must_be_a_port_l2(paths: Paths, place: str) -> None:
    with pytest.raises(InputError, match="expected a port"):
        AsyncHost(load(None, {}), paths=paths, debug=place)
