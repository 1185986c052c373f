"""``execnet``: a gateway for each instance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Self

import execnet

SERVE = """
import sys
sys.path.insert(0, channel.receive())
from driver import BenchmarkDriver
driver = BenchmarkDriver()
driver.initialize(None)
while True:
    command, inputs = channel.receive()
    channel.send(getattr(driver, command)(None, **inputs))
"""


class Peer:
    """Gateways to processes of the interpreter that this runs on."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._source = str(shell / "src")
        self._group = execnet.Group()
        self._channels: list[execnet.Channel] = []

    async def __aenter__(self) -> Self:
        """There is nothing to do once."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the gateways."""
        self._group.terminate(timeout=5)

    async def start(self, number: int) -> None:
        """A gateway more."""
        gateway = self._group.makegateway(f"popen//python={sys.executable}")
        channel = gateway.remote_exec(SERVE)
        channel.send(self._source)
        self._channels.append(channel)

    async def call(self, number: int, text: str) -> str:
        """There and back."""
        self._channels[number].send(("echo", {"text": text}))
        return str(self._channels[number].receive())

    async def call_all(self, text: str) -> list[str]:
        """Into all channels, then out of all."""
        for channel in self._channels:
            channel.send(("echo", {"text": text}))
        return [str(channel.receive()) for channel in self._channels]
