"""Where Shelldock keeps what it has."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from shelldock.errors import StoreError
from shelldock.paths import Paths, private


def test_one_variable_puts_everything_below_one_folder(tmp_path: Path) -> None:
    home = tmp_path / "home"
    paths = Paths.default({"SHELLDOCK_HOME": str(home)})
    places = (
        paths.settings,
        paths.shells,
        paths.environments,
        paths.resolutions,
        paths.instances,
        paths.logs,
        paths.store,
        paths.key,
        paths.runtime,
    )
    assert len(set(places)) == len(places)
    assert all(place.is_relative_to(home) for place in places)


def test_without_it_the_platform_decides_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name))
    paths = Paths.default({"XDG_RUNTIME_DIR": str(tmp_path / "run")})
    assert paths == Paths(
        config=tmp_path / "CONFIG/shelldock",
        data=tmp_path / "DATA/shelldock",
        cache=tmp_path / "CACHE/shelldock",
        state=tmp_path / "STATE/shelldock",
        runtime=tmp_path / "run/shelldock",
    )
    assert list(tmp_path.iterdir()) == []


def test_the_runtime_folder_is_never_one_that_others_could_have_made() -> None:
    paths = Paths.default({})
    assert paths.runtime.is_relative_to(paths.state)


def test_a_relative_home_does_not_follow_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    paths = Paths.default({"SHELLDOCK_HOME": "here"})
    monkeypatch.chdir("/")
    assert paths.logs.is_relative_to(tmp_path / "here")


def test_folders_are_made_when_asked_for_and_for_their_user_only(tmp_path: Path) -> None:
    paths = Paths.below(tmp_path / "home")
    assert not (tmp_path / "home").exists()
    before = os.umask(0o000)
    try:
        folders = [
            paths.shells,
            paths.environments,
            paths.resolutions,
            paths.instances,
            paths.logs,
            paths.store.parent,
        ]
    finally:
        os.umask(before)
    for folder in [*folders, tmp_path / "home", tmp_path / "home" / "state"]:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        private(tmp_path / "file" / "logs")
    message = str(caught.value)
    assert "\n" not in message
    assert f"{tmp_path}/file/logs" in message
    assert "not a directory" in message
    assert "SHELLDOCK_HOME" in message


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir(mode=0o755)
    before = (tmp_path / "logs").stat().st_mode
    assert private(tmp_path / "logs").stat().st_mode == before
