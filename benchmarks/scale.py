"""Measures what instances cost the more of them there are, and prints JSON."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

import msgspec
import psutil

from shelldock import AsyncHost, Resource, Target, merging
from shelldock.errors import InstanceLost
from shelldock.paths import Paths
from shelldock.settings import load

SHELLS = Path(__file__).parent / "shells"
AT_ONCE = 8
"""Starts under way at the same time, as from a caller who does not want to wait for each."""
SAMPLES = 10
"""Instances of each step that are started one after the other, to time them."""
SETTINGS = {"SHELLDOCK_PLUGINS__IDLE__LIMIT": "inf", "SHELLDOCK_CONTROL": "false"}


class Footprint(msgspec.Struct, frozen=True, kw_only=True):
    """What all processes of a host have taken, in bytes."""

    host: int
    """Proportional set size of the host's own process."""
    host_resident: int
    below: int
    """Proportional set size of all its processes: fork servers and instances."""
    tables: int
    """The page tables of these, which no set size counts."""
    used: int
    """What the machine as a whole has no more: kernel memory, and what others take, are in it."""
    host_descriptors: int
    fork_server_descriptors: int
    """Of the fork server that has most."""


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured with so many instances alive. Seconds and bytes; ``…_each`` is beyond the first."""

    instances: int
    start: float
    """Median of one more, started alone, to its first answer."""
    start_each: float
    """Of this step, with several started at once: the whole time, divided."""
    so_far: float
    """All starts until now together."""
    round_trip: float
    """Median of a command and its answer, on one instance after the other at random."""
    round_trip_p99: float
    memory: int
    """Proportional set size of all processes, the host's included."""
    memory_each: float
    tables_each: float
    """The page tables of its process."""
    kernel_each: float
    """What the machine has no more beyond the set sizes, page tables included: only where nobody else works."""
    host_each: float
    """The host's own proportional set size."""
    host_resident: int
    descriptors: int
    fork_server_descriptors: int
    listing: float
    """To list all instances."""
    death: float | None = None
    """Median, from the SIGKILL of a process to the failure of the command that it ran."""
    idle: float | None = None
    """Of one core, that the host and all its processes take while nothing is to be done."""


class Fleet:
    """The instances of one host, more and more of them."""

    def __init__(self, host: AsyncHost, shell: Path) -> None:
        self._host = host
        self._shell = str(shell)
        self._targets: list[Target] = []
        self._first: Footprint | None = None
        self._seconds = 0.0

    async def grow(self, instances: int, calls: int) -> Step:
        """Have so many, each of which has answered, and measure."""
        begin = time.perf_counter()
        alone = [
            await self._timed(self._new())
            for _ in range(min(SAMPLES, instances - len(self._targets)))
        ]
        together = instances - len(self._targets)
        begun = time.perf_counter()
        await self._start(self._new() for _ in range(together))
        end = time.perf_counter()
        self._seconds += end - begin
        return await self._measure(
            calls,
            start=median(alone),
            start_each=(end - begun) / together if together else sum(alone) / len(alone),
        )

    async def idle(self, seconds: float) -> float:
        """The share of one core that all processes take when nothing is asked of them."""
        processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
        before = _processor_time(processes)
        await asyncio.sleep(seconds)
        return (_processor_time(processes) - before) / seconds

    async def death(self, times: int) -> float:
        """Median of the time from a SIGKILL to the failure of the command that ran."""
        victims = random.choices(self._targets, k=times)
        seconds = [await self._die(victim) for victim in victims]
        for victim in victims:
            await self._timed(victim)  # which starts it again
        return median(seconds)

    async def _measure(self, calls: int, *, start: float, start_each: float) -> Step:
        trips = [await self._timed(random.choice(self._targets)) for _ in range(calls)]
        begun = time.perf_counter()
        listed = await self._host.instances(memory=False)
        listing = time.perf_counter() - begun
        assert len(listed) == len(self._targets), f"{len(listed)} of {len(self._targets)} live"
        now = await asyncio.to_thread(footprint)
        first = self._first = self._first or now
        more = max(1, len(self._targets) - 1)
        each = (now.below + now.host - first.below - first.host) / more
        return Step(
            instances=len(self._targets),
            start=start,
            start_each=start_each,
            so_far=self._seconds,
            round_trip=median(trips),
            round_trip_p99=quantiles(trips, n=100)[98],
            memory=now.below + now.host,
            memory_each=each,
            tables_each=(now.tables - first.tables) / more,
            kernel_each=(now.used - first.used) / more - each,
            host_each=(now.host - first.host) / more,
            host_resident=now.host_resident,
            descriptors=now.host_descriptors,
            fork_server_descriptors=now.fork_server_descriptors,
            listing=listing,
        )

    def _new(self) -> Target:
        name = f"device {len(self._targets)}"
        self._targets.append(Target(resource=Resource(name=name, shell=self._shell)))
        return self._targets[-1]

    async def _start(self, targets: Iterator[Target]) -> None:
        async def some() -> None:
            for target in targets:
                await self._timed(target)

        async with asyncio.TaskGroup() as starts:
            for _ in range(AT_ONCE):
                starts.create_task(some())

    async def _timed(self, target: Target) -> float:
        begin = time.perf_counter()
        execution = await self._host.execute(target, "echo", {"text": target.name})
        assert execution.result == target.name
        return time.perf_counter() - begin

    async def _die(self, target: Target) -> float:
        await self._timed(target)  # it may be one that died already
        key = self._host.plugins.scope(target)
        (pid,) = [one.pid for one in await self._host.instances(memory=False) if one.key == key]
        command = asyncio.create_task(self._host.execute(target, "wait", {"seconds": "60"}))
        await asyncio.sleep(0.05)
        begin = time.perf_counter()
        os.kill(pid, signal.SIGKILL)
        try:
            await command
        except InstanceLost:
            return time.perf_counter() - begin
        raise AssertionError("the command of a process that was killed has succeeded")


