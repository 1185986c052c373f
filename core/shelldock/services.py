"""What lives beside the instances for as long as a host does."""

from __future__ import annotations

from typing import Protocol

from shelldock.model import Connectivity


class Service(Protocol):
    """What lives as long as the host: a listener, a scheduler. Plugins bring it by ``shelldock_services``."""

    name: str

    async def start(self) -> Connectivity | None:
        """Begin. Called before any command; the answer, if any, is what drivers are told to dial."""

    async def stop(self) -> None:
        """End. Called after the last instance has ended."""
