"""Sandboxes from blueprints: what they hold is theirs until they end, also when the host is another one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from tests.workshop import Workshop, alive

from shelldock import AsyncHost, blueprints
from shelldock.errors import ConflictError, InputError, NotFoundError, ReservedError
from shelldock.hookspecs import hookimpl
from shelldock.model import Execution, Sandbox
from shelldock.paths import Paths
from shelldock.settings import load

LAB = """\
name: lab
resources:
  - {name: sw1, shared: true}
apps:
  - {name: web, shell: box, address: 10.0.0.1}
"""


class Heard:
    """The states of sandboxes as plugins hear them."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.ended = asyncio.Event()
        self.running = asyncio.Event()

    @hookimpl
    def shelldock_sandbox_changed(self, sandbox: Sandbox) -> None:
        self.states.append(sandbox.state)
        if sandbox.state == "ended":
            self.ended.set()

    @hookimpl
    def shelldock_execution_changed(self, execution: Execution) -> None:
        if execution.state == "running":
            self.running.set()


def opened(paths: Paths, *plugins: object, durable: bool = True) -> AsyncHost:
    return AsyncHost(load(None, {}), paths=paths, plugins=plugins, durable=durable)


@pytest.fixture
async def host(workshop: Workshop, paths: Paths) -> AsyncIterator[AsyncHost]:
    """A durable host with a shell and a resource."""
    async with opened(paths) as host:
        shell = host.catalog.add(workshop.shell("box"))
        host.inventory.create("sw1", shell)
        yield host


async def pid(host: AsyncHost, name: str, sandbox: str) -> str:
    execution = await host.execute(host.locate(name, sandbox), "pid")
    assert execution.result is not None
    return execution.result


async def test_sandboxes_of_one_blueprint_have_apps_of_their_own_and_share_a_resource_i9(
    host: AsyncHost,
) -> None:
    lab = blueprints.read(LAB)
    first, second = [(await host.start_blueprint(lab)).sandbox.id for _ in range(2)]
    apps = {await pid(host, "web", first), await pid(host, "web", second)}
    shared = {await pid(host, "sw1", first), await pid(host, "sw1", second)}
    assert (len(apps), len(shared)) == (2, 1)
    ended = await host.end_sandbox(first, "enough")
    assert (ended.state, ended.reason) == ("ended", "enough")
    assert len(await host.instances()) == 2
    await host.end_sandbox(second)
    assert [one.target for one in await host.instances()] == ["sw1"]
    assert not alive(int(one) for one in apps)


async def test_a_resource_is_held_by_one_sandbox_unless_all_share_it_d6(host: AsyncHost) -> None:
    shared = blueprints.read(LAB)
    alone = blueprints.read("{name: alone, resources: [{name: sw1}]}")
    first = await host.start_blueprint(alone, owner="eve")
    for another in (shared, alone):
        with pytest.raises(ReservedError, match="'sw1' is held by sandbox 'alone' of 'eve'"):
            await host.start_blueprint(another)
    with pytest.raises(ReservedError):
        host.refuse_held("sw1/port 1")
    await host.end_sandbox(first.sandbox.id)
    await host.start_blueprint(shared)
    host.refuse_held("sw1")
    with pytest.raises(ReservedError):
        await host.start_blueprint(alone)
    assert len(await host.list_sandboxes()) == 1, "what was refused left nothing behind"


async def test_nothing_of_a_blueprint_is_there_where_a_part_of_it_cannot_be(
    host: AsyncHost,
) -> None:
    for wrong, error in (
        ("{name: x, resources: [{name: sw9}]}", NotFoundError),
        ("{name: x, resources: [{name: sw1}], apps: [{name: a, shell: bax}]}", NotFoundError),
        ("{name: x, apps: [{name: a, shell: box, attributes: {Colour: red}}]}", InputError),
        ("{name: x, apps: [{name: 'a/b', shell: box}]}", InputError),
        ("{name: x, services: [{name: a, shell: /etc}]}", NotFoundError),
    ):
        with pytest.raises(error):
            await host.start_blueprint(blueprints.read(wrong))
    assert await host.list_sandboxes(ended=True) == []


async def test_what_is_not_in_a_sandbox_is_not_found_there(host: AsyncHost) -> None:
    lab = (await host.start_blueprint(blueprints.read(LAB))).sandbox.id
    with pytest.raises(NotFoundError, match=r"did you mean 'web'.*it has 'sw1', 'web'"):
        host.locate("wep", lab)
    with pytest.raises(NotFoundError, match="sandbox"):
        host.locate("web", "elsewhere")
    assert host.locate("sw1").sandbox is None


async def test_a_target_that_was_looked_up_undoes_nothing_that_was_set_since(
    host: AsyncHost,
) -> None:
    lab = (await host.start_blueprint(blueprints.read(LAB))).sandbox.id
    before = host.locate("web", lab)
    asked = await host.execute(before, "pid")
    host.callbacks.set_status("web", "Online", "fine", subject=asked.id)
    await host.execute(before, "pid")
    assert host.locate("web", lab).resource.status == "Online"


