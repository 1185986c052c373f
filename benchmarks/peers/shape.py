"""What a way to run a driver must be able to do to be measured, and how each gets its driver."""

from __future__ import annotations

import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol, Self


class Peer(Protocol):
    """One way to run a driver. Entering it does what a program does once; leaving it ends all that it started.

    Instances are told apart by numbers from 0 on. The methods are coroutines because ours are; whatever knows no
    asyncio just blocks, as nothing else goes on meanwhile.
    """

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        """Nothing is started yet.

        :param shell: a shell project; its driver has ``initialize(context)`` and ``echo(context, text)``.
        :param room: a folder of this way's own, the same in every round.
        :param option: what one module offers in several variants.
        """

    async def __aenter__(self) -> Self:
        """Do what a program does once, however many instances it has."""

    async def __aexit__(self, *_: object) -> None:
        """End everything."""

    async def start(self, number: int) -> None:
        """Begin a new instance with an initialized driver; ``call`` may wait for it, too."""

    async def call(self, number: int, text: str) -> str:
        """What an instance's driver answers to ``echo``."""

    async def call_all(self, text: str) -> list[str]:
        """The same of all instances, each asked before the first has to answer."""


def load(source: str) -> Any:
    """The driver in a folder, initialized."""
    sys.path.insert(0, source)
    driver = import_module("driver").BenchmarkDriver()
    driver.initialize(None)
    return driver


def free_port() -> int:
    """A port of the loopback address on which nobody listens now."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
