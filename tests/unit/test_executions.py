"""Every execution is recorded from its acceptance to its end, and the memory for them is bounded."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from shelldock.errors import NotFoundError
from shelldock.executions import Executions
from shelldock.model import Call, Execution, Failure, Outcome, Resource, Sandbox, Target

TARGET = Target(resource=Resource(name="sw1"), sandbox=Sandbox(id="s1"))
NUMBERS = itertools.count()


def call(command: str, **inputs: str) -> Call:
    """A call that nobody made before."""
    return Call(execution=str(next(NUMBERS)), target=TARGET, command=command, inputs=inputs)


async def test_each_step_is_told_in_order() -> None:
    told: list[Execution] = []
    executions = Executions(told.append)
    accepted = executions.accept(call("save", a="1"))
    await executions.started(accepted.id, "i1")
    executions.say(accepted.id, "half way")
    waiter = asyncio.create_task(executions.wait(accepted.id))
    await asyncio.sleep(0)
    ended = await executions.end(
        accepted.id, Outcome(result="done", instance="i1", environment="e")
    )
    assert [one.state for one in told] == ["accepted", "running", "running", "completed"]
    assert await waiter == ended == await executions.wait(accepted.id)
    assert (ended.result, ended.messages, ended.instance, ended.sandbox) == (
        "done",
        ("half way",),
        "i1",
        "s1",
    )
    assert ended.accepted <= (ended.started or 0) <= (ended.ended or 0)


@pytest.mark.parametrize(
    ("failure", "state", "result"),
    [
        (Failure(code="driver", message="no"), "failed", None),
        (Failure(code="cancelled", message="no", facts={"result": "kept"}), "cancelled", "kept"),
    ],
)
async def test_a_failure_decides_the_state_and_a_cancelled_command_keeps_its_result(
    failure: Failure, state: str, result: str | None
) -> None:
    executions = Executions(lambda _: None)
    accepted = executions.accept(call("save"))
    ended = await executions.end(accepted.id, Outcome(failure=failure))
    assert (ended.state, ended.result, ended.failure) == (state, result, failure)


async def test_only_the_newest_that_ended_are_remembered_and_none_that_run_is_forgotten() -> None:
    executions = Executions(lambda _: None, keep=2)
    running = executions.accept(call("long"))
    ended = [executions.accept(call("short")) for _ in range(5)]
    for one in ended:
        await executions.end(one.id, Outcome(result=""))
    assert [one.id for one in executions.all()] == [running.id, ended[3].id, ended[4].id]
    with pytest.raises(NotFoundError):
        executions.get(ended[0].id)
