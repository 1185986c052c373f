"""Hooks whose answers reach far: a format of shells, another fabric, the news of executions."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.workshop import Workshop, target

from shelldock import AsyncHost, hookimpl
from shelldock.errors import SettingsError
from shelldock.fabric import Claim, Fabric, Local
from shelldock.model import Execution, Shell
from shelldock.paths import Paths
from shelldock.settings import load


class Formats:
    """Reads files that hold the path of a shell's folder."""

    def __init__(self, host: list[AsyncHost]) -> None:
        self._host = host

    @hookimpl
    def shelldock_read_shell(self, path: Path) -> Shell | None:
        if path.suffix != ".pointer":
            return None
        return self._host[0].catalog.open(path.read_text())


async def test_a_format_of_a_plugin_is_a_shell_like_any_other(
    paths: Paths, workshop: Workshop
) -> None:
    pointer = workshop.folder / "box.pointer"
    pointer.write_text(str(workshop.shell()))
    hosts: list[AsyncHost] = []
    async with AsyncHost(load(None, {}), paths=paths, plugins=[Formats(hosts)]) as host:
        hosts.append(host)
        ended = await host.execute(host.target(pointer, "box"), "work", {"label": "read"})
        assert ended.result == "read"


class Told:
    """Remembers how each execution went on."""

    def __init__(self) -> None:
        self.states: list[tuple[str, str]] = []

    @hookimpl
    def shelldock_execution_changed(self, execution: Execution) -> None:
        self.states.append((execution.command, execution.state))
        raise RuntimeError("a listener that fails costs nobody anything")


async def test_every_step_of_an_execution_is_told_and_a_failing_listener_costs_nothing(
    paths: Paths, workshop: Workshop
) -> None:
    told = Told()
    async with AsyncHost(load(None, {}), paths=paths, plugins=[told]) as host:
        await host.execute(target(host, workshop.shell()), "pid")
    assert told.states == [("pid", "accepted"), ("pid", "running"), ("pid", "completed")]


class Counted(Local):
    """The local fabric, with a count of what it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.claims: list[str] = []

    async def claim(self, key: str, node: str) -> Claim:
        self.claims.append(key)
        return await super().claim(key, node)


class Fabrics:
    """Offers it."""

    def __init__(self) -> None:
        self.counted = Counted()

    @hookimpl
    def shelldock_fabrics(self) -> dict[str, Fabric]:
        return {"counted": self.counted}


async def test_the_setting_chooses_the_fabric_of_a_plugin(paths: Paths, workshop: Workshop) -> None:
    plugin = Fabrics()
    settings = load(None, {"SHELLDOCK_FABRIC": "counted"})
    async with AsyncHost(settings, paths=paths, plugins=[plugin]) as host:
        for _ in range(2):
            await host.execute(target(host, workshop.shell()), "pid")
    assert plugin.counted.claims == ["resource/box"]
    with pytest.raises(SettingsError, match="there is no fabric 'counted'; known: local"):
        AsyncHost(settings, paths=paths)
