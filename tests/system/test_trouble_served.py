"""The same troubles as a server's clients see them: a clear refusal, a server that stays up, and nothing lost."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.databases import PostgreSQL
from tests.serving import Server

from shelldock import AsyncHost
from shelldock.paths import Paths
from shelldock.settings import load

ON_A_DISK = 'mount -t tmpfs -o size=64m tmpfs "$0" && cp -a "$1/." "$0" && shift && exec "$@"'
"""Mount a disk on a folder, copy what is in another one to it, and become a program."""

SHIFTED = """\
import time
from pathlib import Path

real, shift = time.time, Path(__file__).with_name("shift")
time.time = lambda: real() + float(shift.read_text())
"""
"""A clock that is set by writing to a file, for every program with this folder in PYTHONPATH."""


@contextmanager
def served(*arguments: Any, **options: Any) -> Iterator[tuple[Server, httpx.Client]]:
    server = Server(*arguments, **options)
    try:
        with server.client() as admin:
            yield server, admin
    finally:
        server.kill()


def work(admin: httpx.Client, label: str) -> httpx.Response:
    """Have a command run, and wait for its end."""
    body = {"target": "sw1", "command": "work", "inputs": {"label": label, "seconds": "0"}}
    return admin.post("executions", json=body | {"wait": 60})


def completed(answer: httpx.Response) -> str:
    """The id of an execution that came to its end."""
    assert answer.status_code == 201, answer.text
    assert answer.json()["state"] == "completed"
    return str(answer.json()["id"])


def refused(answer: httpx.Response, why: str) -> None:
    """Assert that the store is told to be in the way, in a line."""
    assert answer.status_code == 503, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json()
    assert told["code"] == "store"
    assert why in told["detail"]
    assert "\n" not in told["detail"]


def fill(file: Path) -> None:
    """Take all the room that there is on its disk."""
    with file.open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(b"x" * 4096)


def healthy(server: Server) -> None:
    assert httpx.get(f"{server.url}/api/health").status_code == 200


def known(admin: httpx.Client) -> list[str]:
    """Every execution, newest first."""
    return [one["id"] for one in admin.get("executions", params={"limit": 1000}).json()["items"]]


def test_a_full_disk_is_a_503_and_nothing_that_was_accepted_is_lost(
    workshop_home: Path, tmp_path: Path
) -> None:
    unshare = shutil.which("unshare") or "unshare"
    alone = [unshare, "--user", "--map-root-user", "--mount", "sh", "-c"]
    trial = 'mount -t tmpfs tmpfs "$0"'
    if subprocess.run([*alone, trial, tmp_path], capture_output=True, check=False).returncode:
        pytest.skip("only who may mount a disk can fill one")
    content = workshop_home.rename(tmp_path / "content")
    workshop_home.mkdir()
    below = [*alone, ON_A_DISK, str(workshop_home), str(content)]
    with served(workshop_home, below=below) as (server, admin):
        accepted = [completed(work(admin, "before"))]
        disk = Path(f"/proc/{server.process.pid}/root{workshop_home}")
        ballast = disk / "ballast"
        fill(ballast)
        while (answer := work(admin, "x" * 20_000)).status_code == 201:
            accepted.append(completed(answer))
        refused(answer, "disk is full; make room and try again")
        healthy(server)
        assert known(admin)[-len(accepted) :] == accepted[::-1]
        ballast.unlink()
        accepted.append(completed(work(admin, "after")))
        assert set(accepted) <= set(known(admin))


def test_a_locked_database_is_a_503_until_it_is_let_go(workshop_home: Path) -> None:
    with served(workshop_home) as (server, admin):
        before = completed(work(admin, "before"))
        other = sqlite3.connect(Paths.below(workshop_home).store, isolation_level=None)
        other.execute("begin immediate")
        refused(work(admin, "meanwhile"), "database is locked")
        healthy(server)
        assert known(admin) == [before]
        other.execute("rollback")
        other.close()
        after = completed(work(admin, "after"))
        assert known(admin) == [after, before]


def test_a_database_server_that_is_away_is_a_503_until_it_is_back(
    workshop_home: Path, postgres: PostgreSQL
) -> None:
    url = postgres.database()
    host = AsyncHost(load(None, {"SHELLDOCK_STORE__URL": url}), paths=Paths.below(workshop_home))
    host.inventory.create("sw1", host.catalog.get("box"))
    host.store.close()
    with served(workshop_home, SHELLDOCK_STORE__URL=url) as (server, admin):
        before = completed(work(admin, "before"))
        postgres.stop("immediate")
        try:
            answer = work(admin, "meanwhile")
            refused(answer, "cannot use the store")
            assert "not-shown" not in answer.text
            refused(admin.get("executions"), "cannot use the store")
            healthy(server)
        finally:
            postgres.start()
        after = completed(work(admin, "after"))
        assert known(admin) == [after, before]


def test_a_clock_that_is_set_back_loses_nothing_and_keeps_the_order(
    workshop_home: Path, tmp_path: Path
) -> None:
    clock = tmp_path / "clock"
    clock.mkdir()
    (clock / "sitecustomize.py").write_text(SHIFTED)
    shift = clock / "shift"
    shift.write_text("0")
    with served(workshop_home, PYTHONPATH=str(clock)) as (server, admin):
        lab = {"blueprint": {"name": "lab", "resources": [{"name": "sw2"}]}, "duration": 3600}
        assert admin.post("sandboxes", json=lab).status_code == 201
        done = [completed(work(admin, "a"))]
        shift.write_text("-86400")
        done.append(completed(work(admin, "b")))
        shift.write_text("-172800")
        done.append(completed(work(admin, "c")))
        assert known(admin) == done[::-1]
        healthy(server)
        token = admin.headers["Authorization"].partition(" ")[2]
    again = Server(workshop_home, PYTHONPATH=str(clock))
    with again.bearer(token) as admin:
        assert known(admin) == done[::-1]
        assert [one["name"] for one in admin.get("sandboxes").json()["items"]] == ["lab"]
        done.append(completed(work(admin, "d")))
        assert known(admin) == done[::-1]
    again.kill()
