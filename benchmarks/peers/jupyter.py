"""Jupyter: a kernel (``ipykernel``) for each instance, driven by ``jupyter_client``."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any, Self

from jupyter_client.manager import AsyncKernelManager

START = """
import sys
sys.path.insert(0, {source!r})
from driver import BenchmarkDriver
driver = BenchmarkDriver()
driver.initialize(None)
"""


class Peer:
    """Kernels on the interpreter that this runs on."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._start = START.format(source=str(shell / "src"))
        self._kernels: list[Any] = []
        self._clients: list[Any] = []

    async def __aenter__(self) -> Self:
        """There is nothing to do once."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the kernels."""
        for client, kernel in zip(self._clients, self._kernels, strict=True):
            client.stop_channels()
            await kernel.shutdown_kernel(now=True)

    async def start(self, number: int) -> None:
        """A kernel more, ready, with the driver in it."""
        kernel = AsyncKernelManager()
        await kernel.start_kernel()
        client = kernel.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        self._kernels.append(kernel)
        self._clients.append(client)
        await _reply(client, client.execute(self._start, silent=True))

    async def call(self, number: int, text: str) -> str:
        """An expression and the value that it has."""
        client = self._clients[number]
        return _value(await _reply(client, _ask(client, text)))

    async def call_all(self, text: str) -> list[str]:
        """A request to each kernel, then the replies."""
        asked = [(client, _ask(client, text)) for client in self._clients]
        return [_value(await _reply(client, request)) for client, request in asked]


def _ask(client: Any, text: str) -> str:
    wanted = {"answer": f"driver.echo(None, {text!r})"}
    return str(client.execute("", silent=True, user_expressions=wanted))


async def _reply(client: Any, request: str) -> Any:
    while True:
        message = await client.get_shell_msg(timeout=60)
        if message["parent_header"].get("msg_id") == request:
            content = message["content"]
            assert content["status"] == "ok", content
            return content


def _value(content: Any) -> str:
    return str(ast.literal_eval(content["user_expressions"]["answer"]["data"]["text/plain"]))
