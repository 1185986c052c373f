"""The life of an instance: initialize first and alone, cleanup once and last, a crash costs one command."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time

import pytest
import uvloop
from tests.workshop import Journal, Workshop, alive, clean_environ, target

from shelldock import AsyncHost, Host, Resource, Target
from shelldock.errors import CancelledError, DriverError, InstanceLost, LimitReached
from shelldock.paths import Paths
from shelldock.settings import load


async def gone(host: AsyncHost, seconds: float = 20.0) -> None:
    """Wait until no instance is left."""
    async with asyncio.timeout(seconds):
        while await host.instances(memory=False):  # noqa: ASYNC110 - what a user would do
            await asyncio.sleep(0.05)


async def noted(journal: Journal, event: str, seconds: float = 20.0) -> None:
    """Wait until the driver has noted ``event``."""
    async with asyncio.timeout(seconds):
        while event not in journal.events():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("concurrent", [False, True], ids=["sequential", "concurrent"])
async def test_initialize_runs_once_first_and_alone_under_a_burst_of_first_commands_i2_i3(
    host: AsyncHost, workshop: Workshop, concurrent: bool
) -> None:
    slow = "def initialize(self, context):\n    note('enter'); time.sleep(0.3); note('leave')"
    box = target(host, workshop.shell(more=slow, concurrent=concurrent))
    await asyncio.gather(*(host.execute(box, "work", {"label": str(n)}) for n in range(50)))
    events = workshop.journal.events()
    assert events[:3] == ["construct", "enter", "leave"]
    assert events.count("construct") == events.count("enter") == 1
    assert len(events) == 3 + 2 * 50
    assert len(workshop.journal.pids()) == 1


def test_a_host_lives_on_a_loop_of_uvloop_as_well(paths: Paths, workshop: Workshop) -> None:
    async def work() -> tuple[str | None, list[str]]:
        async with AsyncHost(paths=paths) as host:
            done = await host.execute(target(host, workshop.shell()), "pid")
            return done.result, [type(asyncio.get_running_loop()).__module__]

    pid, loop = uvloop.run(work())
    assert loop == ["uvloop"]
    assert pid
    assert not alive([int(pid)])


async def test_a_failing_initialize_fails_its_command_and_the_next_starts_a_new_process_i4(
    host: AsyncHost, workshop: Workshop
) -> None:
    failing = f"""
    def initialize(self, context):
        note("initialize")
        if open({str(workshop.journal.path)!r}).read().count("initialize") <= 2:
            raise ValueError("no licence")
    """
    box = target(host, workshop.shell(more=failing))
    calls = [asyncio.create_task(host.execute(box, "work", {"label": str(n)})) for n in range(3)]
    first, second, third = await asyncio.gather(*calls, return_exceptions=True)
    for error in (first, second):
        assert isinstance(error, DriverError)
        assert (error.type, error.text) == ("ValueError", "no licence")
        assert "driver.py" in error.trace
    assert not isinstance(third, BaseException)
    assert third.result == "2"
    events = workshop.journal.events()
    assert events.count("construct") == 3
    assert [event for event in events if event.startswith(("begin", "cleanup"))] == ["begin 2"]
    assert len(workshop.journal.pids()) == 3


async def test_a_driver_without_initialize_and_cleanup_works_i7(
    host: AsyncHost, workshop: Workshop
) -> None:
    source = "class Driver:\n    def hello(self, context):\n        return 'hello ' + context.resource.name\n"
    ended = await host.execute(target(host, workshop.shell(source=source), "r1"), "hello")
    assert ended.result == "hello r1"
    assert ended.state == "completed"


async def test_a_sequential_driver_runs_one_command_at_a_time_in_order_q1(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell())
    await asyncio.gather(*(host.execute(box, "work", {"label": str(n)}) for n in range(100)))
    work = [event for event in workshop.journal.events() if event.startswith(("begin", "end"))]
    assert work == [f"{what} {n}" for n in range(100) for what in ("begin", "end")]


async def test_a_concurrent_driver_runs_each_command_in_one_thread_for_its_whole_length_q2(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = """
    def meet(self, context):
        import threading
        if not hasattr(Driver, "barrier"):
            Driver.barrier = threading.Barrier(8)
        before = threading.get_ident()
        Driver.barrier.wait(20)
        return "%s %s" % (before, threading.get_ident())
    """
    box = target(host, workshop.shell(more=more, concurrent=True))
    ended = await asyncio.gather(*(host.execute(box, "meet") for _ in range(8)))
    threads = [str(one.result).split() for one in ended]
    assert all(before == after for before, after in threads)
    assert len({before for before, _ in threads}) == 8


async def test_an_idle_instance_cleans_up_once_and_the_next_command_starts_a_new_one_i5_i6(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_PLUGINS__IDLE__LIMIT": "0.5"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell())
        await host.execute(
            box, "work", {"label": "long", "seconds": "2"}
        )  # four limits long: not interrupted
        await gone(host)
        assert workshop.journal.events()[-2:] == ["end long", "cleanup"]
        (first,) = workshop.journal.pids()
        assert not alive([first])
        again = await host.execute(box, "pid")
    assert again.result != str(first)
    assert workshop.journal.events().count("cleanup") == 2  # one more, when the host ended
    assert not alive(workshop.journal.pids())


@pytest.mark.parametrize(
    ("body", "said"),
    [("raise OSError('device is away')", "OSError: device is away"), ("time.sleep(600)", "0.5 s")],
    ids=["raises", "hangs"],
)
async def test_what_goes_wrong_in_cleanup_is_logged_and_bounded_i6(
    paths: Paths, workshop: Workshop, caplog: pytest.LogCaptureFixture, body: str, said: str
) -> None:
    settings = load(None, {"SHELLDOCK_LIMITS__CLEANUP": "0.5"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(
            host, workshop.shell(more=f"def cleanup(self):\n    note('cleanup')\n    {body}")
        )
        await host.execute(box, "pid")
        began = time.monotonic()
        await host.stop("resource/box")
    assert time.monotonic() - began < 60
    assert workshop.journal.events().count("cleanup") == 1
    assert said in caplog.text
    assert not alive(workshop.journal.pids())


async def test_killing_an_instance_fails_its_command_at_once_and_the_next_gets_a_new_one_i8(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell())
    running = asyncio.create_task(host.execute(box, "work", {"label": "doomed", "seconds": "600"}))
    waiting = asyncio.create_task(host.execute(box, "pid"))
    await noted(workshop.journal, "begin doomed")
    (pid,) = workshop.journal.pids()
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        with pytest.raises(InstanceLost, match="SIGKILL"):
            await running
    assert (await waiting).result not in (None, str(pid))


async def test_a_driver_that_exits_its_process_fails_its_command_only_i8(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell(more="def leave(self, context):\n    os._exit(7)"))
    with pytest.raises(InstanceLost, match="exit status 7"):
        await host.execute(box, "leave")
    assert (await host.execute(box, "work", {"label": "on"})).result == "on"


async def test_the_end_of_a_fork_server_ends_its_instances_and_the_next_command_starts_anew_i8(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell(more="def parent(self, context):\n    return os.getppid()"))
    parent = await host.execute(box, "parent")
    running = asyncio.create_task(host.execute(box, "work", {"label": "doomed", "seconds": "600"}))
    await noted(workshop.journal, "begin doomed")
    os.kill(int(parent.result or 0), signal.SIGKILL)
    async with asyncio.timeout(20):
        with pytest.raises(InstanceLost, match="fork server"):
            await running
        assert (await host.execute(box, "work", {"label": "on"})).result == "on"


async def test_a_cancelled_command_ends_when_the_driver_looks_q5(
    host: AsyncHost, workshop: Workshop
) -> None:
    more = """
    def wait(self, context, cancellation_context):
        note("waiting")
        while not cancellation_context.is_cancelled:
            time.sleep(0.02)
        return "gave up"
    """
    box = target(host, workshop.shell(more=more))
    accepted = await host.submit(box, "wait")
    await noted(workshop.journal, "waiting")
    assert await host.cancel(accepted.id)
    ended = await host.wait(accepted.id)
    assert (ended.state, ended.result) == ("cancelled", "gave up")
    assert not await host.cancel(accepted.id)


async def test_a_queued_command_can_be_cancelled_and_never_runs_q6(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell())
    first = await host.submit(box, "work", {"label": "first", "seconds": "1"})
    second = await host.submit(box, "work", {"label": "second"})
    await noted(workshop.journal, "begin first")
    assert await host.cancel(second.id)
    assert (await host.wait(second.id)).state == "cancelled"
    assert (await host.wait(first.id)).state == "completed"
    assert "begin second" not in workshop.journal.events()


async def test_terminate_ends_what_runs_without_cleanup_and_the_queue_goes_on_q7(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell())
    running = asyncio.create_task(host.execute(box, "work", {"label": "doomed", "seconds": "600"}))
    waiting = asyncio.create_task(host.execute(box, "work", {"label": "next"}))
    await noted(workshop.journal, "begin doomed")
    await host.terminate("resource/box", "an admin said so")
    with pytest.raises(InstanceLost, match="an admin said so"):
        await running
    assert (await waiting).result == "next"
    assert "cleanup" not in workshop.journal.events()


async def test_a_command_that_runs_out_of_time_says_which_limit_and_where_it_was_set_q9(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_LIMITS__CANCEL_GRACE": "0.3"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell())
        with pytest.raises(LimitReached, match=r"'command' of 0\.3 s \(set by: call\)"):
            await host.execute(box, "work", {"label": "long", "seconds": "600"}, limit=0.3)
        assert (await host.execute(box, "work", {"label": "on"})).result == "on"


async def test_a_caller_that_goes_away_cancels_its_command(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell())
    await host.execute(box, "pid")
    first = asyncio.create_task(host.execute(box, "work", {"label": "first", "seconds": "1"}))
    second = asyncio.create_task(host.execute(box, "work", {"label": "second"}))
    await noted(workshop.journal, "begin first")
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    await first
    assert "begin second" not in workshop.journal.events()


async def test_the_end_of_the_host_refuses_what_waits_and_cleans_up(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_LIMITS__CANCEL_GRACE": "20"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell())
        running = asyncio.create_task(host.execute(box, "work", {"label": "last", "seconds": "1"}))
        waiting = asyncio.create_task(host.execute(box, "work", {"label": "never"}))
        await noted(workshop.journal, "begin last")
    with pytest.raises(CancelledError, match="shuts down"):
        await waiting
    with pytest.raises(CancelledError):
        await running
    assert workshop.journal.events()[-2:] == ["end last", "cleanup"]
    assert not alive(workshop.journal.pids())


async def test_an_import_that_hangs_does_not_keep_the_host_from_ending(
    paths: Paths, workshop: Workshop
) -> None:
    source = (
        "import os, subprocess, time\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        "line = '0 %d child\\n0 %d import\\n' % (child.pid, os.getpid())\n"
        f"open({str(workshop.journal.path)!r}, 'a').write(line)\n"
        "time.sleep(600)\n"
        "class Driver: pass\n"
    )
    shell = workshop.shell(source=source)
    async with asyncio.timeout(60):
        async with AsyncHost(load(None, {}), paths=paths) as host:
            accepted = await host.submit(target(host, shell), "get_inventory")
            await noted(workshop.journal, "import")
        assert (await host.wait(accepted.id)).state == "cancelled"
    assert not alive(workshop.journal.pids())


LEAVES_GRANDCHILDREN = """
def spread(self, context):
    import subprocess, sys
    child = "import os, sys, time; os.setsid(); print(os.getpid(), flush=True); time.sleep(600)"
    started = [subprocess.Popen([sys.executable, "-c", child], stdout=subprocess.PIPE) for _ in range(3)]
    orphan = "import os\\nif os.fork(): os._exit(0)\\n" + child
    started.append(subprocess.Popen([sys.executable, "-c", orphan], stdout=subprocess.PIPE))
    return [int(one.stdout.readline()) for one in started]
