"""Compares the ratios of a run with those that are expected of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.results import Stack, Struct
from benchmarks.table import BUILDING, RUNNING, Measure
from benchmarks.ways import OURS

FILE: Final = Path(__file__).with_name("expected.toml")
MEASURES: Final = {one.field: one for one in (*RUNNING, *BUILDING)}
BEHIND: Final = 0.5
"""The share of what is expected that is still taken: other machines, other ratios."""


class Expected(Struct):
    """One ratio."""

    what: str
    """A field of ``Running`` or ``Building``."""
    beside: str
    """Another way."""
    times: float
    """How many times better ours is."""

    @property
    def measure(self) -> Measure:
        """How it is read."""
        return MEASURES[self.what]

    def found(self, stack: Stack) -> float:
        """The ratio of a run: of the best rounds, as machines that test have more to do."""
        rows = stack.running if self.measure in RUNNING else stack.building
        ours, theirs = (self.measure.best(rows[name]) for name in (OURS, self.beside))
        return ours / theirs if self.measure.more_is_better else theirs / ours


class _Expectations(Struct):
    expected: list[Expected]


def expectations(file: Path = FILE) -> list[Expected]:
    """The recorded ratios."""
    return msgspec.toml.decode(file.read_bytes(), type=_Expectations).expected


def behind(stack: Stack, expected: list[Expected]) -> Iterator[str]:
    """A sentence for each ratio that is less than half of what is expected."""
    for one in expected:
        found, least = one.found(stack), one.times * BEHIND
        if found < least:
            yield (
                f"{one.measure.title}: {found:.3g} times better than {one.beside}, at least {least:.3g} wanted "
                f"(half of the {one.times:.3g} in {FILE.name})"
            )
