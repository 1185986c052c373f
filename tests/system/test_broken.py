"""A driver that fails to start again and again is tried less and less, and then not at all until somebody says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from tests.workshop import Workshop, target

from shelldock import AsyncHost, Target
from shelldock.errors import BrokenError, DriverError
from shelldock.paths import Paths
from shelldock.settings import Settings, load


def quick(attempts: int = 2, rest: str = "never", pause: str = "0") -> Settings:
    """Settings with which it does not take long."""
    return load(
        None,
        {
            "SHELLDOCK_INSTANCES__START_ATTEMPTS": str(attempts),
            "SHELLDOCK_LIMITS__BROKEN": rest,
            "SHELLDOCK_LIMITS__BACKOFF": pause,
        },
    )


def failing(workshop: Workshop, flag: Path) -> Path:
    """A shell whose driver initializes only where the file ``flag`` is."""
    return workshop.shell(
        more=f"""
        def initialize(self, context):
            note("initialize")
            if not os.path.exists({str(flag)!r}):
                raise OSError("no licence")
        """
    )


async def fail(host: AsyncHost, box: Target, times: int) -> None:
    """Let the driver fail to start so many times."""
    for _ in range(times):
        with pytest.raises(DriverError, match="no licence"):
            await host.execute(box, "pid")


def starts(workshop: Workshop) -> int:
    """How often the driver was initialized."""
    return workshop.journal.events().count("initialize")


async def test_after_so_many_failed_starts_it_is_broken_and_refuses_with_the_way_out_i4(
    paths: Paths, workshop: Workshop
) -> None:
    flag = workshop.folder / "licence"
    async with AsyncHost(quick(), paths=paths) as host:
        box = target(host, failing(workshop, flag))
        await fail(host, box, 2)
        with pytest.raises(BrokenError) as refused:
            await host.execute(box, "pid")
        said = str(refused.value)
        assert "'box' failed to start 2 times in a row" in said
        assert "OSError: no licence" in said
        assert "shelldock instance retry resource/box" in said
        assert starts(workshop) == 2
        (shown,) = await host.instances()
        assert (shown.state, shown.key, shown.target, shown.pid) == (
            "broken",
            "resource/box",
            "box",
            0,
        )
        assert "no licence" in shown.reason

        flag.touch()
        await host.retry("resource/box")
        assert (await host.execute(box, "pid")).state == "completed"
        assert [one.state for one in await host.instances()] == ["ready"]


async def test_one_that_started_begins_anew_to_count_i4(paths: Paths, workshop: Workshop) -> None:
    flag = workshop.folder / "licence"
    async with AsyncHost(quick(), paths=paths) as host:
        box = target(host, failing(workshop, flag))
        for _ in range(3):
            await fail(host, box, 1)
            flag.touch()
            await host.execute(box, "pid")
            await host.stop("resource/box")
            flag.unlink()


async def test_a_broken_one_is_tried_again_when_what_it_starts_with_has_changed_i4_i15(
    paths: Paths, workshop: Workshop
) -> None:
    more = """
    def initialize(self, context):
        note("initialize")
        if context.resource.address != "10.0.0.2":
            raise OSError("nobody at " + context.resource.address)
    """
    async with AsyncHost(quick(), paths=paths) as host:
        host.inventory.create("box", host.catalog.add(workshop.shell(more=more)), "10.0.0.1")
        for _ in range(2):
            with pytest.raises(DriverError, match="nobody at 10"):
                await host.execute("box", "pid")
        with pytest.raises(BrokenError):
            await host.execute("box", "pid")
        host.inventory.set_address("box", "10.0.0.2")
        assert (await host.execute("box", "pid")).state == "completed"


async def test_a_broken_one_is_tried_once_after_its_rest_i4(
    paths: Paths, workshop: Workshop
) -> None:
    async with AsyncHost(quick(rest="1"), paths=paths) as host:
        box = target(host, failing(workshop, workshop.folder / "licence"))
        await fail(host, box, 2)
        with pytest.raises(BrokenError):
            await host.execute(box, "pid")
        await asyncio.sleep(1.1)
        await fail(host, box, 1)
        with pytest.raises(BrokenError, match="3 times"):
            await host.execute(box, "pid")
        assert starts(workshop) == 3


async def test_what_waits_for_a_pause_says_so_and_can_be_cancelled_and_retried_i4_q3_q6(
    paths: Paths, workshop: Workshop
) -> None:
    flag = workshop.folder / "licence"
    async with AsyncHost(quick(attempts=10, pause="600"), paths=paths) as host:
        box = target(host, failing(workshop, flag))
        await fail(host, box, 3)
        waiting = [await host.submit(box, "pid") for _ in range(2)]
        await asyncio.sleep(0)
        assert starts(workshop) == 3
        first, _ = await host.queue()
        assert "failed to start 3 times in a row and is tried again in" in first.reason
        assert await host.cancel(waiting[0].id)
        assert (await host.wait(waiting[0].id)).state == "cancelled"
        flag.touch()
        await host.retry("resource/box")
        async with asyncio.timeout(20):
            assert (await host.wait(waiting[1].id)).state == "completed"
        assert starts(workshop) == 4


async def test_a_host_ends_while_something_waits_for_a_pause(
    paths: Paths, workshop: Workshop
) -> None:
    async with asyncio.timeout(30):
        async with AsyncHost(quick(attempts=10, pause="600"), paths=paths) as host:
            box = target(host, failing(workshop, workshop.folder / "licence"))
            await fail(host, box, 3)
            waiting = await host.submit(box, "pid")
            await asyncio.sleep(0)
        assert (await host.wait(waiting.id)).state == "cancelled"


async def test_an_environment_that_cannot_be_made_breaks_nothing_v6(
    paths: Paths, workshop: Workshop
) -> None:
    async with AsyncHost(quick(attempts=1), paths=paths) as host:
        box = target(host, workshop.shell(requirements="--no-index\nnowhere-to-be-found\n"))
        for _ in range(2):
            ended = await host.wait((await host.submit(box, "pid")).id)
            assert ended.failure is not None
            assert ended.failure.code == "environment"
