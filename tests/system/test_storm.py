"""Whatever happens to the instances meanwhile, every accepted command ends exactly once and nothing is left."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from collections import Counter, defaultdict
from contextlib import suppress

import pytest
from tests.workshop import Workshop, alive, target

from shelldock import AsyncHost
from shelldock.errors import NotFoundError
from shelldock.executions import ENDED
from shelldock.model import Execution
from shelldock.paths import Paths
from shelldock.settings import load

COMMANDS = 300
QUICK = {"SHELLDOCK_PLUGINS__IDLE__LIMIT": "0.3", "SHELLDOCK_LIMITS__CANCEL_GRACE": "5"}

MORE = """
def wait(self, context, cancellation_context):
    for _ in range(40):
        if cancellation_context.is_cancelled:
            return "gave up"
        time.sleep(0.01)
    return "done"

def die(self, context):
    os._exit(3)

def boom(self, context):
    raise ValueError("boom")
"""


async def disturb(host: AsyncHost, dice: random.Random, accepted: list[str]) -> None:
    """Cancel, kill, terminate and stop, at random, for ever."""
    while True:
        await asyncio.sleep(dice.random() * 0.03)
        what = dice.choice(["cancel", "kill", "terminate", "stop"])
        instances = await host.instances(memory=False)
        with suppress(NotFoundError, ProcessLookupError):  # it has just ended by itself
            if what == "cancel" and accepted:
                await host.cancel(dice.choice(accepted[-30:]), force=True)
            elif what == "kill" and instances and (pid := dice.choice(instances).pid):
                os.kill(pid, signal.SIGKILL)
            elif what == "terminate" and instances:
                await host.terminate(dice.choice(instances).key)
            elif what == "stop" and instances:
                await host.stop(dice.choice(instances).key)


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_command_ends_once_and_no_process_is_left(
    paths: Paths, workshop: Workshop, seed: int
) -> None:
    dice = random.Random(seed)
    ended: list[Execution] = []
    accepted: list[str] = []
    async with AsyncHost(load(None, QUICK), paths=paths) as host:
        shells = [workshop.shell("Line", MORE), workshop.shell("Crowd", MORE, concurrent=True)]
        boxes = [target(host, dice.choice(shells), f"box{number}") for number in range(12)]

        async def one() -> None:
            command = dice.choice(["pid", "pid", "work", "wait", "boom", "die"])
            execution = await host.submit(dice.choice(boxes), command)
            accepted.append(execution.id)
            ended.append(await host.wait(execution.id))

        disturbing = asyncio.create_task(disturb(host, dice, accepted))
        async with asyncio.timeout(120), asyncio.TaskGroup() as commands:
            for _ in range(COMMANDS):
                commands.create_task(one())
                await asyncio.sleep(dice.random() * 0.01)
        disturbing.cancel()
        async with asyncio.timeout(60):
            while await host.instances(memory=False):  # noqa: ASYNC110 - they end when they are idle
                await asyncio.sleep(0.05)
    assert Counter(one.id for one in ended) == Counter(accepted)
    assert all(one.state in ENDED for one in ended)
    codes = {one.failure.code for one in ended if one.failure}
    assert codes <= {"driver", "lost", "cancelled"}
    assert not alive(workshop.journal.pids())

    lives = defaultdict(list)
    for _, pid, event in workshop.journal.lines():
        lives[pid].append(event)
    for events in lives.values():
        assert events[0] == "construct"
        assert events.count("construct") == 1
        assert "cleanup" not in events[:-1]
