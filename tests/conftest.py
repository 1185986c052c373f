"""What all tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests.databases import PostgreSQL, postgresql

settings.register_profile("thorough", max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--long``: take minutes where it is seconds otherwise."""
    parser.addoption("--long", action="store_true", help="take minutes where it is seconds")


@pytest.fixture
def long(request: pytest.FixtureRequest) -> bool:
    """Whether there is time."""
    return bool(request.config.getoption("--long"))


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgreSQL]:
    """A database server that the tests of a session share."""
    with postgresql() as server:
        yield server
