"""Once the plugin is installed, what lies in a folder is a shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from shelldock import Host
from shelldock.paths import Paths
from shelldock.settings import load

DRIVER = "class {name}Driver:\n    def hello(self, context):\n        return 'hello from {name}'\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two shells, something hidden, and something that is no shell."""
    folder = tmp_path / "shells"
    for name in ("Ann", "Bob", ".Hidden"):
        (folder / name).mkdir(parents=True)
        (folder / name / "driver.py").write_text(DRIVER.format(name=name.strip(".")))
    (folder / "notes.txt").write_text("not a shell")
    return folder


def host(home: Path, *folders: Path) -> Host:
    """A host with these folders in its settings."""
    told = {"SHELLDOCK_PLUGINS__SHELL_FOLDER__FOLDERS": " ".join(map(str, folders))}
    return Host(settings=load(None, told), paths=Paths.below(home))


def test_the_shells_of_the_folder_are_there(tmp_path: Path, folder: Path) -> None:
    with host(tmp_path / "home", folder) as opened:
        assert [one.name for one in opened.inner.catalog.shells()] == ["AnnDriver", "BobDriver"]
        assert opened.execute(opened.target("BobDriver"), "hello").result == "hello from Bob"


def test_what_is_no_shell_is_listed_as_broken(tmp_path: Path, folder: Path) -> None:
    with host(tmp_path / "home", folder) as opened:
        (broken,) = opened.inner.catalog.broken()
    assert broken.name == "notes"
    assert "no plugin knows this format" in broken.reason


def test_a_folder_that_is_not_there_does_not_hide_the_others(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with host(tmp_path / "home", tmp_path / "away", folder) as opened:
        assert len(opened.inner.catalog.shells()) == 2
    assert f"no shells from {tmp_path / 'away'}: No such file or directory" in caplog.messages
