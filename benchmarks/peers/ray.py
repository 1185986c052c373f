"""Ray: an actor for each instance, on a Ray of this machine alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import ray

from benchmarks.peers.shape import load


class Driver:
    """The actor."""

    def __init__(self, source: str) -> None:
        self._driver = load(source)

    def echo(self, text: str) -> str:
        """What the driver says."""
        return str(self._driver.echo(None, text))


class Peer:
    """Actors that need no share of a processor, so that there may be any number."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._source = str(shell / "src")
        self._actors: list[Any] = []

    async def __aenter__(self) -> Self:
        """Start Ray: its control service, its store, its scheduler."""
        ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        self._driver = ray.remote(Driver).options(num_cpus=0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop Ray."""
        ray.shutdown()

    async def start(self, number: int) -> None:
        """An actor more."""
        self._actors.append(self._driver.remote(self._source))

    async def call(self, number: int, text: str) -> str:
        """A method of an actor, and its result out of Ray's store."""
        return str(ray.get(self._actors[number].echo.remote(text)))

    async def call_all(self, text: str) -> list[str]:
        """A method of each actor."""
        return [str(one) for one in ray.get([actor.echo.remote(text) for actor in self._actors])]
