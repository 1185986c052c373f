"""One round: starts instances in one way, calls them, ends them. Runs in the environment of that way.

Arguments: a module of ``benchmarks.peers``, its option, and sizes as JSON. Prints what it measured as JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import psutil

PATIENCE = 3.0
"""Seconds after which no more calls are made, however few they were: a process for each command is slow."""
CALM = 0.5
"""Seconds that instances have to come to rest before their memory is read."""


def memory() -> int:
    """Bytes of proportional set size of this process and all below it."""
    me = psutil.Process(os.getpid())
    return sum(int(one.memory_full_info().pss) for one in [me, *me.children(recursive=True)])


def limited(count: int) -> Iterator[int]:
    """Numbers up to ``count``, until patience ends."""
    end = time.perf_counter() + PATIENCE
    for number in range(count):
        if time.perf_counter() > end:
            return
        yield number


async def started(peer: Any, number: int) -> float:
    """The seconds to the first answer of a new instance."""
    begin = time.perf_counter()
    await peer.start(number)
    assert await peer.call(number, "ready") == "ready"
    return time.perf_counter() - begin


async def called(peer: Any, text: str) -> float:
    """The seconds that a command takes."""
    begin = time.perf_counter()
    answer = await peer.call(0, text)
    seconds = time.perf_counter() - begin
    assert answer == text, answer
    return seconds


async def burst(peer: Any, text: str, instances: int) -> float:
    """Commands a second, when every instance is given one."""
    begin = time.perf_counter()
    answers = await peer.call_all(text)
    seconds = time.perf_counter() - begin
    assert answers == [text] * instances, answers
    return instances / seconds


async def measure(peer: Any, instances: int, calls: int, bursts: int) -> dict[str, object]:
    """What ``benchmarks.results.Running`` has of one round."""
    begin = time.perf_counter()
    async with peer:
        once = time.perf_counter() - begin
        first = await started(peer, 0)
        await asyncio.sleep(CALM)
        before = memory()
        further = [await started(peer, number) for number in range(1, instances + 1)]
        await asyncio.sleep(CALM)
        grown = memory() - before
        trips = [await called(peer, f"call {number}") for number in limited(calls)]
        rates = [await burst(peer, f"burst {one}", instances + 1) for one in limited(bursts)]
    return {
        "once": [once],
        "first": [first],
        "further": further,
        "memory": [grown / instances],
        "trip": [median(trips)],
        "slow": [quantiles(trips, n=100)[98]],
        "rate": [median(rates)],
    }


def main() -> None:
    """Measure."""
    module, option, sizes = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    shell, room = Path(sizes.pop("shell")), Path(sizes.pop("room"))
    peer = import_module(f"benchmarks.peers.{module}").Peer(shell, room, option)
    with redirect_stdout(sys.stderr):  # some peers chat
        found = asyncio.run(measure(peer, **sizes))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
