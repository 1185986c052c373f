"""A real server for tests, and a shell for it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
from tests.workshop import clean_environ

COMMANDS = (
    '<Command Name="work" EnableCancellation="true"/><Command Name="pid" Visibility="AdminOnly"/>'
    '<Command Name="linger" EnableCancellation="true"/>'
)
MORE = """
    def linger(self, context, cancellation_context):
        import urllib.request
        door = context.connectivity
        url = "http://%s:%s/ResourceManagerApiService/WriteMessageToReservationOutput"
        urllib.request.urlopen(
            urllib.request.Request(
                url % (door.server_address, door.cloudshell_api_port),
                b"<W><reservationId>r</reservationId><message>lingering</message></W>",
                {"Authorization": "Bearer " + door.admin_auth_token},
            )
        ).close()
        while not cancellation_context.is_cancelled:
            time.sleep(0.02)
        return "gave up"
"""


class Server:
    """A server in a process of its own."""

    def __init__(self, home: Path, *options: str, **variables: str) -> None:
        self.home = home
        self.log = home / f"server-{time.monotonic_ns()}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "shelldock", "serve", "--port", "0", *options],
                env=clean_environ(home) | {"SHELLDOCK_PLUGINS__API__PORT": "0"} | variables,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.url = self.said(r"serving on (\S+)")

    def said(self, pattern: str) -> str:
        """Wait until it says this, for what the pattern's group holds then."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = re.findall(pattern, self.log.read_text())
            if found:
                return str(found[-1])
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise AssertionError(self.log.read_text())

    @property
    def password(self) -> str:
        return self.said(r"with the password\n +(\S+)")

    def end(self) -> int:
        """Ask it to end; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def client(self, user: str = "admin", password: str = "") -> httpx.Client:
        """A client that is logged in."""
        answer = httpx.post(
            f"{self.url}/api/login", json={"user": user, "password": password or self.password}
        )
        assert answer.status_code == 201, answer.text
        token = answer.json()["token"]
        return httpx.Client(
            base_url=f"{self.url}/api/", headers={"Authorization": f"Bearer {token}"}, timeout=90
        )
