"""What tests of single modules share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.databases import PostgreSQL

from shelldock.store import Store


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty store, of each kind in turn."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'shelldock.db'}"
    else:
        server: PostgreSQL = request.getfixturevalue("postgres")
        url = server.database()
    made = Store(url)
    yield made
    made.close()
