"""What is measured: samples of times and of memory, and how many are taken."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Plan:
    """How much is measured, on which shell."""

    shell: Path
    """A shell project; its driver has ``initialize(context)`` and ``echo(context, text)``."""
    rounds: int
    """How often everything starts anew."""
    instances: int
    """How many further instances are started in each round."""
    calls: int
    """How many commands are timed in each round, one after the other, on one instance."""
    builds: int
    """How often an environment is built."""

    @property
    def source(self) -> Path:
        """The folder that the driver is imported from."""
        return self.shell / "src"


@dataclass
class Samples:
    """What one way to run a driver was measured at. Times in seconds, memory in bytes."""

    first: list[float] = field(default_factory=list)
    """From nothing (but the environment) to the first answer."""
    further: list[float] = field(default_factory=list)
    """To the first answer of one more instance."""
    memory: list[float] = field(default_factory=list)
    """Proportional set size that one more instance adds to all processes together."""
    calls: list[float] = field(default_factory=list)
    """A command and its answer, on an instance that is up."""
    cold: list[float] = field(default_factory=list)
    """An environment, with every cache empty."""
    cached: list[float] = field(default_factory=list)
    """An environment, with the installer's cache filled by the one before."""
    rebuilt: list[float] = field(default_factory=list)
    """An environment that was removed, with what its requirements resolve to still known."""
    again: list[float] = field(default_factory=list)
    """To find that the environment is there and complete."""


@contextmanager
def timed(samples: list[float]) -> Iterator[None]:
    """Add the seconds that the block takes."""
    start = time.perf_counter()
    yield
    samples.append(time.perf_counter() - start)


def memory_below(pid: int) -> int:
    """Bytes of proportional set size of all processes below ``pid``, itself not included."""
    return sum(
        child.memory_full_info().pss for child in psutil.Process(pid).children(recursive=True)
    )
