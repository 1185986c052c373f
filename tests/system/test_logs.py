"""An instance's log tells its whole life, with whose each line is; what drivers log is in it, whoever wrote it down."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from tests.workshop import Workshop, target

from shelldock import AsyncHost
from shelldock.errors import DriverError, InputError, InstanceLost, NotFoundError
from shelldock.journal import Line, lines, of_execution
from shelldock.paths import Paths
from shelldock.settings import load


async def log_of(host: AsyncHost) -> Path:
    (instance,) = await host.instances(memory=False)
    assert instance.log is not None
    return instance.log


def notes(found: list[Line]) -> list[str]:
    """What Shelldock itself had to say."""
    texts = [line.text for line in found]
    return [text.removeprefix("shelldock: ") for text in texts if text.startswith("shelldock: ")]


async def until(there: Callable[[], bool]) -> bool:
    """Whether it comes true in a while."""
    deadline = time.monotonic() + 30
    while not there() and time.monotonic() < deadline:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(0.01)
    return there()


async def test_each_executions_lines_bear_its_id_l1(
    host: AsyncHost, paths: Paths, workshop: Workshop
) -> None:
    more = "def say(self, context, text=''):\n    print(text)"
    box = target(host, workshop.shell(more=more))
    first, second = [await host.execute(box, "say", {"text": text}) for text in ("one", "two")]
    for execution, text in ((first, "one"), (second, "two")):
        logs, found = of_execution(paths, execution.id)
        assert [one.path for one in logs] == [await log_of(host)]
        assert [line.text for line in found if line.source == "out"] == [text]
    started, initialized = notes(lines(await log_of(host)))
    (instance,) = await host.instances(memory=False)
    assert f"instance {instance.id} of 'box', shell 'Box' 1.0.0, environment Box" in started
    assert f"process {instance.pid}, forked" in started
    assert initialized == "initialized"


async def test_a_failed_commands_trace_is_found_by_its_execution_r4(
    host: AsyncHost, paths: Paths, workshop: Workshop
) -> None:
    box = target(host, workshop.shell(more="def bad(self, context):\n    raise ValueError('no')"))
    with pytest.raises(DriverError):
        await host.execute(box, "bad")
    (execution,) = host.executions()
    found = [line for line in of_execution(paths, execution.id)[1] if line.level == "ERROR"]
    assert found[0].text == "shelldock: bad raised"
    assert found[-1].text == "ValueError: no"


@pytest.mark.parametrize(
    ("how", "last"),
    [
        ("stopped", ["stopping: enough", "stopped"]),
        ("terminated", ["too slow: killed by SIGKILL"]),
        ("lost", ["lost: killed by SIGKILL"]),
        ("left", ["lost: exit status 3"]),
        ("shut down", ["stopping: the host shuts down", "stopped"]),
        ("idle", ["stopping: idle for 0.5 s", "stopped"]),
    ],
)
async def test_the_log_says_why_an_instance_ended_r4(
    paths: Paths, workshop: Workshop, how: str, last: list[str]
) -> None:
    more = "def leave(self, context):\n    os._exit(3)"
    limit = "0.5" if how == "idle" else "600"
    settings = load(None, {"SHELLDOCK_PLUGINS__IDLE__LIMIT": limit})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell(more=more))
        await host.execute(box, "work")
        log = await log_of(host)
        (instance,) = await host.instances(memory=False)
        if how == "stopped":
            await host.stop(instance.key, "enough")
        elif how == "terminated":
            await host.terminate(instance.key, "too slow")
        elif how == "lost":
            os.kill(instance.pid, signal.SIGKILL)
        elif how == "left":
            with pytest.raises(InstanceLost):
                await host.execute(box, "leave")
        if how != "shut down":
            assert await until(lambda: notes(lines(log))[2:] == last)
    assert notes(lines(log))[2:] == last


async def test_an_updated_shell_is_why_its_instance_stops_r4(
    host: AsyncHost, workshop: Workshop
) -> None:
    await host.execute(target(host, workshop.shell()), "work")
    log = await log_of(host)
    await host.execute(target(host, workshop.shell(more="x = 1")), "work")
    assert notes(lines(log))[2:] == ["stopping: updated", "stopped"]


async def test_what_ends_an_instance_is_told_to_the_execution_that_ran_r4(
    host: AsyncHost, paths: Paths, workshop: Workshop
) -> None:
    more = "def crash(self, context):\n    os.write(2, b'last\\n')\n    os.kill(os.getpid(), 11)"
    with pytest.raises(InstanceLost):
        await host.execute(target(host, workshop.shell(more=more)), "crash")
    (execution,) = host.executions()
    found = of_execution(paths, execution.id)[1]
    assert ("raw", "last") in [(line.source, line.text) for line in found]
    assert any("Segmentation fault" in line.text for line in found)
    assert notes(found) == ["initialized", "lost: killed by SIGSEGV"]


async def test_a_log_is_continued_in_new_files_as_the_settings_say_l1(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_LOGS__MAX_BYTES": "2000", "SHELLDOCK_LOGS__KEEP": "2"})
    more = "def count(self, context):\n    for number in range(200):\n        print(number)"
    async with AsyncHost(settings, paths=paths) as host:
        await host.execute(target(host, workshop.shell(more=more)), "count")
        log = await log_of(host)
        names = sorted(path.name for path in log.parent.iterdir())
        assert names == [log.name, f"{log.name}.1", f"{log.name}.2"]
        assert lines(log)[-1].text == "199"


LOGGING = """\
import logging
from cloudshell.logging.qs_logger import get_qs_logger

