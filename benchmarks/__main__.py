"""Measures Shelldock and other ways to run a driver, side by side, and prints tables in Markdown."""

from __future__ import annotations

import argparse
import asyncio
import datetime
import os
import platform
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import platformdirs
import psutil

from benchmarks import building, check, curves, loads, running
from benchmarks.plan import LONG, SHELLS, SHORT, STEPS, Plan, say
from benchmarks.report import write
from benchmarks.results import Results, Stack
from benchmarks.table import page
from benchmarks.ways import WAYS, Way

TITLES = {"small": "A small driver", "networking": "A driver on the networking stack"}


def machine() -> str:
    """What the numbers are measured on."""
    memory = round(psutil.virtual_memory().total / 2**30)
    release = ".".join(platform.release().split(".")[:2])
    python = f"{platform.python_implementation()} {platform.python_version()}"
    return f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {release}, {python}"


def begun(*, short: bool) -> Results:
    """A run in which nothing is measured yet."""
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    return Results(
        at=day,
        machine=machine(),
        load=round(os.getloadavg()[0], 1),
        version=version("shelldock"),
        short=short,
    )


def measured(shell: str, plan: Plan, ways: Iterable[Way], environments: Path) -> Stack:
    """One driver in several ways, and its environment."""
    stack = Stack(title=TITLES[shell])
    running.run(stack, SHELLS / shell, plan, ways, environments)
    asyncio.run(building.run(stack, SHELLS / shell, plan))
    return stack


def short_run(environments: Path) -> tuple[Results, list[str]]:
    """The ways that install quickly, on the small driver; what has fallen behind, twice in a row."""
    results, expected = begun(short=True), check.expectations()
    ways = [way for way in WAYS if way.short]
    for attempt in ("first", "second"):
        results.stacks = [measured("small", SHORT, ways, environments)]
        behind = list(check.behind(results.stacks[0], expected))
        if not behind:
            break
        say(f"{attempt} attempt: {'; '.join(behind)}")
    return results, behind


def long_run(environments: Path, most: int, python: str | None, output: Path | None) -> Results:
    """All ways, on both drivers, and all else; kept after each part, as it takes long."""
    results = begun(short=False)
    parts: list[Callable[[], object]] = [
        *(partial(_add, results, shell, environments) for shell in TITLES),
        partial(_serve, results, environments),
        partial(curves.run, results, most, python),
    ]
    for part in parts:
        part()
        if output:
            write(results, output)
    return results


def _add(results: Results, shell: str, environments: Path) -> None:
    results.stacks.append(measured(shell, LONG, WAYS, environments))


def _serve(results: Results, environments: Path) -> None:
    results.server = loads.run(LONG, environments)


def main() -> None:
    """Read the arguments, measure, print; exit code 1 where a ratio has fallen behind."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--short",
        action="store_true",
        help="few ways, few samples, and fail where a ratio falls behind what is expected",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="keep results.json, table.md and plots there"
    )
    parser.add_argument(
        "--environments",
        type=Path,
        metavar="FOLDER",
        default=platformdirs.user_cache_path("shelldock-benchmarks"),
        help="where the environments of the other ways are kept for the next run; by default %(default)s",
    )
    parser.add_argument(
        "--most",
        type=int,
        default=STEPS[-1],
        metavar="N",
        help="instances at the same time; 10,000 of them need up to 20 GiB",
    )
    parser.add_argument(
        "--python",
        metavar="VERSION",
        help="that of these; on 3.12 and later they take less memory",
    )
    arguments = parser.parse_args()
    environments: Path = arguments.environments.absolute()
    environments.mkdir(parents=True, exist_ok=True)
    behind: list[str] = []
    if arguments.short:
        results, behind = short_run(environments)
    else:
        results = long_run(environments, arguments.most, arguments.python, arguments.output)
    print(page(results))
    if arguments.output:
        write(results, arguments.output)
    if behind:
        sys.exit("\n".join(["", "behind what is expected, twice in a row:", *behind]))


if __name__ == "__main__":
    main()