async def test_to_end_is_idempotent_and_final(host: AsyncHost) -> None:
    lab = (await host.start_blueprint(blueprints.read(LAB))).sandbox.id
    web = host.locate("web", lab)
    running = await host.submit(web, "work", {"label": "a", "seconds": "60"})
    every = await asyncio.gather(*(host.end_sandbox(lab, f"{n}") for n in range(5)))
    assert len({one.ended for one in every}) == 1
    assert await host.end_sandbox(lab) == every[0]
    assert (await host.wait(running.id)).state == "cancelled"
    with pytest.raises(ConflictError, match="has ended"):
        await host.execute(web, "pid")
    with pytest.raises(ConflictError, match="has ended"):
        await host.extend_sandbox(lab, time.time() + 60)
    assert (await host.sandbox(lab)).sandbox.state == "ended"
    with pytest.raises(NotFoundError):
        await host.end_sandbox("never was")


async def test_what_is_being_recorded_when_its_sandbox_ends_does_not_go_on(host: AsyncHost) -> None:
    lab = (await host.start_blueprint(blueprints.read(LAB))).sandbox.id
    sw1 = host.locate("sw1", lab)
    await host.execute(host.locate("sw1"), "pid")  # the instance is not the sandbox's, and free
    ending = asyncio.create_task(host.end_sandbox(lab))
    asked = asyncio.create_task(host.submit(sw1, "work", {"label": "a", "seconds": "60"}))
    await ending
    with suppress(ConflictError):  # refused, where the end was quicker
        ended = await host.wait((await asked).id)
        assert ended.state in ("cancelled", "failed")
    assert (await host.instances())[0].running == 0


async def test_a_sandbox_ends_when_its_time_is_over_and_not_before_it_was_extended_to(
    workshop: Workshop, paths: Paths
) -> None:
    heard = Heard()
    async with opened(paths, heard, durable=False) as host:
        host.inventory.create("sw1", host.catalog.add(workshop.shell("box")))
        lab = blueprints.read(LAB)
        short = (await host.start_blueprint(lab, duration=0.2)).sandbox
        longer = (await host.start_blueprint(lab, duration=0.2)).sandbox
        await host.extend_sandbox(longer.id, None)
        async with asyncio.timeout(60):
            await heard.ended.wait()
        assert (await host.sandbox(short.id)).sandbox.reason == "its time was over"
        assert (await host.sandbox(longer.id)).sandbox.state == "active"
        with pytest.raises(InputError, match="still to come"):
            await host.extend_sandbox(longer.id, time.time() - 1)
    assert heard.states == ["active", "active", "active", "ending", "ended"]


async def test_sandboxes_survive_their_host_with_all_that_is_in_them(
    workshop: Workshop, paths: Paths
) -> None:
    async with opened(paths) as host:
        shell = host.catalog.add(workshop.shell("box"))
        host.inventory.create("sw1", shell)
        kept = (await host.start_blueprint(blueprints.read(LAB), owner="eve")).sandbox
        gone = (await host.start_blueprint(blueprints.read(LAB))).sandbox
        asked = await host.execute(host.locate("web", kept.id), "pid")
        host.callbacks.set_status("web", "Online", "fine", subject=asked.id)
        web = host.locate("web", kept.id)
        await host.end_sandbox(gone.id, "enough")
    async with opened(paths) as host:
        details = await host.sandbox(kept.id)
        assert details.sandbox == kept
        assert {one.name: one.resource.address for one in details.targets} == {
            "web": "10.0.0.1",
            "sw1": "",
        }
        assert [one.text for one in await host.sandbox_output(kept.id)], "its output is there"
        assert host.locate("web", kept.id).resource == web.resource
        assert web.resource.status == "Online"
        assert (await pid(host, "web", kept.id)).isdecimal()
        assert [one.id for one in await host.list_sandboxes()] == [kept.id]
        assert [one.id for one in await host.list_sandboxes(owner="admin", ended=True)] == [gone.id]
        with pytest.raises(ReservedError):
            await host.start_blueprint(blueprints.read("{name: x, resources: [{name: sw1}]}"))
        assert (await host.end_sandbox(gone.id)).reason == "enough"
        await host.end_sandbox(kept.id)
        assert len(await host.sandbox_output(kept.id)) == 2


async def test_what_waits_is_cancelled_and_what_runs_may_end_when_the_host_drains(
    workshop: Workshop, paths: Paths
) -> None:
    heard = Heard()
    async with opened(paths, heard) as host:
        web = host.target(workshop.shell("box"))
        runs = await host.submit(web, "work", {"label": "a", "seconds": "0.5"})
        waits = await host.submit(web, "work", {"label": "b", "seconds": "0.5"})
        await heard.running.wait()
        await host.drain(60)
        assert (await host.execution(runs.id)).state == "completed"
        assert (await host.execution(waits.id)).state == "cancelled"
        with pytest.raises(ConflictError, match="takes nothing new"):
            await host.submit(web, "pid")
