"""The simulated switch of the networking example, as tests start it."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

EXAMPLE = Path(__file__).parents[1] / "docs/examples/networking-switch"
SECRETS = {
    "Password": "admin-secret",
    "Enable Password": "enable-secret",
    "SNMP Read Community": "readonly",
    "Backup Password": "backup-secret",
}
ATTRIBUTES = SECRETS | {
    "User": "admin",
    "CLI TCP Port": "2222",
    "Backup Location": "ftp://127.0.0.1/backups",
    "Backup User": "backup",
}
"""What a resource of the example's shell has, to reach the simulated switch."""


@dataclass(frozen=True)
class Switch:
    """A simulated switch, and the folder of the file server that it copies to."""

    address: str
    files: Path
    log: Path
    """What it hears."""

    def until_heard(self, text: str) -> None:
        """Wait until somebody says this to it."""
        deadline = time.monotonic() + 60
        while text not in self.log.read_text():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def saved(self, name: str) -> str:
        """A configuration that it saved."""
        return (self.files / "backups" / name).read_text()


@contextmanager
def simulated(folder: Path) -> Iterator[Switch]:
    """The simulator of the example, on an address that only this test uses: SNMP's port is fixed in the library."""
    address = f"127.{random.randrange(16, 255)}.{random.randrange(256)}.10"
    if reason := cannot_open(address, 161):
        pytest.skip(f"no SNMP agent can be simulated here: UDP port 161 cannot be opened: {reason}")
    script = EXAMPLE / "simulator/simulate.py"
    command = [find_uv_bin(), "run", "--quiet", "--python", sys.executable, "--script", str(script)]
    log = folder / "simulator.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            [*command, "--address", address, "--files", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={key: value for key, value in os.environ.items() if key != "VIRTUAL_ENV"},
            start_new_session=True,
        ) as simulator,
    ):
        try:
            until_ready(simulator, log)
            yield Switch(address, folder, log)
        finally:
            os.killpg(simulator.pid, signal.SIGTERM)


def cannot_open(address: str, port: int) -> str:
    """Why a UDP port cannot be opened; empty if it can."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trial:
        try:
            trial.bind((address, port))
        except OSError as error:
            return str(error)
    return ""


def until_ready(simulator: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the simulator says that it answers."""
    deadline = time.monotonic() + 120  # its packages may have to be downloaded
    while " ready: " not in log.read_text():
        assert simulator.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.05)
