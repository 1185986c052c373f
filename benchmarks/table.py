"""What was measured, as Markdown: medians, their spread, and ratios to ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median, quantiles

from benchmarks.measure import Samples

MILLISECONDS = (1e3, "ms")
MICROSECONDS = (1e6, "µs")
MEBIBYTES = (1 / 2**20, "MiB")

Row = tuple[
    str, Callable[[Samples], Sequence[float]], Callable[[Sequence[float]], float], tuple[float, str]
]


def last_percent(values: Sequence[float]) -> float:
    """The value that 99 in 100 stay below."""
    return quantiles(values, n=100)[98]


RUNNING: Sequence[Row] = (
    ("start of the first instance", lambda one: one.first, median, MILLISECONDS),
    ("start of each further instance", lambda one: one.further, median, MILLISECONDS),
    ("memory of each further instance (PSS)", lambda one: one.memory, median, MEBIBYTES),
    ("round trip of a command, median", lambda one: one.calls, median, MICROSECONDS),
    ("round trip of a command, 99 in 100 below", lambda one: one.calls, last_percent, MICROSECONDS),
)
BUILDING: Sequence[Row] = (
    ("environment, every cache empty", lambda one: one.cold, median, MILLISECONDS),
    ("environment, from the installer's cache", lambda one: one.cached, median, MILLISECONDS),
    ("environment, the same, resolved already", lambda one: one.rebuilt, median, MILLISECONDS),
    ("environment that is there already", lambda one: one.again, median, MILLISECONDS),
)


def table(rows: Sequence[Row], ours: str, columns: Mapping[str, Samples]) -> str:
    """A table with one column for each way; ``ours`` is what the others are divided by."""
    lines = [
        f"| | {' | '.join(columns)} |",
        f"| --- |{' ---: |' * len(columns)}",
    ]
    for title, pick, middle, (factor, unit) in rows:
        base = middle(pick(columns[ours]))
        cells = []
        for name, samples in columns.items():
            values = pick(samples)
            if not values:
                cells.append("–")
                continue
            value = middle(values)
            ratio = "" if name == ours else f" **{_short(value / base)}×**"
            spread = _spread(values, factor) if middle is median else ""
            cells.append(f"{_short(value * factor)}{spread}{ratio}")
        lines.append(f"| {title}, {unit} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _spread(values: Sequence[float], factor: float) -> str:
    """The middle half of the values, or all of them where they are few."""
    if len(values) < 4:
        low, high = min(values), max(values)
    else:
        low, _, high = quantiles(values, n=4)
    return f" ({_short(low * factor)}–{_short(high * factor)})"


def _short(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
