"""A real MariaDB server, as tests start it: Debian's, in a folder of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PASSWORD = "admin-secret"
OWN = {"information_schema", "mysql", "performance_schema", "sys"}
"""The databases that a server has of itself."""


@dataclass(frozen=True)
class MariaDB:
    """A server, whose ``admin`` may do everything."""

    folder: Path
    port: int
    password: str = PASSWORD

    @property
    def socket(self) -> Path:
        """Where its administrator reaches it."""
        return self.folder / "socket"

    def ask(self, statement: str) -> list[str]:
        """What it answers to its administrator, a line for each row."""
        client = ["mariadb", "--no-defaults", f"--socket={self.socket}", "--user=admin"]
        answer = subprocess.run(
            [*client, f"--password={self.password}", "--skip-column-names", "--batch"],
            input=statement,
            check=True,
            capture_output=True,
            text=True,
        )
        return answer.stdout.splitlines()

    def databases(self) -> set[str]:
        """Those that somebody made."""
        return set(self.ask("SHOW DATABASES")) - OWN

    def users(self) -> set[str]:
        """Those that somebody made."""
        return set(self.ask("SELECT user FROM mysql.user WHERE user LIKE 'app%'"))

    def answers(self) -> bool:
        """Whether it has come up."""
        try:
            return self.ask("SELECT 1") == ["1"]
        except subprocess.CalledProcessError:
            return False


def program(name: str) -> str:
    """Where one of its programs is; skips the test where there is none, except where all have to be."""
    places = f"{os.environ.get('PATH', os.defpath)}{os.pathsep}/usr/sbin"
    found = shutil.which(name, path=places)
    if found is None:
        reason = f"there is no {name} on this machine: apt-get install mariadb-server"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@contextmanager
def running() -> Iterator[MariaDB]:
    """A server on a free port of this machine, which ends with all that it holds."""
    server, install = program("mariadbd"), program("mariadb-install-db")
    # root may be nobody to a server; Debian's package has a user for it
    user = "mysql" if os.geteuid() == 0 else getpass.getuser()
    with tempfile.TemporaryDirectory(prefix="mariadb-") as place, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        made = MariaDB(Path(place), free.getsockname()[1])
        free.close()
        if os.geteuid() == 0:
            shutil.chown(place, user)
        common = ["--no-defaults", f"--datadir={place}/data", f"--user={user}"]
        first = made.folder / "first.sql"
        first.write_text(
            f"CREATE USER admin@'%' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON *.* TO admin@'%' WITH GRANT OPTION;\n"
        )
        first.chmod(0o644)
        subprocess.run([install, *common, "--skip-test-db"], check=True, capture_output=True)
        with (
            (made.folder / "log").open("wb") as log,
            subprocess.Popen(
                [
                    *(server, *common, f"--init-file={first}", f"--socket={made.socket}"),
                    *(f"--port={made.port}", "--bind-address=127.0.0.1", "--skip-name-resolve"),
                    f"--pid-file={place}/pid",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            ) as process,
        ):
            try:
                until_up(made, process)
                yield made
            finally:
                process.terminate()


def until_up(server: MariaDB, process: subprocess.Popen[bytes]) -> None:
    """Wait until it answers."""
    deadline = time.monotonic() + 120
    while not server.answers():
        said = (server.folder / "log").read_text()
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)
