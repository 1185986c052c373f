"""The fork server, seen from the host: no process is left to nobody."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from tests.workshop import Workshop

from shelldock import AsyncHost
from shelldock.errors import StartError
from shelldock.forkserver import ForkServer, Way
from shelldock.paths import Paths

WAY = Way(start_limit=60, host_lost=1, result_bytes=1000)


async def started(host: AsyncHost, workshop: Workshop, paths: Paths) -> ForkServer:
    """A fork server of a small driver."""
    shell = host.open_shell(workshop.shell())
    assert shell.driver is not None
    environment = await host.prepare(shell)
    folder = paths.state / "fork-server"
    return await ForkServer.start(environment, shell.driver, WAY, folder, folder / "log")


@pytest.mark.parametrize("turns", range(4))
async def test_a_start_that_is_cancelled_leaves_no_process(
    host: AsyncHost, workshop: Workshop, paths: Paths, turns: int
) -> None:
    server = await started(host, workshop, paths)
    folder = paths.state / "instance"
    starting = asyncio.create_task(server.spawn("i", folder, folder / "log", {}, concurrent=False))
    for _ in range(turns):
        await asyncio.sleep(0)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    async with asyncio.timeout(20):
        while server.processes:  # noqa: ASYNC110 - another process ends
            await asyncio.sleep(0.01)
    await server.end()


async def test_a_start_on_a_dead_fork_server_says_so(
    host: AsyncHost, workshop: Workshop, paths: Paths
) -> None:
    server = await started(host, workshop, paths)
    os.kill(server._popen.pid, signal.SIGKILL)
    folder = paths.state / "instance"
    with pytest.raises(StartError, match="fork server"):
        await server.spawn("i", folder, folder / "log", {}, concurrent=False)
    await server.ended
    with pytest.raises(StartError, match="is gone; the next command starts a new one"):
        await server.spawn("i", folder, folder / "log", {}, concurrent=False)


async def test_an_instance_that_is_up_costs_the_fork_server_and_its_siblings_no_descriptor(
    host: AsyncHost, workshop: Workshop
) -> None:
    project = workshop.shell()
    boxes = [host.target(project, f"box{number}") for number in range(6)]
    pids = [int((await host.execute(box, "pid")).result or 0) for box in boxes[:2]]
    server = psutil.Process(pids[0]).ppid()
    async with asyncio.timeout(20):
        while len(psutil.Process(server).children()) < 3:  # noqa: ASYNC110 - one in advance is made
            await asyncio.sleep(0.01)
    before = open_descriptors(server)
    pids += [int((await host.execute(box, "pid")).result or 0) for box in boxes[2:]]
    async with asyncio.timeout(20):
        while open_descriptors(server) != before:  # noqa: ASYNC110 - another one is made
            await asyncio.sleep(0.01)
    assert {open_descriptors(pid) for pid in pids} == {open_descriptors(pids[0])}


async def test_a_burst_of_starts_holds_nobody_up(host: AsyncHost, workshop: Workshop) -> None:
    project = workshop.shell()
    boxes = [host.target(project, f"box{number}") for number in range(400)]
    await host.execute(boxes[0], "pid")
    starts = asyncio.gather(*(host.execute(box, "pid") for box in boxes))
    longest, before = 0.0, time.monotonic()
    while not starts.done():
        await asyncio.sleep(0)
        now = time.monotonic()
        longest, before = max(longest, now - before), now
    assert len({one.result for one in await starts}) == len(boxes)
    assert longest < 1.0, "a full socket would hold the loop up until most have started"


def open_descriptors(pid: int) -> int:
    """How many there are."""
    return psutil.Process(pid).num_fds()


CROWD = """
import asyncio, resource, sys
from pathlib import Path
from shelldock import AsyncHost
from shelldock.errors import ConflictError
from shelldock.paths import Paths

async def main(home, project):
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, 160))
    async with AsyncHost(paths=Paths.below(Path(home))) as host:
        boxes = [host.target(Path(project), f"box{number}") for number in range(160)]
        for started, box in enumerate(boxes):
            try:
                limit = (await host.execute(box, "limit")).result
            except ConflictError as error:
                print(started, limit, error)
                break
        for one in (await host.instances(memory=False))[:5]:
            await host.stop(one.key)
        print((await host.execute(box, "limit")).result)
        await asyncio.gather(*(host.execute(one, "pid") for one in boxes[5:started]))

asyncio.run(main(*sys.argv[1:]))
"""

LIMIT = """
def limit(self, context):
    import resource
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
"""


async def test_an_instance_for_which_no_descriptor_is_left_is_refused(
    host: AsyncHost, workshop: Workshop, paths: Paths
) -> None:
    project = workshop.shell("Crowd", LIMIT)
    await host.prepare(host.open_shell(project))
    script = [sys.executable, "-c", CROWD, str(paths.data.parent), str(project)]
    ended = await asyncio.to_thread(subprocess.run, script, capture_output=True, timeout=100)
    assert ended.returncode == 0, ended.stderr.decode()
    first, again = ended.stdout.decode().splitlines()
    started, limit, refusal = first.split(maxsplit=2)
    assert int(started) > 40, "more than fit in the limit that it was started with"
    assert (limit, again) == ("100", "100"), "drivers have that limit still"
    assert refusal.startswith("there is no room for another instance: ")