def footprint() -> Footprint:
    """What this process and those below it take now."""
    own = psutil.Process()
    host = own.memory_full_info()
    below = own.children(recursive=True)
    return Footprint(
        host=host.pss,
        host_resident=host.rss,
        below=sum(child.memory_full_info().pss for child in below),
        tables=sum(_tables(child.pid) for child in below),
        used=psutil.virtual_memory().total - psutil.virtual_memory().available,
        host_descriptors=own.num_fds(),
        fork_server_descriptors=max(child.num_fds() for child in own.children()),
    )


def _tables(pid: int) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmPTE:")[2].split()[0]) * 1024


def _processor_time(processes: Sequence[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def faults(few: Step, many: Step) -> list[str]:
    """What grows with the number of instances and should not, or more than it should: generously, for busy machines."""
    more = many.instances - few.instances
    held = {
        "a start takes more than three times as long": many.start <= 3 * few.start,
        "a command takes more than four times as long": many.round_trip <= 4 * few.round_trip,
        "an instance takes a third more memory": many.memory_each <= 4 / 3 * few.memory_each,
        "the host keeps more than 60 KB for each": many.host_each <= 60_000,
        "the host opens more than one descriptor for each": (
            many.descriptors - few.descriptors <= more + 10
        ),
        "the fork server opens descriptors for each": (
            many.fork_server_descriptors <= few.fork_server_descriptors + 10
        ),
    }
    return [
        f"with {many.instances} instances instead of {few.instances}, {what}"
        for what, well in held.items()
        if not well
    ]


async def run(arguments: argparse.Namespace) -> list[Step]:
    """Grow to each count, and print one JSON object a line."""
    steps = []
    with tempfile.TemporaryDirectory() as room:
        paths = Paths.below(Path(room))
        merged = {"SHELLDOCK_INSTANCES__MERGE_MEMORY": str(arguments.merge)}
        settings = load(None, SETTINGS | merged)
        async with AsyncHost(settings, paths=paths, python=arguments.python) as host:
            shell = SHELLS / arguments.shell
            await host.prepare(host.open_shell(shell))
            fleet = Fleet(host, shell)
            for instances in arguments.instances:
                step = await fleet.grow(instances, arguments.calls)
                if arguments.idle:
                    step = msgspec.structs.replace(step, idle=await fleet.idle(arguments.idle))
                if arguments.deaths:
                    step = msgspec.structs.replace(step, death=await fleet.death(arguments.deaths))
                print(msgspec.json.encode(step).decode(), flush=True)
                steps.append(step)
    return steps


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser("python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 10, 100, 300])
    parser.add_argument("--shell", default="networking", help="one of benchmarks/shells")
    parser.add_argument("--python", help="version of the drivers' interpreter")
    parser.add_argument("--calls", type=int, default=1000, help="commands timed at each step")
    parser.add_argument(
        "--idle", type=float, default=0, metavar="S", help="seconds to look at idle ones"
    )
    parser.add_argument("--deaths", type=int, default=0, help="processes to kill at each step")
    parser.add_argument(
        "--merge", action="store_true", help="let the kernel keep equal pages once, where KSM runs"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="fail where the last step costs more than the one before",
    )
    arguments = parser.parse_args()
    if arguments.merge and (obstacle := merging.obstacle()):
        parser.error(obstacle)
    steps = asyncio.run(run(arguments))
    if arguments.check:
        sys.exit("\n".join(faults(*steps[-2:])) or 0)


if __name__ == "__main__":
    main()