class Driver:
    def initialize(self, context): ...
    def cleanup(self): ...
    def log(self, context, level="INFO", text=""):
        logger = get_qs_logger(log_group="s1", log_category="vendor", log_file_prefix="box 1")
        logger.log(getattr(logging, level), text)
    def log_again(self, context, level="INFO", text=""):
        name = "cloudshell.logging.qs_logger"
        import sys
        for logger in sys.modules[name]._LOGGER_CONTAINER.values():
            logger.log(getattr(logging, level), text)
    def aside(self, context):
        import threading
        from cloudshell.logging import context_filters
        log = lambda: logging.getLogger("vendor.part").warning("from a thread")
        thread = threading.Thread(target=log)
        thread.start()
        thread.join()
"""


@pytest.mark.parametrize("release", ["2.1.0", "1.1.0"])
async def test_what_cloudshell_logging_writes_is_in_the_instances_log_l1(
    host: AsyncHost, paths: Paths, workshop: Workshop, release: str
) -> None:
    shell = workshop.shell(source=LOGGING, requirements=f"cloudshell-logging=={release}\n")
    box = target(host, shell)
    said = await host.execute(box, "log", {"text": "one\ntwo"})
    hidden = await host.execute(box, "log", {"level": "DEBUG", "text": "not this"})
    log = await log_of(host)

    def written(execution: str) -> list[tuple[str, str]]:
        found = of_execution(paths, execution)[1]
        told = [line for line in found if not line.text.startswith("shelldock: ")]
        return [(line.level, line.text) for line in told]

    assert await until(lambda: len(written(said.id)) == 2)  # 1.x writes from a thread of its own
    assert [level for level, _ in written(said.id)] == ["INFO", "INFO"]
    assert [text.rpartition(" ")[2] for _, text in written(said.id)] == ["one", "two"]
    assert all("[INFO]: " in text for _, text in written(said.id))
    assert written(hidden.id) == []

    (instance,) = await host.instances(memory=False)
    await host.set_log_level(instance.key, "debug")
    for command in ("log_again", "log"):
        shown = await host.execute(box, command, {"level": "DEBUG", "text": "this"})
        levels = partial(lambda one: [level for level, _ in written(one)] == ["DEBUG"], shown.id)
        assert await until(levels)
    assert notes(lines(log))[2:] == ["log level DEBUG"]
    beside = [path for path in log.with_suffix("").rglob("*") if path.is_file()]
    assert [path for path in beside if path.stat().st_size] == []


async def test_records_of_a_drivers_own_threads_are_not_lost_with_cloudshell_logging_l1(
    host: AsyncHost, paths: Paths, workshop: Workshop
) -> None:
    shell = workshop.shell(source=LOGGING, requirements="cloudshell-logging==2.1.0\n")
    box = target(host, shell)
    await host.execute(box, "log", {"text": "first"})
    aside = await host.execute(box, "aside")
    found = of_execution(paths, aside.id)[1]
    assert [line.level for line in found] == ["WARNING"]
    assert found[0].text.endswith("from a thread")


async def test_what_cloudshell_logging_keeps_back_comes_with_the_error_in_its_place_l1(
    host: AsyncHost, paths: Paths, workshop: Workshop
) -> None:
    shell = workshop.shell(source=LOGGING, requirements="cloudshell-logging==2.1.0\n")
    box = target(host, shell)
    await host.execute(box, "log", {"level": "DEBUG", "text": "before"})
    await asyncio.sleep(0.01)  # times have milliseconds, and a command takes less
    await host.execute(box, "log", {"level": "ERROR", "text": "wrong"})
    found = [line for line in lines(await log_of(host)) if "vendor" not in line.level]
    told = [line for line in found if line.level in ("DEBUG", "ERROR")]
    assert [line.text.rpartition(" ")[2] for line in told] == ["before", "wrong"]


async def test_a_level_or_an_instance_that_there_is_not_is_refused_l1(
    host: AsyncHost, workshop: Workshop
) -> None:
    await host.execute(target(host, workshop.shell()), "work")
    (instance,) = await host.instances(memory=False)
    with pytest.raises(InputError, match="no log level 'loud'; known: DEBUG"):
        await host.set_log_level(instance.key, "loud")
    with pytest.raises(NotFoundError, match="no instance 'nobody'"):
        await host.set_log_level("nobody", "DEBUG")


async def test_old_logs_are_removed_by_the_host_itself_l1(paths: Paths, workshop: Workshop) -> None:
    old = paths.logs / "sw1" / "20200101-000000-abcdef01.log"
    old.parent.mkdir()
    old.write_text("hello\n")
    os.utime(old, (1e9, 1e9))
    async with AsyncHost(load(None, {}), paths=paths) as host:
        await host.execute(target(host, workshop.shell()), "work")
        assert await until(lambda: not old.exists())
        assert (await log_of(host)).exists()
