"""The ways to run a driver that are compared, ours first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Way:
    """One way: its name in tables, and the module of ``benchmarks.peers`` that knows how."""

    name: str
    module: str
    option: str = ""
    packages: tuple[str, ...] | None = ()
    """What it needs beside the driver's requirements; None: it runs in our own environment, and makes the driver's."""
    short: bool = False
    """Whether continuous integration measures it."""


OURS: Final = "Shelldock"
WAYS: Final[Sequence[Way]] = (
    Way(OURS, "shelldock", packages=None, short=True),
    Way("Shelldock, durable", "shelldock", "durable", packages=None),
    Way("Shelldock, without forks", "shelldock", "fresh", packages=None),
    Way("multiprocess, spawn", "multiprocess", "spawn", ("multiprocess",), short=True),
    Way("multiprocess, forkserver", "multiprocess", "forkserver", ("multiprocess",)),
    Way("multiprocess, forkserver preloaded", "multiprocess", "preloaded", ("multiprocess",)),
    Way("execnet", "execnet", packages=("execnet",), short=True),
    Way("Pyro5", "pyro", packages=("Pyro5",)),
    Way("Jupyter kernel", "jupyter", packages=("jupyter_client", "ipykernel")),
    Way("a process per command", "command"),
    Way("Salt proxy minion", "salt", packages=("salt",)),
    # Newer ones refuse the pydantic 1 of Cisco's libraries.
    Way("Ray actor", "ray", packages=("ray<2.50",)),
)
