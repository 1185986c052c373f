"""Databases for tests: a real PostgreSQL server, from Debian's package, for as long as they run."""

from __future__ import annotations

import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

_numbers = itertools.count(1)


def programs() -> Path | None:
    """The folder of the newest PostgreSQL that is installed."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin"), key=lambda one: float(one.parent.name)
    )
    return found[-1] if found else None


class PostgreSQL:
    """A server of our own, on a socket in a folder of its own. It runs as somebody who is not root, as it must."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.folder = folder
        self._programs = programs
        self._user = "nobody" if os.geteuid() == 0 else None
        if self._user:
            shutil.chown(folder, self._user)
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "lab", "-E", "UTF8")

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-k {self.folder} -c listen_addresses= -c fsync=off -c max_connections=50"
        log = str(self.folder / "log")
        self._run("pg_ctl", "start", "--wait", "--silent", "--log", log, "--options", options)

    def stop(self, mode: str = "fast") -> None:
        """Stop it; its sessions end."""
        self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", mode)

    def database(self) -> str:
        """The URL of a new database."""
        name = f"lab{next(_numbers)}"
        with psycopg.connect(self._url("postgres"), autocommit=True) as session:
            session.execute(f"create database {name}".encode())
        return self._url(name)

    def _url(self, name: str) -> str:
        return f"postgresql://lab:not-shown@/{name}?host={self.folder}"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._programs / program, "-D", str(self.folder / "data"), *arguments],
            user=self._user,
            group=pwd.getpwnam(self._user).pw_gid if self._user else None,
            extra_groups=[] if self._user else None,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # its child keeps it open
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{program} failed"


@contextmanager
def postgresql() -> Iterator[PostgreSQL]:
    """A server that runs; skips the test where none is installed, but not where the project is checked."""
    installed = programs()
    if installed is None:
        assert "CI" not in os.environ, "PostgreSQL is not installed"
        pytest.skip("PostgreSQL is not installed")
    # not pytest's folder, whose path is too long for a socket and into which nobody else may look
    with tempfile.TemporaryDirectory(prefix="shelldock-pg-", dir="/tmp") as folder:
        server = PostgreSQL(installed, Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop("immediate")
