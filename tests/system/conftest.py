"""What tests with real processes share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
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
