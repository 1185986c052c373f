"""A process for each command, which is what a script without any framework does."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Self

RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from driver import BenchmarkDriver
driver = BenchmarkDriver()
driver.initialize(None)
print(driver.echo(None, sys.argv[2]), end="")
"""


class Peer:
    """Nothing lives between commands, so an instance is only a number."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._source = str(shell / "src")
        self._instances = 0

    async def __aenter__(self) -> Self:
        """There is nothing to do once."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is left."""

    async def start(self, number: int) -> None:
        """Only counts."""
        self._instances += 1

    async def call(self, number: int, text: str) -> str:
        """A process, from its start to its end."""
        return _answer(self._run(text))

    async def call_all(self, text: str) -> list[str]:
        """As many processes at the same time."""
        return [_answer(one) for one in [self._run(text) for _ in range(self._instances)]]

    def _run(self, text: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", RUN, self._source, text]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _answer(process: subprocess.Popen[str]) -> str:
    return process.communicate()[0]
