"""What was measured, as Markdown: medians, their spread, and in bold how many times ours that is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Final

from benchmarks.results import Rate, Results, Server, Stack, Step, Struct
from benchmarks.ways import OURS


@dataclass(frozen=True)
class Measure:
    """A field of what one way was measured at, and how a person reads it."""

    field: str
    title: str
    unit: str
    factor: float
    """From seconds, bytes and commands a second."""
    more_is_better: bool = False

    def samples(self, one: Struct) -> list[float]:
        """What was measured, in the unit."""
        return [value * self.factor for value in getattr(one, self.field)]

    def middle(self, one: Struct) -> float:
        """The median, in the unit."""
        return median(self.samples(one))

    def best(self, one: Struct) -> float:
        """The best sample: what else a machine does only makes samples worse."""
        return max(self.samples(one)) if self.more_is_better else min(self.samples(one))


def _time(field: str, title: str, factor: float = 1e3) -> Measure:
    return Measure(field, title, {1e3: "ms", 1e6: "µs", 1: "s"}[factor], factor)


RUNNING: Final = (
    _time("once", "once for a program"),
    _time("first", "first instance"),
    _time("further", "each further instance"),
    Measure("memory", "memory of each", "MiB", 1 / 2**20),
    _time("trip", "round trip", 1e6),
    _time("slow", "99 in 100 below", 1e6),
    Measure("rate", "all at once", "commands/s", 1, more_is_better=True),
)
BUILDING: Final = (
    _time("cold", "every cache empty", 1),
    _time("cached", "from the installer's cache", 1),
    _time("rebuilt", "resolved already", 1),
    _time("again", "is there already", 1),
)
LOAD: Final = (
    Measure("rate", "rate", "commands/s", 1, more_is_better=True),
    _time("trip", "latency"),
    _time("slow", "99 in 100 below"),
)
STEPS: Final[Mapping[str, Callable[[Step], str | float]]] = {
    "instances": lambda one: one.instances,
    "one more, ms": lambda one: one.start * 1e3,
    "round trip, µs": lambda one: one.round_trip * 1e6,
    "99 in 100 below, µs": lambda one: one.round_trip_p99 * 1e6,
    "memory of each, MiB": lambda one: one.memory_each / 2**20 or "–",
    "all, GiB": lambda one: one.memory / 2**30,
    "descriptors of the host": lambda one: one.descriptors,
}
RATES: Final[Mapping[str, Callable[[Rate], str | float]]] = {
    "callers": lambda one: one.concurrent,
    "commands/s": lambda one: one.per_second,
    "latency, ms": lambda one: one.p50 * 1e3,
    "99 in 100 below, ms": lambda one: one.p99 * 1e3,
}
NOTHING: Final = {"memory": 0.05, "once": 0.1}
"""In the measure's unit: what is less is none."""


def page(results: Results) -> str:
    """All tables, below the day and the machine."""
    return "\n".join(_lines(results))


def _lines(results: Results) -> Iterator[str]:
    yield f"Measured on {results.at}: {results.machine}, Shelldock {results.version};"
    yield f"load {results.load:g} before it began."
    yield "Medians, the middle half of the samples, and in bold how many times ours that is."
    for stack in results.stacks:
        yield from _stack(stack)
    if results.server:
        yield from _server(results.server)
    if results.steps:
        yield "\n## More and more instances\n"
        yield _plain(
            tuple(STEPS), ([read(one) for read in STEPS.values()] for one in results.steps)
        )
    for name, rates in results.rates.items():
        yield f"\n## More and more callers, {'durable' if name == 'durable' else 'kept in memory'}\n"
        yield _plain(tuple(RATES), ([read(one) for read in RATES.values()] for one in rates))
    yield from _missing(results.missing)


def _stack(stack: Stack) -> Iterator[str]:
    yield f"\n## {stack.title}\n"
    yield table(RUNNING, stack.running, OURS)
    yield from _missing(stack.missing)
    if stack.building:
        yield f"\n## The environment of {_lowered(stack.title)}\n"
        yield table(BUILDING, stack.building, OURS)


def _server(server: Server) -> Iterator[str]:
    yield "\n## The server\n"
    start = [1e3 * one for one in server.start]
    yield f"From its start to its first answer, with {server.resources:,} resources: {_spread(start)} ms."
    for place, load in enumerate(next(iter(server.loads.values()))):
        yield f"\n{load.clients} clients at a time:\n".replace("1 clients", "1 client")
        ours = next(iter(server.loads))
        yield table(LOAD, {name: loads[place] for name, loads in server.loads.items()}, ours)
    yield from _missing(server.missing)


def table(measures: Sequence[Measure], rows: Mapping[str, Struct], ours: str) -> str:
    """A row for each way."""
    return _plain(
        ("", *(f"{one.title}, {one.unit}" for one in measures)),
        (
            (
                name,
                *(
                    _cell(measure, row, None if name == ours else rows[ours])
                    for measure in measures
                ),
            )
            for name, row in rows.items()
        ),
    )


def _cell(measure: Measure, one: Struct, ours: Struct | None) -> str:
    samples = measure.samples(one)
    if not samples or median(samples) < NOTHING.get(measure.field, 0):
        return "–"
    if ours is None:
        return _spread(samples)
    return f"{_spread(samples)} **{_short(median(samples) / measure.middle(ours))}×**"


def _spread(samples: Sequence[float]) -> str:
    """The median, and the middle half of the values, or all of them where they are few."""
    if len(samples) == 1:
        return _short(samples[0])
    if len(samples) < 4:
        low, high = min(samples), max(samples)
    else:
        low, _, high = quantiles(samples, n=4)
    return f"{_short(median(samples))} ({_short(low)}–{_short(high)})"


def _plain(titles: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    lines = [f"| {' | '.join(titles)} |", f"| --- |{' ---: |' * (len(titles) - 1)}"]
    for row in rows:
        cells = (one if isinstance(one, str) else _short(one) for one in row)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _missing(missing: Mapping[str, str]) -> Iterator[str]:
    for name, why in missing.items():
        yield f"\nNot measured: {name}; {why}"


def _lowered(title: str) -> str:
    return title[:1].lower() + title[1:]


def _short(value: float) -> str:
    """Three digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
