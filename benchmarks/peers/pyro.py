"""Pyro5: a daemon in a process of its own for each instance, a proxy for each."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self

import Pyro5.api

SERVE = """
import sys
import Pyro5.api
sys.path.insert(0, sys.argv[1])
from driver import BenchmarkDriver
driver = Pyro5.api.expose(BenchmarkDriver)()
driver.initialize(None)
with Pyro5.api.Daemon() as daemon:
    print(daemon.register(driver), flush=True)
    daemon.requestLoop()
"""


class Peer:
    """Daemons on free ports of the loopback address, as Pyro5 chooses them."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._source = str(shell / "src")
        self._processes: list[subprocess.Popen[str]] = []
        self._proxies: list[Any] = []
        self._threads = ThreadPoolExecutor(64)

    async def __aenter__(self) -> Self:
        """There is nothing to do once."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the daemons."""
        self._threads.shutdown()
        for process in self._processes:
            process.terminate()
            process.communicate()

    async def start(self, number: int) -> None:
        """A daemon more, and the address that it prints."""
        self._proxies.append(Pyro5.api.Proxy(self._daemon()))

    async def call(self, number: int, text: str) -> str:
        """A method of the proxy."""
        return self._owned(number, text)

    async def call_all(self, text: str) -> list[str]:
        """A thread for each proxy, as its methods block."""
        numbers = range(len(self._proxies))
        return list(self._threads.map(lambda number: self._owned(number, text), numbers))

    def _daemon(self) -> str:
        command = [sys.executable, "-c", SERVE, self._source]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self._processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    def _owned(self, number: int, text: str) -> str:
        proxy = self._proxies[number]
        proxy._pyroClaimOwnership()  # a proxy serves the thread that says so
        return str(proxy.echo(None, text))
