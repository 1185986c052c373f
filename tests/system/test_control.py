"""The command line sees the hosts that are open in other processes, and ends what they do."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.workshop import Workshop, clean_environ, target

from shelldock import AsyncHost
from shelldock.model import Execution
from shelldock.paths import Paths
from shelldock.remote import HostInfo, hosts
from shelldock.settings import load

WAITS = """
def wait(self, context, cancellation_context):
    note("waiting")
    while not cancellation_context.is_cancelled:
        time.sleep(0.02)
    return "gave up"
"""


class Cli:
    """The command line of another process with the same home."""

    def __init__(self, home: Path) -> None:
        self._environ = clean_environ(home)

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """Its exit code, what it printed, and what it said."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "shelldock", *arguments,
            env=self._environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        async with asyncio.timeout(60):
            printed, said = await process.communicate()
        return process.returncode or 0, printed.decode(), said.decode()

    async def json(self, *arguments: str) -> Any:
        """What it printed, where it must succeed."""
        code, printed, said = await self.run(*arguments, "--json")
        assert code == 0, said
        return json.loads(printed)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def cli(home: Path) -> Cli:
    return Cli(home)


@pytest.fixture
async def host(home: Path) -> AsyncIterator[AsyncHost]:
    async with AsyncHost(load(None, {}), paths=Paths.below(home)) as host:
        yield host


async def busy(host: AsyncHost, workshop: Workshop) -> tuple[Execution, Execution]:
    """A command that runs until it is cancelled, and one that waits for it."""
    box = target(host, workshop.shell(more=WAITS), sandbox="s1")
    running = await host.submit(box, "wait")
    async with asyncio.timeout(20):
        while "waiting" not in workshop.journal.events():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    return running, await host.submit(box, "work", {"label": "next"})


async def test_instances_queue_and_executions_are_seen_from_outside_q3(
    host: AsyncHost, workshop: Workshop, cli: Cli
) -> None:
    running, waiting = await busy(host, workshop)
    (instance,) = await cli.json("ps")
    assert (instance["key"], instance["state"], instance["running"], instance["waiting"]) == (
        "resource/box",
        "busy",
        1,
        1,
    )
    (queued,) = await cli.json("queue")
    assert queued["execution"] == waiting.id
    assert queued["state"] == "Pending, Concurrent commands not enabled"
    assert "'wait' has been running for" in queued["reason"]
    assert [one["id"] for one in await cli.json("executions")] == [running.id, waiting.id]
    _, printed, _ = await cli.run("queue", "box")
    assert "Pending, Concurrent commands not enabled" in printed
    _, printed, said = await cli.run("queue", "another")
    assert (printed, said) == ("", "nothing waits\n")
    shown = await cli.json("instance", "show", "box")
    assert shown["instance"]["pid"] == instance["pid"]
    await host.cancel_all("resource/box")


async def test_commands_are_cancelled_from_outside_q5_q6_q8(
    host: AsyncHost, workshop: Workshop, cli: Cli
) -> None:
    running, waiting = await busy(host, workshop)
    assert await cli.json("cancel", waiting.id) == {"cancelled": True}
    assert (await host.wait(waiting.id)).state == "cancelled"
    assert await cli.json("cancel", waiting.id) == {"cancelled": False}
    last = await host.submit(target(host, workshop.folder / "Box", sandbox="s1"), "pid")
    code, _, said = await cli.run("instance", "cancel-all", "box")
    assert code == 2
    assert "to cancel 'resource/box' hits 2: 'wait' of 'box', 'pid' of 'box'; add --yes" in said
    assert await cli.json("instance", "cancel-all", "box", "--yes") == {"cancelled": 2}
    assert {(await host.wait(one.id)).state for one in (running, last)} == {"cancelled"}
    assert len(await host.instances()) == 1


async def test_whom_a_terminate_hits_is_said_before_l4_q7(
    host: AsyncHost, workshop: Workshop, cli: Cli
) -> None:
    running, waiting = await busy(host, workshop)
    code, _, said = await cli.run("instance", "terminate", "resource/box")
    assert code == 2
    assert "'wait' of 'box', 'work' of 'box'; add --yes to do it" in said
    assert (await host.instances())[0].state == "busy"
    assert await cli.json("instance", "terminate", "box", "--yes") == {"terminated": "resource/box"}
    ended = await host.wait(running.id)
    assert ended.failure is not None
    assert ended.failure.code == "lost"
    assert "terminated by the user" in ended.failure.message
    assert (await host.wait(waiting.id)).state == "completed"