"""

HOST = """
import asyncio, sys
from pathlib import Path
from shelldock import AsyncHost, Host, Resource, Target

async def main():
    async with AsyncHost() as host:
        host.open_shell(sys.argv[1])
        for name in ("a", "b"):
            box = Target(resource=Resource(name=name, shell=sys.argv[1]))
            print((await host.execute(box, "spread")).result, flush=True)
            asyncio.create_task(host.execute(box, "work", {"label": "long", "seconds": "600"}))
        await asyncio.sleep(600)

asyncio.run(main())
"""


def test_no_process_survives_the_death_of_the_host(paths: Paths, workshop: Workshop) -> None:
    shell = workshop.shell(more=LEAVES_GRANDCHILDREN)
    host = subprocess.Popen(
        [sys.executable, "-c", HOST, str(shell)],
        env=clean_environ(paths.config),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert host.stdout is not None
    grandchildren = [pid for _ in range(2) for pid in json.loads(host.stdout.readline())]
    everybody = {*grandchildren, *workshop.journal.pids()}
    assert len(grandchildren) == 8
    assert alive(everybody) == everybody
    host.kill()
    host.wait()
    host.stdout.close()
    deadline = time.monotonic() + 5
    while alive(everybody) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive(everybody)
    assert workshop.journal.events().count("cleanup") == 2
    left = {path.name for path in paths.instances.iterdir()}
    assert left
    with Host(settings=load(None, {}), paths=paths):
        assert not left & {path.name for path in paths.instances.iterdir()}
    assert not list(paths.instances.iterdir())


async def test_grandchildren_end_with_their_instance_however_it_ends(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = workshop.shell(more=LEAVES_GRANDCHILDREN)
    for end in (host.stop, host.terminate):
        ended = await host.execute(target(host, shell), "spread")
        children = json.loads(ended.result or "")
        assert alive(children) == set(children)
        await end("resource/box")
        await gone(host)
        assert not alive(children)


async def test_an_updated_shell_ends_the_old_instance_before_the_next_command_i12(
    host: AsyncHost, workshop: Workshop
) -> None:
    old = await host.execute(target(host, workshop.shell()), "pid")
    new = await host.execute(
        target(host, workshop.shell(more="def answer(self, context):\n    return 42")), "answer"
    )
    assert new.result == "42"
    assert new.instance != old.instance
    assert "cleanup" in workshop.journal.events()
    assert len(await host.instances()) == 1


async def test_attributes_are_those_of_the_moment_of_the_command_c9_c11(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = workshop.shell(
        more="def speed(self, context):\n    return context.resource.attributes['Speed']"
    )
    host.open_shell(shell)
    for speed in ("10", "100"):
        box = Target(resource=Resource(name="box", shell=str(shell), attributes={"Speed": speed}))
        assert (await host.execute(box, "speed")).result == speed
    assert workshop.journal.events().count("construct") == 1
