"""What tests with real processes share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.serving import COMMANDS, MORE, Server
from tests.workshop import Workshop

from shelldock import AsyncHost
from shelldock.paths import Paths
from shelldock.settings import load


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """Places of a host that nobody used before."""
    return Paths.below(tmp_path / "home")


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A place to write shells in."""
    return Workshop(tmp_path)


@pytest.fixture
async def host(paths: Paths) -> AsyncIterator[AsyncHost]:
    """A host with the default plugins and settings."""
    async with AsyncHost(load(None, {}), paths=paths) as host:
        yield host


@pytest.fixture
def workshop_home(workshop: Workshop, paths: Paths, tmp_path: Path) -> Path:
    """A home with a shell and two resources in it, whose environment is built."""
    home = tmp_path / "home"
    home.mkdir()
    host = AsyncHost(load(None, {}), paths=Paths.below(home))
    shell = host.catalog.add(workshop.shell("box", commands=COMMANDS, more=MORE))
    host.inventory.create("sw1", shell, "10.0.0.1")
    host.inventory.create("sw2", shell)
    host.store.close()
    return home


@pytest.fixture
def server(workshop_home: Path) -> Iterator[Server]:
    server = Server(workshop_home)
    yield server
    server.kill()
