"""How much is measured, and how."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
SHELLS: Final = ROOT / "benchmarks/shells"


@dataclass(frozen=True)
class Plan:
    """The sizes of a run."""

    rounds: int
    """How often everything starts anew."""
    instances: int
    """How many further instances are started in each round."""
    calls: int
    """How many commands are timed in each round, one after the other, on one instance."""
    bursts: int
    """How often all instances are given a command at the same time."""
    builds: int
    """How often an environment is built."""
    load: float
    """Seconds that the server is asked without a pause, for each number of clients."""
    resources: int
    """How many the store has when the server starts."""


SHORT: Final = Plan(rounds=3, instances=5, calls=500, bursts=50, builds=1, load=1, resources=1000)
LONG: Final = Plan(
    rounds=3, instances=20, calls=2000, bursts=100, builds=3, load=3, resources=10_000
)
STEPS: Final = (1, 100, 1000, 5000, 10_000)
"""Instances alive at the same time."""


@contextmanager
def timed(samples: list[float]) -> Iterator[None]:
    """Add the seconds that the block takes."""
    begin = time.perf_counter()
    yield
    samples.append(time.perf_counter() - begin)


def say(what: str) -> None:
    """Tell whoever waits what is being measured."""
    print(what, file=sys.stderr, flush=True)
