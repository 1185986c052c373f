"""Shelldock, through its Python interface."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Self

from shelldock import AsyncHost, Resource, Target
from shelldock.paths import Paths


class Peer:
    """A host. Options: ``fresh``, a new interpreter for each instance; ``durable``, every execution in the store."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._shell = shell
        self._host = AsyncHost(
            paths=Paths.below(room),
            python="{}.{}".format(*sys.version_info),  # the same as the others have
            fresh="fresh" in option,
            durable="durable" in option,
        )
        self._targets: list[Target] = []

    async def __aenter__(self) -> Self:
        """Open the host and find the environment, which is built in the first round."""
        await self._host.__aenter__()
        await self._host.prepare(self._host.open_shell(self._shell))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the host."""
        await self._host.__aexit__()

    async def start(self, number: int) -> None:
        """A resource more; its instance starts with its first command."""
        resource = Resource(name=f"device {number}", shell=str(self._shell))
        self._targets.append(Target(resource=resource))

    async def call(self, number: int, text: str) -> str:
        """One command, from its acceptance to its record."""
        execution = await self._host.execute(self._targets[number], "echo", {"text": text})
        return str(execution.result)

    async def call_all(self, text: str) -> list[str]:
        """One command for each resource."""
        calls = (self.call(number, text) for number in range(len(self._targets)))
        return await asyncio.gather(*calls)
