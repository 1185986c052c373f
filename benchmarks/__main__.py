"""Measures Shelldock and other ways to run a driver, side by side, and prints tables in Markdown."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import tempfile
from pathlib import Path

import psutil

from benchmarks import ours, peers
from benchmarks.measure import Plan
from benchmarks.table import BUILDING, RUNNING, table

SHELLS = Path(__file__).parent / "shells"


def machine() -> str:
    """What the numbers were measured on."""
    memory = round(psutil.virtual_memory().total / 2**30)
    return (
        f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.release()}, "
        f"{platform.python_implementation()} {platform.python_version()}"
    )


async def run(title: str, plan: Plan) -> None:
    """Measure one shell in every way and print the tables."""
    print(f"\n## {title}\n", flush=True)
    with tempfile.TemporaryDirectory() as room:
        forked = await ours.measure(plan, Path(room, "home"), fresh=False)
        fresh = await ours.measure(plan, Path(room, "home"), fresh=True)
        python = peers.environment(plan, Path(room, "environment"))
        running = {
            "Shelldock": forked,
            "Shelldock, without forks": fresh,
            "multiprocess, spawn": peers.multiprocess(plan, python),
            "execnet": peers.execnets(plan, python),
        }
    print(table(RUNNING, "Shelldock", running), flush=True)
    building = {"Shelldock": await ours.build(plan), "venv and pip": peers.venv_and_pip(plan)}
    print(f"\n{table(BUILDING, 'Shelldock', building)}", flush=True)


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer samples: two minutes at most")
    parser.add_argument(
        "--networking",
        action="store_true",
        help="also on the published libraries for Cisco's switches",
    )
    arguments = parser.parse_args()
    counts = (
        {"rounds": 3, "instances": 5, "calls": 500, "builds": 1}
        if arguments.short
        else {"rounds": 7, "instances": 10, "calls": 2000, "builds": 3}
    )
    print(
        f"# Benchmarks\n\nOn {machine()}. Medians, with the middle half of the samples; in bold, how many times ours."
    )
    asyncio.run(run("A small driver", Plan(SHELLS / "small", **counts)))
    if arguments.networking:
        asyncio.run(run("A driver on the networking stack", Plan(SHELLS / "networking", **counts)))


if __name__ == "__main__":
    main()