async def test_an_instance_is_stopped_and_reset_from_outside_i11(
    host: AsyncHost, workshop: Workshop, cli: Cli
) -> None:
    running, waiting = await busy(host, workshop)
    (instance,) = await host.instances()
    await cli.json("instance", "reset", instance.id, "--yes")
    assert {(await host.wait(one.id)).state for one in (running, waiting)} == {"cancelled"}
    assert await host.instances() == []
    await host.execute(target(host, workshop.folder / "Box"), "pid")
    code, _, said = await cli.run("instance", "stop", "box")
    assert (code, said) == (0, "resource/box stopped\n")
    assert workshop.journal.events().count("cleanup") == 2


async def test_a_broken_instance_is_seen_and_retried_from_outside_i4(
    home: Path, workshop: Workshop, cli: Cli
) -> None:
    flag = workshop.folder / "licence"
    more = f"""
    def initialize(self, context):
        if not os.path.exists({str(flag)!r}):
            raise OSError("no licence")
    """
    settings = load(None, {"SHELLDOCK_INSTANCES__START_ATTEMPTS": "1"})
    async with AsyncHost(settings, paths=Paths.below(home)) as host:
        box = target(host, workshop.shell(more=more))
        first = await host.submit(box, "pid")
        await host.wait(first.id)
        _, printed, said = await cli.run("ps")
        assert "broken" in printed
        assert "resource/box is broken: it failed to start 1 times in a row" in said
        flag.touch()
        await cli.json("instance", "retry", "box")
        assert (await host.execute(box, "pid")).state == "completed"


async def test_a_resource_removed_from_outside_ends_its_instance_i10(
    host: AsyncHost, workshop: Workshop, cli: Cli
) -> None:
    host.inventory.create("box", host.catalog.add(workshop.shell()))
    await host.execute("box", "pid")
    await cli.json("resource", "remove", "box")
    assert await host.instances() == []
    assert workshop.journal.events()[-1] == "cleanup"
    assert "box" not in host.inventory


async def test_the_level_of_a_drivers_log_is_changed_from_outside_l1(
    host: AsyncHost, workshop: Workshop, cli: Cli
) -> None:
    more = "def level(self, context):\n    import logging\n    return logging.getLogger().level"
    box = target(host, workshop.shell(more=more))
    assert (await host.execute(box, "level")).result == "30"
    assert await cli.json("instance", "log-level", "box", "debug") == {
        "instance": "resource/box",
        "level": "DEBUG",
    }
    assert (await host.execute(box, "level")).result == "10"
    code, _, said = await cli.run("instance", "log-level", "box", "loud")
    assert code == 2
    assert "'loud'" in said


async def test_without_an_open_host_lists_are_empty_and_the_rest_is_not_there(cli: Cli) -> None:
    for name in ("ps", "queue", "executions"):
        assert await cli.json(name) == []
    for command in (["instance", "stop", "box"], ["cancel", "abc"]):
        code, _, said = await cli.run(*command)
        assert code == 3
        assert said.startswith("shelldock: no ")


async def test_what_a_dead_host_left_is_swept_and_a_live_one_says_who_it_is(
    host: AsyncHost, home: Path
) -> None:
    runtime = Paths.below(home).runtime
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(runtime / "1-dead.sock"))
    (remote,) = await asyncio.to_thread(hosts, Paths.below(home))
    assert not (runtime / "1-dead.sock").exists()
    info = await asyncio.to_thread(remote.ask, HostInfo, "info")
    assert info.pid == os.getpid()
    assert runtime.stat().st_mode & 0o77 == 0


async def test_bad_questions_are_answered_and_hurt_nobody(host: AsyncHost, home: Path) -> None:
    (place,) = Paths.below(home).runtime.glob("*.sock")
    for question in (b"", b"\xff\xff", b"\x91\xa3boo", b"\x80", b"x" * 200_000):
        reader, writer = await asyncio.open_unix_connection(place)
        writer.write(question)
        writer.write_eof()
        assert await reader.read()
        writer.close()
    assert await host.instances() == []


async def test_a_long_path_and_a_setting_are_minded(tmp_path: Path) -> None:
    long = Paths.below(tmp_path / ("x" * 120))
    async with AsyncHost(load(None, {}), paths=long):
        assert len(await asyncio.to_thread(hosts, long)) == 1
    assert not list(long.runtime.iterdir())
    quiet = Paths.below(tmp_path / "quiet")
    async with AsyncHost(load(None, {"SHELLDOCK_CONTROL": "false"}), paths=quiet):
        assert hosts(quiet) == []
