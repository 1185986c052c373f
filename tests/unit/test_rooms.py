"""A room goes with its host, however that dies, and never while somebody works in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from shelldock.rooms import Room, sweep

HOLDS = "import sys, time; print('here', flush=True); time.sleep(600)"


def test_a_room_is_removed_with_all_in_it_when_it_is_closed(tmp_path: Path) -> None:
    room = Room.open(tmp_path)
    (room.folder / "work").mkdir()
    room.close()
    assert not list(tmp_path.iterdir())


def test_nobody_sweeps_a_room_that_is_open(tmp_path: Path) -> None:
    room = Room.open(tmp_path)
    sweep(tmp_path)
    other = Room.open(tmp_path)
    assert room.folder.is_dir()
    assert other.folder != room.folder
    for one in (room, other):
        one.close()


def test_a_process_that_inherited_the_room_keeps_it_until_it_dies(tmp_path: Path) -> None:
    room = Room.open(tmp_path)
    worker = subprocess.Popen(
        [sys.executable, "-c", HOLDS], pass_fds=[room.fileno()], stdout=subprocess.PIPE, text=True
    )
    assert worker.stdout is not None
    assert worker.stdout.readline() == "here\n"
    room._lock.release()  # as the death of its host would
    sweep(tmp_path)
    assert room.folder.is_dir()
    worker.kill()
    worker.wait()
    worker.stdout.close()
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())
