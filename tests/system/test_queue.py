"""The queue before an instance: seen with its reasons, bounded in length and time, emptied and reset on request."""

from __future__ import annotations

import asyncio

import pytest
from tests.workshop import Journal, Workshop, alive, target

from shelldock import AsyncHost
from shelldock.errors import CancelledError, ConflictError, InstanceLost, PendingTooLong, QueueFull
from shelldock.model import Call, Execution, Limit
from shelldock.paths import Paths
from shelldock.settings import load

WAITS = """
def wait(self, context, cancellation_context):
    note("waiting")
    while not cancellation_context.is_cancelled:
        time.sleep(0.02)
    note("gave up")
    return "gave up"
"""


async def noted(journal: Journal, event: str, seconds: float = 20.0) -> None:
    """Wait until the driver has noted ``event``."""
    async with asyncio.timeout(seconds):
        while event not in journal.events():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)


async def failure(host: AsyncHost, execution: Execution) -> str:
    """Why an execution ended as it did."""
    ended = await host.wait(execution.id)
    assert ended.failure is not None
    return ended.failure.message


async def test_what_waits_is_seen_in_order_with_the_products_words_and_ours_q3(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell(more=WAITS), sandbox="s1")
    running = await host.submit(box, "wait")
    await noted(workshop.journal, "waiting")
    waiting = [await host.submit(box, "work", {"label": str(n)}, pending=60) for n in range(2)]
    await asyncio.sleep(0)  # they are on their way
    seen = await host.queue()
    assert [one.execution for one in seen] == [one.id for one in waiting]
    assert [one.position for one in seen] == [1, 2]
    for one in seen:
        assert one.state == "Pending, Concurrent commands not enabled"
        assert one.reason.startswith("'wait' has been running for ")
        assert (one.target, one.command, one.sandbox) == ("box", "work", "s1")
        assert (one.key, one.node) == ("resource/box", (await host.instances())[0].node)
        assert one.limit == Limit(seconds=60, source="call")
        assert one.since >= running.accepted
    await host.cancel(running.id)
    assert [(await host.wait(one.id)).state for one in waiting] == ["completed"] * 2
    assert await host.queue() == []


async def test_what_waits_for_a_start_says_so_q3(host: AsyncHost, workshop: Workshop) -> None:
    slow = "def initialize(self, context):\n    note('begin initialize'); time.sleep(1)"
    box = target(host, workshop.shell(more=slow, concurrent=True))
    first = await host.submit(box, "pid")
    (new,) = await host.queue()
    assert new.state == "New, Waiting to be processed"
    await noted(workshop.journal, "begin initialize")
    (seen,) = await host.queue()
    assert (seen.state, seen.reason) == (
        "Pending, Waiting to be processed",
        "the driver is being started",
    )
    assert (await host.wait(first.id)).state == "completed"


