"""What a run measured, as it is kept in ``results.json``."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import msgspec


class Struct(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Times in seconds, memory in bytes. Lists have a value for each time it was measured."""

    def add(self, other: Self) -> None:
        """Take over the samples of another round."""
        for name in self.__struct_fields__:
            if isinstance(samples := getattr(self, name), list):
                samples.extend(getattr(other, name))


class Running(Struct):
    """One way to run a driver."""

    once: list[float] = []
    """What a program does once, before its first instance."""
    first: list[float] = []
    """To the first answer of the first instance."""
    further: list[float] = []
    """To the first answer of one more instance."""
    memory: list[float] = []
    """Proportional set size that one more idle instance adds to all processes together."""
    trip: list[float] = []
    """A command and its answer, on an instance that is up: the median of each round."""
    slow: list[float] = []
    """The same: what 99 in 100 of a round stay below."""
    rate: list[float] = []
    """Commands a second, when every instance is given one at the same time: the median of each round."""


class Building(Struct):
    """One way to make a driver's environment."""

    cold: list[float] = []
    """With every cache empty."""
    cached: list[float] = []
    """With the installer's cache filled by the one before."""
    rebuilt: list[float] = []
    """After it was removed, with what its requirements resolve to still known."""
    again: list[float] = []
    """To find that the environment is there and complete."""


class Stack(Struct):
    """One driver, with the libraries that it imports."""

    title: str
    running: dict[str, Running] = {}
    """By the name of the way; ours first."""
    building: dict[str, Building] = {}
    missing: dict[str, str] = {}
    """Why a way was not measured, by its name."""


class Load(Struct):
    """Clients that each ask again as soon as they are answered."""

    clients: int
    rate: list[float] = []
    """Answers a second, of each round."""
    trip: list[float] = []
    """The median latency of each round."""
    slow: list[float] = []
    """What 99 in 100 latencies of a round stay below."""


class Server(Struct):
    """The server, over HTTP."""

    loads: dict[str, list[Load]] = {}
    """By who was asked."""
    resources: int = 0
    """How many the store has while the server starts."""
    start: list[float] = []
    """From its start to its first answer."""
    missing: dict[str, str] = {}


class Step(Struct, forbid_unknown_fields=False):
    """So many instances alive, as ``benchmarks.scale`` prints it."""

    instances: int
    start: float
    """Of one more."""
    round_trip: float
    round_trip_p99: float
    memory: int
    """Of all processes."""
    memory_each: float
    """Of each instance but the first."""
    descriptors: int
    """Of the host."""


class Rate(Struct, forbid_unknown_fields=False):
    """So many callers at the same time, as ``benchmarks.calls`` prints it."""

    concurrent: int
    per_second: float
    p50: float
    p99: float


class Results(Struct):
    """One run."""

    at: str
    """The day, UTC."""
    machine: str
    load: float
    """Processes that wanted a processor in the minute before: above 0, others disturb the measuring."""
    version: str
    """Of Shelldock."""
    short: bool
    stacks: list[Stack] = []
    server: Server | None = None
    steps: list[Step] = []
    rates: dict[str, list[Rate]] = {}
    """``memory``, where executions are kept in memory, and ``durable``."""
    missing: dict[str, str] = {}
    """Why something was not measured."""

    def write(self, file: Path) -> None:
        """Keep the results, so that a person can read them."""
        file.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=1) + b"\n")

    @classmethod
    def read(cls, file: Path) -> Results:
        """The results that were kept."""
        return msgspec.json.decode(file.read_bytes(), type=cls)
