"""Once the plugin is installed, what happens is written down, and nothing stops where it cannot be."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shelldock import Host
from shelldock.model import Environment
from shelldock.paths import Paths
from shelldock.plugins import Plugins
from shelldock.settings import Settings, load

DRIVER = "class BoxDriver:\n    def whisper(self, context, word):\n        return 'told ' + word\n"


def writing_to(path: Path) -> Settings:
    """Settings with the journal at this path."""
    return load(None, {"SHELLDOCK_PLUGINS__EVENT_JOURNAL__PATH": str(path)})


def whisper(folder: Path, journal: Path) -> str | None:
    """The result of one command."""
    (folder / "box").mkdir()
    (folder / "box/driver.py").write_text(DRIVER)
    with Host(settings=writing_to(journal), paths=Paths.below(folder / "home")) as host:
        return host.execute(host.target(folder / "box"), "whisper", {"word": "swordfish"}).result


def states(events: list[dict[str, Any]], what: str) -> list[str]:
    """The states that an instance, an execution or an environment went through."""
    return [event[what]["state"] for event in events if what in event]


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """While it is entered, no file grows beyond so many bytes, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_every_change_is_a_line(tmp_path: Path) -> None:
    whisper(tmp_path, tmp_path / "journal")
    lines = (tmp_path / "journal").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert states(events, "execution") == ["accepted", "running", "completed"]
    assert states(events, "environment")[-1] == "ready"
    lived = ["starting", "initializing", "ready", "busy", "ready", "stopping", "gone"]
    assert states(events, "instance") == lived
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)


def test_inputs_and_results_are_not_written_down(tmp_path: Path) -> None:
    whisper(tmp_path, tmp_path / "journal")
    assert "swordfish" not in (tmp_path / "journal").read_text()


@pytest.mark.parametrize("journal", ["/dev/full", "/no/such/folder/journal"])
def test_commands_run_on_where_nothing_can_be_written(
    tmp_path: Path, journal: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert whisper(tmp_path, Path(journal)) == "told swordfish"
    assert f"lost an event, as {journal} cannot be written" in caplog.text


def test_an_event_that_finds_no_room_leaves_no_half_of_a_line(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    asked = Plugins(writing_to(journal))
    long = Environment(name="long" * 100, path=tmp_path, python=tmp_path)
    short = Environment(name="short", path=tmp_path, python=tmp_path)
    with room_for(100):
        asked.environment_changed(long)
    asked.environment_changed(short)
    (line,) = journal.read_text().splitlines()
    assert json.loads(line)["environment"]["name"] == "short"