async def test_a_command_whose_turn_does_not_come_in_time_is_cancelled_and_says_why_q4(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_LIMITS__PENDING": "0.3"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell(more=WAITS))
        running = await host.submit(box, "wait")
        await noted(workshop.journal, "waiting")
        late = await host.submit(box, "work", {"label": "late"})
        patient = await host.submit(box, "work", {"label": "patient"}, pending=60)
        async with asyncio.timeout(20):
            ended = await host.wait(late.id)
        assert ended.state == "cancelled"
        assert ended.failure is not None
        assert isinstance(ended.failure.error(), PendingTooLong)
        assert ended.failure.facts["seconds"] == 0.3
        said = ended.failure.message
        assert "limit 'pending' of 0.3 s (set by: SHELLDOCK_LIMITS__PENDING)" in said
        assert "'wait' has been running for" in said
        assert (await host.queue())[0].execution == patient.id
        await host.cancel(running.id)
        assert (await host.wait(patient.id)).state == "completed"
    assert "begin late" not in workshop.journal.events()


async def test_the_time_that_a_start_takes_does_not_count_for_the_command_it_is_made_for_q4(
    host: AsyncHost, workshop: Workshop
) -> None:
    slow = "def initialize(self, context):\n    time.sleep(1.5)"
    box = target(host, workshop.shell(more=slow))
    assert (await host.execute(box, "work", {"label": "first"}, pending=0.3)).result == "first"


async def test_a_full_queue_refuses_clearly_and_serves_what_it_has(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_INSTANCES__QUEUE": "3"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell(more=WAITS))
        running = await host.submit(box, "wait")
        await noted(workshop.journal, "waiting")
        waiting = [await host.submit(box, "work", {"label": str(n)}) for n in range(3)]
        with pytest.raises(QueueFull, match=r"3 commands wait for 'box'.*INSTANCES__QUEUE"):
            await host.execute(box, "work", {"label": "too much"})
        await host.cancel(running.id)
        assert [(await host.wait(one.id)).result for one in waiting] == ["0", "1", "2"]
        assert (await host.execute(box, "work", {"label": "on"})).result == "on"


async def test_only_what_says_that_it_can_be_cancelled_is_while_it_runs_q5(
    host: AsyncHost, workshop: Workshop
) -> None:
    declared = '<Command Name="wait" EnableCancellation="true"/><Command Name="stubborn" EnableCancellation="false"/>'
    stubborn = WAITS.replace("def wait", "def stubborn")
    box = target(host, workshop.shell(more=WAITS + stubborn, commands=declared))
    allowed = await host.submit(box, "wait")
    await noted(workshop.journal, "waiting")
    assert await host.cancel(allowed.id)
    assert (await host.wait(allowed.id)).state == "cancelled"
    workshop.journal.path.unlink()
    refused = await host.submit(box, "stubborn")
    await noted(workshop.journal, "waiting")
    with pytest.raises(ConflictError, match="'stubborn' of 'box' cannot be cancelled"):
        await host.cancel(refused.id)
    assert await host.cancel(refused.id, force=True)
    ended = await host.wait(refused.id)
    assert (ended.state, ended.result) == ("cancelled", "gave up")


async def test_all_commands_can_be_cancelled_and_the_instance_stays_q8(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell(more=WAITS))
    before = (await host.execute(box, "pid")).result
    running = await host.submit(box, "wait")
    await noted(workshop.journal, "waiting")
    waiting = [await host.submit(box, "pid") for _ in range(2)]
    await asyncio.sleep(0)
    assert await host.cancel_all("resource/box") == 3
    assert {(await host.wait(one.id)).state for one in (running, *waiting)} == {"cancelled"}
    assert (await host.execute(box, "pid")).result == before
    assert "cleanup" not in workshop.journal.events()


async def test_whom_the_end_of_an_instance_hits_is_known_before_it_ends_l4(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = workshop.shell()
    ann = target(host, shell, sandbox="of ann")
    bob = target(host, shell, sandbox="of bob")
    running = await host.submit(ann, "work", {"label": "long", "seconds": "600"})
    await noted(workshop.journal, "begin long")
    waiting = await host.submit(bob, "work", {"label": "next"})
    hit = host.affected("resource/box")
    assert [(one.id, one.sandbox, one.state) for one in hit] == [
        (running.id, "of ann", "running"),
        (waiting.id, "of bob", "accepted"),
    ]
    await host.terminate("resource/box")
    assert isinstance((await host.wait(running.id)).failure.error(), InstanceLost)  # type: ignore[union-attr]
    assert (await host.wait(waiting.id)).state == "completed"
    assert host.affected("resource/box") == []


async def test_a_reset_empties_the_queue_cancels_what_runs_and_begins_anew_i11(
    host: AsyncHost, workshop: Workshop
) -> None:
    box = target(host, workshop.shell(more=WAITS))
    before = (await host.execute(box, "pid")).result
    running = await host.submit(box, "wait")
    await noted(workshop.journal, "waiting")
    waiting = await host.submit(box, "work", {"label": "dropped"})
    resetting = asyncio.create_task(host.reset("resource/box"))
    await noted(workshop.journal, "gave up")
    after = await host.submit(box, "pid")  # comes while the old instance is on its way out
    await resetting
    assert (await host.wait(running.id)).state == "cancelled"
    assert "before it started: reset" in await failure(host, waiting)
    assert (await host.wait(after.id)).result not in (None, before)
    events = workshop.journal.events()
    assert events.count("cleanup") == 1
    assert events.index("gave up") < events.index("cleanup") < len(events) - 1
    assert "begin dropped" not in events


async def test_a_reset_ends_what_does_not_notice_that_it_is_cancelled_i11(
    paths: Paths, workshop: Workshop
) -> None:
    settings = load(None, {"SHELLDOCK_LIMITS__CANCEL_GRACE": "0.3"})
    async with AsyncHost(settings, paths=paths) as host:
        box = target(host, workshop.shell())
        running = await host.submit(box, "work", {"label": "deaf", "seconds": "600"})
        await noted(workshop.journal, "begin deaf")
        async with asyncio.timeout(20):
            await host.reset("resource/box", "an admin said so")
        assert "an admin said so" in await failure(host, running)
        assert (await host.execute(box, "work", {"label": "on"})).result == "on"


async def test_a_removed_resource_lets_its_command_end_refuses_what_waits_and_stops_i10(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = host.catalog.add(workshop.shell(more=WAITS))
    host.inventory.create("box", shell)
    running = await host.submit("box", "wait")
    await noted(workshop.journal, "waiting")
    waiting = await host.submit("box", "work", {"label": "never"})
    removing = asyncio.create_task(host.remove("box"))
    assert "the resource 'box' was removed" in await failure(host, waiting)
    assert (await host.instances())[0].state == "busy"
    await host.cancel(running.id)
    await removing
    assert (await host.wait(running.id)).result == "gave up"
    assert workshop.journal.events()[-1] == "cleanup"
    assert not alive(workshop.journal.pids())


async def test_a_resource_that_vanished_meanwhile_fails_what_waits_for_it_i10(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = host.catalog.add(workshop.shell(more=WAITS))
    host.inventory.create("box", shell)
    running = await host.submit("box", "wait")
    await noted(workshop.journal, "waiting")
    waiting = await host.submit("box", "work", {"label": "never"})
    await asyncio.sleep(0)
    host.inventory.remove("box")  # as another process would
    await host.cancel(running.id)
    assert "no resource 'box'" in await failure(host, waiting)
    assert "begin never" not in workshop.journal.events()


async def test_an_attribute_set_while_a_command_waits_is_what_it_sees_i15(
    host: AsyncHost, workshop: Workshop
) -> None:
    tell = WAITS + "\ndef where(self, context):\n    return context.resource.address\n"
    shell = host.catalog.add(workshop.shell(more=tell))
    host.inventory.create("box", shell, "10.0.0.1")
    running = await host.submit("box", "wait")
    await noted(workshop.journal, "waiting")
    waiting = await host.submit("box", "where")
    host.inventory.set_address("box", "10.0.0.2")
    await host.cancel(running.id)
    assert (await host.wait(waiting.id)).result == "10.0.0.2"
    assert workshop.journal.events().count("construct") == 1


async def test_limits_of_a_resource_come_before_those_of_its_shell_and_those_before_all_q4_q9(
    paths: Paths, workshop: Workshop
) -> None:
    paths.config.mkdir(parents=True)
    paths.settings.write_text(
        "[limits]\npending = 1\n"
        "[shells.Box.limits]\npending = 2\ncommand = 22\n"
        "[resources.my-box.limits]\npending = 3\n"
    )
    settings = load(paths.settings, {})
    async with AsyncHost(settings, paths=paths) as host:
        shell = workshop.shell(more=WAITS)
        boxes = [target(host, shell, name) for name in ("my-box", "other")]
        for box in boxes:
            await host.submit(box, "wait")
            await host.submit(box, "pid")
        await asyncio.sleep(0)
        limits = {one.target: one.limit for one in await host.queue()}
        source = str(paths.settings)
        assert limits == {
            "my-box": Limit(seconds=3, source=source),
            "other": Limit(seconds=2, source=source),
        }
        assert settings.limit("command", "Box", "my-box").seconds == 22
        assert settings.limit("pending", "Another").seconds == 1
        for instance in await host.instances():
            await host.cancel_all(instance.key)


async def test_the_end_of_a_sandbox_cancels_its_commands_and_stops_its_apps_and_services_i9(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = workshop.shell(more=WAITS)
    service = target(host, shell, "tg", kind="service", sandbox="s1")
    switch = target(host, shell, "sw1", sandbox="s1")
    other = target(host, shell, "tg", kind="service", sandbox="s2")
    for one in (service, switch, other):
        await host.execute(one, "pid")
    running = await host.submit(service, "wait")
    await noted(workshop.journal, "waiting")
    async with asyncio.timeout(30):
        await host.end_sandbox("s1")
    ended = await host.wait(running.id)
    assert (ended.state, ended.result) == ("cancelled", "gave up")
    assert workshop.journal.events()[-2:] == ["gave up", "cleanup"]
    left = {one.key for one in await host.instances()}
    assert left == {"resource/sw1", "sandbox/s2/service/tg"}


async def test_a_command_of_a_host_that_ends_is_refused_for_that_reason(
    paths: Paths, workshop: Workshop
) -> None:
    async with AsyncHost(load(None, {}), paths=paths) as host:
        box = target(host, workshop.shell(more=WAITS))
        running = await host.submit(box, "wait")
        await noted(workshop.journal, "waiting")
        waiting = await host.submit(box, "pid")
    with pytest.raises(CancelledError, match="the host shuts down"):
        raise (await host.wait(waiting.id)).failure.error()  # type: ignore[union-attr]
    assert (await host.wait(running.id)).state == "cancelled"


async def test_a_call_that_is_given_up_as_soon_as_it_waits_holds_nobody_up(
    host: AsyncHost, workshop: Workshop
) -> None:
    project = workshop.shell(more=WAITS)
    box, shell = target(host, project, sandbox="s1"), host.open_shell(project)
    running = await host.submit(box, "wait")
    await noted(workshop.journal, "waiting")
    call = Call(execution="given up", target=box, command="work")
    given_up = asyncio.create_task(host._node.execute("resource/box", shell, call))
    asyncio.get_running_loop().call_soon(given_up.cancel)  # before its queue has been looked at
    with pytest.raises(asyncio.CancelledError):
        await given_up
    await host.cancel(running.id)
    assert (await host.execute(box, "work", {"label": "after"})).result == "after"
    assert "begin given up" not in workshop.journal.events()
