"""Once the plugin is installed, resources that are not well are in the log."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import QueueHandler
from pathlib import Path

import pytest

from shelldock import Host
from shelldock.paths import Paths
from shelldock.settings import load

DRIVERS = {
    "Broken": "def health_check(self, context): raise OSError('no route to host')",
    "Failing": "def health_check(self, context): return 'Health check on resource x failed.'",
    "Mute": "def hello(self, context): return 'hello'",
    "Slow": "def health_check(self, context): import time; time.sleep(600)",
    "Well": "def health_check(self, context): return 'Health check on resource x passed.'",
}


@pytest.fixture
def said() -> Iterator[queue.Queue[logging.LogRecord]]:
    """What the plugin logs."""
    records: queue.Queue[logging.LogRecord] = queue.Queue()
    handler = QueueHandler(records)
    log = logging.getLogger("health_rounds")
    log.addHandler(handler)
    yield records
    log.removeHandler(handler)


@contextmanager
def opened(folder: Path) -> Iterator[Host]:
    """A host whose rounds come quickly, with a resource of each kind."""
    told = {
        "SHELLDOCK_PLUGINS__HEALTH_ROUNDS__EVERY": "0.1",
        "SHELLDOCK_PLUGINS__HEALTH_ROUNDS__LIMIT": "2",
        "SHELLDOCK_LIMITS__CANCEL_GRACE": "0.1",
    }
    with Host(settings=load(None, told), paths=Paths.below(folder / "home")) as host:
        for name, method in DRIVERS.items():
            (folder / name).mkdir()
            (folder / name / "driver.py").write_text(f"class {name}Driver:\n    {method}\n")
            shell = host.inner.catalog.add(folder / name)
            host.inner.inventory.create(name, shell)
        yield host


def warned(said: queue.Queue[logging.LogRecord], *names: str) -> dict[str, str]:
    """The warnings by resource, from now until all of these have been warned about."""
    found: dict[str, str] = {}
    while not found.keys() >= set(names):
        message = said.get(timeout=60).getMessage()
        found[message.partition(" ")[0]] = message
    return found


def test_each_round_says_who_is_not_well(
    tmp_path: Path, said: queue.Queue[logging.LogRecord]
) -> None:
    sick = {
        "Broken": "no route to host",
        "Failing": "Health check on resource x failed.",
        "Slow": "2 s",
    }
    with opened(tmp_path):
        for _ in range(2):
            found = warned(said, *sick)
            assert found.keys() == sick.keys()
            for name, why in sick.items():
                assert found[name].startswith(f"{name} is not well: ")
                assert why in found[name]


def test_the_rounds_end_with_the_host_and_blame_nobody(
    tmp_path: Path, said: queue.Queue[logging.LogRecord]
) -> None:
    with opened(tmp_path):
        warned(said, "Slow")
    rest = [said.get().getMessage() for _ in range(said.qsize())]
    assert not [one for one in rest if "shuts down" in one or "not open" in one]
