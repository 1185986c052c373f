"""A durable host keeps the record of every execution, whatever becomes of it and of the host."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.workshop import Workshop, alive, clean_environ, target

from shelldock import AsyncHost
from shelldock.errors import ConflictError, HeldError, InputError, NotFoundError, StoreError
from shelldock.hookspecs import hookimpl
from shelldock.model import Call, Execution
from shelldock.paths import Paths
from shelldock.settings import load

SERVER = """\
import asyncio, json, sys
from pathlib import Path
from shelldock import AsyncHost
from shelldock.paths import Paths
from shelldock.settings import load

async def main(home, shell):
    async with AsyncHost(load(None, {}), paths=Paths.below(Path(home)), durable=True) as host:
        box = host.target(shell, "box")
        number = 0
        while True:
            number += 1
            seconds = "0.02" if number % 7 else "0.2"
            execution = await host.submit(box, "work", {"label": str(number), "seconds": seconds})
            print(json.dumps([execution.id, str(number)]), flush=True)
            await asyncio.sleep(0.005)

asyncio.run(main(*sys.argv[1:]))
"""


def durable(paths: Paths, *plugins: object, **variables: str) -> AsyncHost:
    """A host that keeps what became of commands."""
    return AsyncHost(load(None, variables), paths=paths, plugins=plugins, durable=True)


def stored(paths: Paths) -> dict[str, str]:
    """The states of all executions as another process sees them."""
    database = sqlite3.connect(paths.store)
    try:
        return dict(database.execute("select id, state from executions").fetchall())
    finally:
        database.close()


def forbid(paths: Paths, what: str) -> None:
    """Let the database refuse to write executions, as it does where the disk is full."""
    change(
        paths,
        f"create trigger full before {what} on executions begin select raise(abort, 'disk is full'); end",
    )


def change(paths: Paths, statement: str) -> None:
    """Change the database behind the host's back."""
    database = sqlite3.connect(paths.store)
    try:
        with database:
            database.execute(statement)
    finally:
        database.close()


def begins(workshop: Workshop) -> list[str]:
    """What the driver has begun, in order."""
    return [event for event in workshop.journal.events() if event.startswith("begin")]


async def happened(workshop: Workshop, event: str) -> None:
    """Wait until the driver has come so far, and a little longer."""
    async with asyncio.timeout(30):
        while event not in workshop.journal.events():  # noqa: ASYNC110 - the driver tells nobody else
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.1)


