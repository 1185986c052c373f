"""Who shares an instance, an environment and a build with whom."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from tests.workshop import Workshop, target

from shelldock import AsyncHost, Target, hookimpl
from shelldock.errors import ConflictError
from shelldock.model import Environment, Node
from shelldock.paths import Paths
from shelldock.settings import load


class Builds:
    """Counts the environments that were built."""

    def __init__(self) -> None:
        self.ready: list[str] = []

    @hookimpl
    def shelldock_environment_changed(self, environment: Environment) -> None:
        """Remember what was built."""
        if environment.state == "ready":
            self.ready.append(environment.name)


async def test_ten_resources_of_one_shell_are_ten_processes_in_one_environment_built_once_i1_v1_v2(
    paths: Paths, workshop: Workshop
) -> None:
    shell = workshop.shell()
    builds = Builds()
    async with AsyncHost(load(None, {}), paths=paths, plugins=[builds]) as host:
        ended = await asyncio.gather(
            *(host.execute(target(host, shell, f"box{n}"), "pid") for n in range(10))
        )
        instances = await host.instances()
    assert len({one.result for one in ended}) == 10
    assert len({one.pid for one in instances}) == 10
    assert len({one.environment for one in instances}) == 1
    assert len(builds.ready) == 1


async def test_twenty_sandboxes_with_the_same_app_are_twenty_processes_i1(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = workshop.shell()
    apps = [target(host, shell, "MySQL", kind="app", sandbox=f"sandbox {n}") for n in range(20)]
    ended = await asyncio.gather(*(host.execute(app, "pid") for app in apps))
    again = await asyncio.gather(*(host.execute(app, "pid") for app in apps))
    assert len({one.result for one in ended}) == 20
    assert [one.result for one in again] == [one.result for one in ended]


async def test_a_resource_used_in_two_sandboxes_is_one_process_i1(
    host: AsyncHost, workshop: Workshop
) -> None:
    shell = workshop.shell()
    first = await host.execute(target(host, shell, "switch", sandbox="one"), "pid")
    second = await host.execute(target(host, shell, "switch", sandbox="two"), "pid")
    assert first.result == second.result
    assert len(await host.instances()) == 1


async def test_a_setting_gives_each_instance_a_fresh_interpreter(
    paths: Paths, workshop: Workshop
) -> None:
    shell = workshop.shell()
    async with AsyncHost(load(None, {"SHELLDOCK_INSTANCES__FRESH": "true"}), paths=paths) as host:
        for name in ("one", "two"):
            await host.execute(target(host, shell, name), "pid")
        assert {one.way for one in await host.instances()} == {"fresh: it was asked for"}


async def test_an_instance_tells_what_is_to_know_of_it(host: AsyncHost, workshop: Workshop) -> None:
    ended = await host.execute(target(host, workshop.shell(), "switch"), "pid")
    (instance,) = await host.instances()
    assert str(instance.pid) == ended.result
    assert instance.key == "resource/switch"
    assert instance.state == "ready"
    assert instance.way == "forked"
    assert instance.idle_since is not None
    assert instance.idle_since >= instance.started
    assert instance.memory > 0
    assert instance.log is not None
    assert instance.log.exists()
    assert instance.id == ended.instance
    assert instance.environment == ended.environment


async def test_a_node_takes_as_many_instances_as_it_has_slots_e2(
    paths: Paths, workshop: Workshop
) -> None:
    shell = workshop.shell()
    async with AsyncHost(load(None, {"SHELLDOCK_NODE__SLOTS": "1"}), paths=paths) as host:
        await host.execute(target(host, shell, "box1"), "pid")
        await host.execute(target(host, shell, "box1"), "pid")
        with pytest.raises(ConflictError, match="no execution server has a free slot"):
            await host.execute(target(host, shell, "box2"), "pid")
        await host.stop("resource/box1")
        await host.execute(target(host, shell, "box2"), "pid")
        assert [one.target for one in await host.instances()] == ["box2"]


async def test_who_places_is_told_the_target_and_what_is_set_of_the_node(
    paths: Paths, workshop: Workshop
) -> None:
    asked: list[tuple[str, Node]] = []

    class Places:
        @hookimpl
        def shelldock_place(self, target: Target, nodes: Sequence[Node]) -> None:
            asked.extend((target.name, node) for node in nodes)

    settings = load(None, {"SHELLDOCK_NODE__NAME": "ann", "SHELLDOCK_NODE__LABELS__RACK": "7"})
    async with AsyncHost(settings, paths=paths, plugins=[Places()]) as host:
        await host.execute(target(host, workshop.shell(), "box"), "pid")
        (instance,) = await host.instances()
    assert asked == [("box", Node(name="ann", labels={"rack": "7"}))]
    assert instance.node == "ann"
