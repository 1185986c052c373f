"""What was measured, as pictures (SVG) that can be read on a light and on a dark page."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from matplotlib import style
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.results import Load, Rate, Results, Running, Stack, Step
from benchmarks.table import LOAD, NOTHING, RUNNING, Measure
from benchmarks.ways import OURS

STRONG: Final = "#2a93a8"
WEAK: Final = "#a9b3ba"
COLOURS: Final = (STRONG, "#c9822b", "#8a6fb8", "#6a9a4d")
STYLE: Final = Path(__file__).with_name("quiet.mplstyle")
BARS: Final = ("further", "memory", "trip", "rate")
Line = tuple[str, Sequence[float], Sequence[float]]


def draw(results: Results, folder: Path) -> None:
    """Draw what there is."""
    with style.context(STYLE):
        for number, stack in enumerate(results.stacks):
            _save(bars(stack), folder / f"ways-{number + 1}.svg")
        if results.server and results.server.loads:
            _save(loads(results.server.loads), folder / "server.svg")
        if results.steps:
            _save(steps(results.steps), folder / "instances.svg")
        if results.rates:
            _save(rates(results.rates), folder / "callers.svg")


def bars(stack: Stack) -> Figure:
    """The ways to run a driver, on logarithmic scales."""
    measures = [one for one in RUNNING if one.field in BARS]
    figure = Figure(figsize=(10.5, 0.75 + 0.24 * len(stack.running)))
    axes = figure.subplots(1, len(measures), sharey=True)
    for place, (measure, one) in enumerate(zip(measures, axes, strict=True)):
        _bars(one, measure, stack.running)
        one.tick_params(left=False, labelleft=place == 0)
    return figure


def _bars(axes: Axes, measure: Measure, running: Mapping[str, Running]) -> None:
    values = [measure.middle(one) for one in running.values()]
    least = NOTHING.get(measure.field, 0)
    shown = [value if value > least else math.nan for value in values]
    positive = [one for one in shown if not math.isnan(one)]
    low = min(positive) / 2.5
    colours = [STRONG if name.startswith(OURS) else WEAK for name in running]
    drawn = axes.barh(range(len(running)), shown, color=colours, height=0.62)
    axes.bar_label(
        drawn, [_short(one) if not math.isnan(one) else "" for one in shown], padding=3, fontsize=8
    )
    for place in (place for place, one in enumerate(shown) if math.isnan(one)):
        axes.text(low * 1.3, place, "none", va="center", fontsize=8)
    axes.set_xscale("log")
    axes.set_xlim(low, max(positive) * 6)
    axes.set_yticks(range(len(running)), list(running))
    axes.set_ylim(len(running) - 0.4, -0.6)
    axes.set_title(f"{measure.title}\n{measure.unit}")
    axes.minorticks_off()
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)


def loads(found: Mapping[str, Sequence[Load]]) -> Figure:
    """Clients at the server, and beside it."""
    figure = Figure(figsize=(10, 3.2))
    for axes, measure in zip(figure.subplots(1, len(LOAD)), LOAD, strict=True):
        lines = [
            (name, [one.clients for one in some], [measure.middle(one) for one in some])
            for name, some in found.items()
        ]
        _lines(axes, "clients", f"{measure.title}, {measure.unit}", lines)
    _legend(figure)
    return figure


def steps(found: Sequence[Step]) -> Figure:
    """More and more instances."""
    figure = Figure(figsize=(10, 5.6))
    count = [one.instances for one in found]
    (start, trip), (memory, descriptors) = figure.subplots(2, 2)

    def line(name: str, value: Callable[[Step], float]) -> Line:
        return name, count, [value(one) for one in found]

    _lines(start, "instances", "start of one more, ms", [line("", lambda one: one.start * 1e3)])
    _lines(
        trip,
        "instances",
        "round trip, µs",
        [
            line("median", lambda one: one.round_trip * 1e6),
            line("99 in 100 below", lambda one: one.round_trip_p99 * 1e6),
        ],
    )
    _lines(memory, "instances", "memory of all, MiB", [line("", lambda one: one.memory / 2**20)])
    _lines(
        descriptors,
        "instances",
        "file descriptors of the host",
        [line("", lambda one: one.descriptors)],
    )
    trip.legend()
    return figure


def rates(found: Mapping[str, Sequence[Rate]]) -> Figure:
    """More and more callers."""
    figure = Figure(figsize=(10, 3.2))
    rate, latency, slow = figure.subplots(1, 3)

    def lines(value: Callable[[Rate], float]) -> list[Line]:
        return [
            (
                "kept in memory" if name == "memory" else name,
                [one.concurrent for one in some],
                [value(one) for one in some],
            )
            for name, some in found.items()
        ]

    _lines(rate, "callers", "commands/s", lines(lambda one: one.per_second))
    _lines(latency, "callers", "latency, ms", lines(lambda one: one.p50 * 1e3))
    _lines(slow, "callers", "99 in 100 below, ms", lines(lambda one: one.p99 * 1e3))
    _legend(figure)
    return figure


def _lines(axes: Axes, across: str, title: str, lines: Sequence[Line]) -> None:
    for (name, xs, ys), colour in zip(lines, COLOURS, strict=False):
        axes.plot(xs, ys, marker="o", color=colour, label=name)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(_ticks(lines[0][1]), [f"{one:,.0f}" for one in _ticks(lines[0][1])])
    axes.minorticks_off()
    low = min(min(ys) for _, _, ys in lines)
    high = max(max(ys) for _, _, ys in lines)
    axes.set_ylim(low / 2, high * 2)
    axes.yaxis.set_major_formatter(lambda value, _: _short(value))
    axes.grid(axis="y")
    axes.set_title(title)
    axes.set_xlabel(across)


def _ticks(values: Sequence[float]) -> Sequence[float]:
    """All, or the powers of ten where there are many."""
    tens = [10.0**power for power in range(6)]
    return values if len(values) <= 4 else [one for one in tens if values[0] <= one <= values[-1]]


def _legend(figure: Figure) -> None:
    handles, names = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=len(names))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _save(figure: Figure, file: Path) -> None:
    figure.savefig(file, metadata={"Date": None})