class Witness:
    """A plugin that looks into the store whenever it hears of an execution."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self.seen: list[tuple[str, str]] = []

    @hookimpl
    def shelldock_execution_changed(self, execution: Execution) -> None:
        """Compare what is told with what is stored."""
        self.seen.append((execution.state, stored(self._paths)[execution.id]))


async def test_every_step_is_in_the_store_before_anybody_hears_of_it(
    paths: Paths, workshop: Workshop
) -> None:
    witness = Witness(paths)
    async with durable(paths, witness) as host:
        box = target(host, workshop.shell())
        await host.execute(box, "work")
        with pytest.raises(NotFoundError):
            await host.execute(box, "no_such_command")
    assert witness.seen == [(one, one) for one in ("accepted", "running", "completed")]


async def test_what_starts_at_once_is_recorded_as_running_when_it_is_accepted(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        change(paths, "create table steps (id text, state text)")
        for what in ("insert", "update"):
            change(
                paths,
                f"create trigger on_{what} after {what} on executions "
                "begin insert into steps values (new.id, new.state); end",
            )
        first = await host.submit(box, "work", {"label": "first"})  # there is no instance yet
        await host.wait(first.id)
        at_once = await host.submit(box, "work", {"label": "at once", "seconds": "0.5"})
        waits = await host.submit(box, "work", {"label": "waits"})
        await host.wait(waits.id)
    database = sqlite3.connect(paths.store)
    steps = [
        [state for (state,) in database.execute("select state from steps where id = ?", [one.id])]
        for one in (first, at_once, waits)
    ]
    database.close()
    assert steps == [
        ["accepted", "running", "completed"],
        ["running", "completed"],
        ["accepted", "running", "completed"],
    ]


async def test_what_could_start_at_once_passes_nobody_who_is_still_being_recorded(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        await host.submit(box, "work", {"label": "slow", "seconds": "0.3"})
        await happened(workshop, "begin slow")
        database = sqlite3.connect(paths.store, isolation_level=None)
        database.execute("begin immediate")  # nothing is recorded meanwhile
        asked = [asyncio.create_task(host.submit(box, "work", {"label": "a"}))]
        await happened(workshop, "end slow")
        asked.append(asyncio.create_task(host.submit(box, "work", {"label": "b"})))
        await asyncio.sleep(0.1)
        database.close()
        for one in await asyncio.gather(*asked):
            await host.wait(one.id)
    assert begins(workshop) == ["begin slow", "begin a", "begin b"]


async def test_what_became_of_a_command_is_known_to_the_next_host(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        execution = await host.execute(box, "work", {"label": "a"})
        with pytest.raises(NotFoundError, match="long ago"):
            await host.execution("unknown")
    async with durable(paths) as host:
        assert await host.execution(execution.id) == execution == await host.wait(execution.id)
        assert not await host.cancel(execution.id)
        assert (await host.history()).executions == [execution]
    assert execution.accepted <= (execution.started or 0) <= (execution.ended or 0)
    assert execution.instance
    assert execution.environment


async def test_the_history_is_read_in_pages_and_by_what_one_looks_for(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell(), "box")
        for number in range(5):
            user = "ann" if number % 2 else "bob"
            accepted = await host.submit(box, "work", {"label": str(number)}, user=user)
            await host.wait(accepted.id)
        first = await host.history(limit=3)
        rest = await host.history(limit=3, before=first.next)
        labels = [one.inputs["label"] for one in first.executions + rest.executions]
        assert (labels, rest.next) == (["4", "3", "2", "1", "0"], "")
        mine = await host.history(user="ann", state="completed", target="box", command="work")
        assert [one.inputs["label"] for one in mine.executions] == ["3", "1"]
        assert (await host.history(state="failed")).executions == []
        with pytest.raises(InputError, match="no place in the history"):
            await host.history(before="x")
        with pytest.raises(InputError, match="1 to 1000"):
            await host.history(limit=0)


async def test_a_host_that_is_not_durable_has_a_history_of_its_own(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell())
    for number in range(3):
        await host.execute(box, "work", {"label": str(number)})
    first = await host.history(limit=2)
    rest = await host.history(limit=2, before=first.next)
    labels = [one.inputs["label"] for one in first.executions + rest.executions]
    assert (labels, rest.next) == (["2", "1", "0"], "")


async def test_secrets_among_the_inputs_are_nowhere_in_the_record(
    paths: Paths, workshop: Workshop
) -> None:
    more = "def login(self, context, user, password, api_token=''):\n    return user + str(len(password))"
    async with durable(paths) as host:
        box = target(host, workshop.shell(more=more))
        inputs = {"user": "ann", "password": "hunter2", "api_token": ""}
        execution = await host.execute(box, "login", inputs)
    assert execution.result == "ann7"
    assert execution.inputs == {"user": "ann", "password": "********", "api_token": ""}
    files = [path for path in paths.data.glob("shelldock.db*") if path.is_file()]
    assert files
    assert not [path for path in files if b"hunter2" in path.read_bytes()]


# ---- a request that comes twice -----------------------------------------------------------------


@pytest.mark.parametrize("is_durable", [True, False], ids=["durable", "in memory"])
async def test_a_request_with_a_key_is_carried_out_once(
    paths: Paths, workshop: Workshop, is_durable: bool
) -> None:
    async with AsyncHost(load(None, {}), paths=paths, durable=is_durable) as host:
        box = target(host, workshop.shell())

        async def ask(label: str = "once", user: str = "ann") -> Execution:
            return await host.submit(box, "work", {"label": label}, user=user, request_key="k1")

        many = await asyncio.gather(*(ask() for _ in range(20)))
        assert len({one.id for one in many}) == 1
        await host.wait(many[0].id)
        assert (await ask()).state == "completed"
        with pytest.raises(ConflictError, match="'k1' was used for another request"):
            await ask("something else")
        other = await host.wait((await ask(user="bob")).id)
        assert other.id != many[0].id
    assert workshop.journal.events().count("begin once") == 2


async def test_a_request_is_known_again_after_a_restart(paths: Paths, workshop: Workshop) -> None:
    shell = workshop.shell()
    found = []
    for _ in range(2):
        async with durable(paths) as host:
            box = target(host, shell)
            execution = await host.submit(box, "work", {"label": "once"}, request_key="k1")
            found.append((await host.wait(execution.id)).id)
    assert len(set(found)) == 1
    assert workshop.journal.events().count("begin once") == 1


async def test_a_request_that_was_refused_may_come_again(paths: Paths, workshop: Workshop) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        with pytest.raises(NotFoundError):
            await host.submit(box, "unknown", request_key="k1")
        with pytest.raises(InputError, match="at most 255"):
            await host.submit(box, "work", request_key="k" * 256)
        execution = await host.submit(box, "work", request_key="k1")
        assert (await host.wait(execution.id)).state == "completed"


# ---- trouble --------------------------------------------------------------------------------------


async def test_what_cannot_be_recorded_is_refused_and_does_not_run(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        await host.execute(box, "work", {"label": "before"})
        forbid(paths, "insert")
        with pytest.raises(StoreError, match="disk is full"):
            await host.execute(box, "work", {"label": "meanwhile"})
        assert [one.state for one in host.executions()] == ["completed"]
        assert await host.queue() == []
        change(paths, "drop trigger full")
        await host.execute(box, "work", {"label": "after"})
    assert begins(workshop) == ["begin before", "begin after"]


async def test_no_instance_is_started_for_what_is_refused_and_none_of_many_at_once_runs(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box, other = target(host, workshop.shell()), target(host, workshop.shell(), "other")
        await host.execute(box, "work", {"label": "before"})
        forbid(paths, "insert")
        answers = await asyncio.gather(
            *(host.submit(one, "work", {"label": "no"}) for one in (box, box, box, other)),
            return_exceptions=True,
        )
        assert [type(one) for one in answers] == [StoreError] * 4
        assert [one.target for one in await host.instances()] == ["box"]
        change(paths, "drop trigger full")
        await host.execute(box, "work", {"label": "after"})
        assert [one.state for one in host.executions()] == ["completed"] * 2
    assert begins(workshop) == ["begin before", "begin after"]


async def test_nobody_hears_of_a_success_that_could_not_be_recorded_and_it_is_when_it_can(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        slow = await host.submit(box, "work", {"label": "slow", "seconds": "1"})
        await happened(workshop, "begin slow")
        unseen = await host.submit(box, "work", {"label": "unseen"})
        forbid(paths, "update")
        ended = await host.wait(slow.id)
        assert ended.state == "failed"
        assert ended.failure is not None
        assert "ended (completed), but that could not be recorded" in ended.failure.message
        ended = await host.wait(unseen.id)  # it was accepted, and may not start
        assert ended.state == "failed"
        assert ended.failure is not None
        assert "disk is full" in ended.failure.message
        change(paths, "drop trigger full")
    assert "begin unseen" not in workshop.journal.events()
    assert Counter(stored(paths).values()) == {"completed": 1, "failed": 1}


async def test_an_end_whose_text_is_no_unicode_is_told_as_what_could_not_be_recorded(
    paths: Paths, workshop: Workshop
) -> None:
    class Halves:
        @hookimpl
        def shelldock_context(self, call: Call) -> dict[str, object]:
            raise ValueError("half of a pair: \ud800")

    async with durable(paths, Halves()) as host:
        accepted = await host.submit(target(host, workshop.shell()), "pid")
        async with asyncio.timeout(30):
            ended = await host.wait(accepted.id)
    assert ended.state == "failed"
    assert ended.failure is not None
    assert "could not be recorded" in ended.failure.message
    ended.failure.message.encode("utf-8")


async def test_one_execution_that_cannot_be_recorded_does_not_take_others_with_it(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        await host.execute(box, "work")
        change(
            paths,
            "create trigger one before insert on executions when new.record like '%poison%' "
            "begin select raise(abort, 'no'); end",
        )
        labels = ["a", "poison", "b", "c"]
        answers = await asyncio.gather(
            *(host.execute(box, "work", {"label": label}) for label in labels),
            return_exceptions=True,
        )
        assert [isinstance(one, StoreError) for one in answers] == [False, True, False, False]


async def test_old_executions_are_removed_and_those_that_run_stay(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        for number in range(5):
            await host.execute(box, "work", {"label": str(number)})
    async with durable(paths, SHELLDOCK_HISTORY__MOST="2") as host:
        async with asyncio.timeout(30):
            while len((await host.history()).executions) > 2:  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)
        left = (await host.history()).executions
        assert [one.inputs["label"] for one in left] == ["4", "3"]
    async with durable(paths, SHELLDOCK_HISTORY__UNUSED_AFTER="0") as host:
        async with asyncio.timeout(30):
            while (await host.history()).executions:  # noqa: ASYNC110 - the database tells nobody
                await asyncio.sleep(0.01)


async def test_a_caller_that_gives_up_while_its_command_is_accepted_leaves_nothing_open(
    paths: Paths, workshop: Workshop
) -> None:
    async with durable(paths) as host:
        box = target(host, workshop.shell())
        await host.execute(box, "work")
        asked = [
            asyncio.create_task(host.submit(box, "work", {"label": str(n)})) for n in range(20)
        ]
        await asyncio.sleep(0)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
    assert set(stored(paths).values()) <= {"completed", "cancelled"}
    begun = begins(workshop)
    assert len(begun) == len(set(begun))


# ---- one at a time ----------------------------------------------------------------------------------


async def test_a_second_host_on_the_data_is_refused_and_told_who_holds_them(paths: Paths) -> None:
    async with durable(paths):
        with pytest.raises(HeldError, match=rf"held by another server: process {os.getpid()} on "):
            async with durable(paths):
                pass
        async with AsyncHost(load(None, {}), paths=paths):
            pass  # one that keeps nothing is in nobody's way
    async with durable(paths):
        pass


async def test_a_lock_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path / "home")
    (paths.store.parent / "server.lock").mkdir()
    with pytest.raises(StoreError, match=r"cannot make the lock .*server\.lock"):
        async with durable(paths):
            pass


# ---- killed -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0.3, 1.1])
async def test_after_a_kill_everything_accepted_is_accounted_for_and_nothing_runs_twice(
    paths: Paths, workshop: Workshop, tmp_path: Path, seconds: float
) -> None:
    shell = workshop.shell()
    async with durable(paths) as host:  # the environment is there when it matters
        await host.execute(target(host, shell), "work", {"label": "first"})
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    server = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs here
        [sys.executable, program, paths.data.parent, shell],
        env=clean_environ(tmp_path),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert server.stdout is not None
    told = [json.loads(server.stdout.readline())]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        told.append(json.loads(server.stdout.readline()))
    server.send_signal(signal.SIGKILL)
    rest = server.stdout.read()
    server.stdout.close()
    server.wait()
    told += [json.loads(line) for line in rest.splitlines() if line.endswith("]")]
    async with durable(paths) as host:
        states = {one: (await host.execution(one)).state for one, _ in told}
        again = await host.history(state="interrupted")
        running = (await host.history(state="running")).executions
        accepted = (await host.history(state="accepted")).executions
    assert (running, accepted) == ([], [])
    assert set(states.values()) <= {"completed", "interrupted", "cancelled"}
    assert len(again.executions) <= 1  # the driver takes one at a time
    assert all(
        one.failure and "nobody knows how far" in one.failure.message for one in again.executions
    )
    begun = Counter(begins(workshop))
    assert set(begun.values()) == {1}
    for execution, label in told:
        ran = f"begin {label}" in begun
        assert ran or states[execution] != "completed"
        assert not (ran and states[execution] == "cancelled")
    deadline = time.monotonic() + 30
    while alive(workshop.journal.pids()) and time.monotonic() < deadline:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.05)
    assert not alive(workshop.journal.pids())
