"""What a command costs on its way: one alone, many at once, and one with a large result; prints JSON.

``python -m benchmarks.calls [--short] [--only round_trip parallel large]``. Times in seconds, sizes in bytes.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from shelldock import AsyncHost, Resource, Target
from shelldock.paths import Paths

SHELL = Path(__file__).parent / "shells" / "small"
INSTANCES = 100
CONCURRENT = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
LARGE = 50_000_000

SENDER = """
import os, socket, sys
end = socket.socket(fileno=int(sys.argv[1]))
data = memoryview(b"x" * int(sys.argv[2]))
while end.recv(1):
    end.sendall(data)
"""
"""The other side of the plain copy."""

Report = dict[str, object]


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    alone: int
    """Commands that are timed one after the other."""
    parallel: int
    """Commands for each number of callers, at the least."""
    large: int
    """Large results."""
    flushes: int
    """Flushes of the disk."""


@dataclass(frozen=True)
class Rate:
    """How so many callers fared, each of whom asks again as soon as it has its answer."""

    concurrent: int
    per_second: float
    p50: float
    p99: float
    host: float
    """CPU seconds of the host for one command."""
    drivers: float
    """Those of the processes below it."""


def target(number: int) -> Target:
    """One of the devices, each of which has an instance of its own."""
    return Target(resource=Resource(name=f"device {number}", shell=str(SHELL)))


@asynccontextmanager
async def opened(room: Path, *, durable: bool, instances: int) -> AsyncIterator[AsyncHost]:
    """A host on which so many instances are up."""
    async with AsyncHost(paths=Paths.below(room), durable=durable) as host:
        host.open_shell(SHELL)
        await asyncio.gather(*(echo(host, number) for number in range(instances)))
        yield host


async def echo(host: AsyncHost, number: int) -> None:
    """One command that does nothing."""
    await host.execute(target(number), "echo", {"text": "again"})


def spread(samples: Sequence[float]) -> Report:
    """The median, and how far the slowest hundredth lies from it."""
    return {
        "p50": statistics.median(samples),
        "p99": statistics.quantiles(samples, n=100)[98],
        "least": min(samples),
        "samples": len(samples),
    }


# ---- one command alone --------------------------------------------------------------------------


async def round_trip(room: Path, plan: Plan, *, durable: bool) -> Report:
    """Commands one after the other on one instance."""
    async with opened(room, durable=durable, instances=1) as host:
        return spread([await _timed(lambda: echo(host, 0)) for _ in range(plan.alone)])


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    begin = time.perf_counter()
    await work()
    return time.perf_counter() - begin


# ---- many at once ---------------------------------------------------------------------------------


async def parallel(room: Path, plan: Plan, *, durable: bool) -> list[Report]:
    """More and more callers on a hundred instances."""
    async with opened(room, durable=durable, instances=INSTANCES) as host:
        return [asdict(await _rate(host, callers, plan.parallel)) for callers in CONCURRENT]


async def _rate(host: AsyncHost, callers: int, commands: int) -> Rate:
    each = max(commands // callers, 10)
    gc.collect()
    host_before, drivers_before = time.process_time(), _below()
    begin = time.perf_counter()
    latencies = await asyncio.gather(*(_caller(host, one, each) for one in range(callers)))
    elapsed = time.perf_counter() - begin
    samples = [one for several in latencies for one in several]
    return Rate(
        concurrent=callers,
        per_second=len(samples) / elapsed,
        p50=statistics.median(samples),
        p99=statistics.quantiles(samples, n=100)[98],
        host=(time.process_time() - host_before) / len(samples),
        drivers=(_below() - drivers_before) / len(samples),
    )


async def _caller(host: AsyncHost, caller: int, commands: int) -> list[float]:
    number = caller % INSTANCES
    return [await _timed(lambda: echo(host, number)) for _ in range(commands)]


def _below() -> float:
    """CPU seconds of every process below this one."""
    times = (one.cpu_times() for one in psutil.Process().children(recursive=True))
    return sum(one.user + one.system for one in times)


# ---- a large result -------------------------------------------------------------------------------


async def large(room: Path, plan: Plan, *, durable: bool) -> Report:
    """Results of 50 MB, and plain copies of as many bytes through a socket, in turn.

    The copies go into memory that is there; ``text`` is the same read into a new text, as results are.
    """
    inputs = {"text": "0123456789", "times": str(LARGE // 10)}
    results: list[float] = []
    copies: list[float] = []
    texts: list[float] = []
    blocks: list[float] = []
    with _Sender() as sender:
        async with opened(room, durable=durable, instances=1) as host:
            for _ in range(plan.large):
                copies.append(sender.copy())
                texts.append(sender.text())
                watch = asyncio.create_task(_longest_block(blocks))
                await asyncio.sleep(0)
                results.append(await _timed(lambda: host.execute(target(0), "repeat", inputs)))
                watch.cancel()
                await asyncio.wait({watch})
    return {
        "bytes": LARGE,
        "result": spread(results),
        "socket": spread(copies),
        "text": spread(texts),
        "ratio": statistics.median(results) / statistics.median(copies),
        "ratio_to_text": statistics.median(results) / statistics.median(texts),
        "longest_block": max(blocks),
    }


async def _longest_block(found: list[float]) -> None:
    """Add the longest time in which the loop did nothing else, once it is cancelled."""
    longest, before = 0.0, time.perf_counter()
    try:
        while True:
            await asyncio.sleep(0)
            now = time.perf_counter()
            longest, before = max(longest, now - before), now
    finally:
        found.append(longest)


class _Sender:
    """A process at the other end of a socket, which sends the same bytes whenever it is asked."""

    def __enter__(self) -> _Sender:
        self._end, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", SENDER, str(theirs.fileno()), str(LARGE)]
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()])
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()
        self._process.wait()

    def copy(self) -> float:
        """The seconds until all of it is here."""
        whole = memoryview(bytearray(LARGE))
        begin = time.perf_counter()
        self._end.send(b"?")
        there = 0
        while there < LARGE:
            there += self._end.recv_into(whole[there:])
        return time.perf_counter() - begin

    def text(self) -> float:
        """The seconds until it is a new text."""
        data = bytearray()
        begin = time.perf_counter()
        self._end.send(b"?")
        while len(data) < LARGE:
            data += self._end.recv(1 << 20)
        assert len(data.decode()) == LARGE
        return time.perf_counter() - begin


# ---- the disk -------------------------------------------------------------------------------------


def flush(room: Path, plan: Plan) -> Report:
    """What it costs to have a page on the disk."""
    samples = []
    with Path(room, "page").open("wb", buffering=0) as file:
        for _ in range(plan.flushes):
            file.write(b"x" * 4096)
            begin = time.perf_counter()
            os.fdatasync(file.fileno())
            samples.append(time.perf_counter() - begin)
    return spread(samples)


# ---- all of it ------------------------------------------------------------------------------------


def measure(plan: Plan, only: Sequence[str]) -> Report:
    """Everything asked for, by name; what is kept in memory and what is durable side by side."""
    report: Report = {}
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:  # on a disk; /tmp may be none
        room = Path(folder)
        report["flush"] = flush(room, plan)
        for name, work in {"round_trip": round_trip, "parallel": parallel, "large": large}.items():
            if name in only:
                report[name] = {
                    "memory": asyncio.run(work(room, plan, durable=False)),
                    "durable": asyncio.run(work(room, plan, durable=True)),
                }
    return report


def main() -> None:
    """Read the arguments, measure, print."""
    names = ["round_trip", "parallel", "large"]
    parser = argparse.ArgumentParser("python -m benchmarks.calls", description=__doc__)
    parser.add_argument("--short", action="store_true", help="fewer samples")
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    arguments = parser.parse_args()
    plan = (
        Plan(alone=1000, parallel=2000, large=3, flushes=50)
        if arguments.short
        else Plan(alone=10_000, parallel=20_000, large=10, flushes=500)
    )
    json.dump(measure(plan, arguments.only), sys.stdout, indent=2)
    print()


if __name__ == "__main__":
    main()
