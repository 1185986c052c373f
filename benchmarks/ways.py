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
    packages: tuple[str, ...] = ()
    """What it needs beside the driver's requirements; ours has none, as it makes the driver's environment itself."""
    short: bool = False
    """Whether continuous integration measures it."""


OURS: Final = "Shelldock"
WAYS: Final[Sequence[Way]] = (
    Way(OURS, "shelldock", short=True),
    Way("Shelldock, durable", "shelldock", "durable"),
    Way("Shelldock, without forks", "shelldock", "fresh", short=True),
    Way("multiprocess, spawn", "multiprocess", "spawn", ("multiprocess",), short=True),
    Way("multiprocess, forkserver", "multiprocess", "forkserver", ("multiprocess",)),
    Way("multiprocess, forkserver preloaded", "multiprocess", "preloaded", ("multiprocess",)),
    Way("execnet", "execnet", packages=("execnet",), short=True),
    Way("Pyro5", "pyro", packages=("Pyro5",)),
    Way("Jupyter kernel", "jupyter", packages=("jupyter_client", "ipykernel")),
    Way("a process per command", "command", packages=("pip",)),
    Way(
        "Ray actor", "ray", packages=("ray<2.50",)
    ),  # newer ones refuse the pydantic 1 of Cisco's libraries
)
