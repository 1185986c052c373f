"""A real server for tests, a shell for it, and whoever types commands for it."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.workshop import clean_environ

from shelldock.paths import Paths
from shelldock.remote import ServerLogin, hosts

COMMANDS = (
    '<Command Name="work" EnableCancellation="true"/><Command Name="pid" Visibility="AdminOnly"/>'
    '<Command Name="linger" EnableCancellation="true"/>'
)
MORE = """
    def linger(self, context, cancellation_context, text="lingering"):
        import urllib.request
        door = context.connectivity
        url = "http://%s:%s/ResourceManagerApiService/WriteMessageToReservationOutput"
        urllib.request.urlopen(
            urllib.request.Request(
                url % (door.server_address, door.cloudshell_api_port),
                b"<W><reservationId>r</reservationId><message>%s</message></W>" % text.encode(),
                {"Authorization": "Bearer " + door.admin_auth_token},
            )
        ).close()
        while not cancellation_context.is_cancelled:
            time.sleep(0.02)
        return "gave up"
"""


class Server:
    """A server in a process of its own.

    :param below: a program that becomes the server, and its arguments.
    """

    def __init__(
        self, home: Path, *options: str, below: Sequence[str] = (), **variables: str
    ) -> None:
        self.home = home
        self.log = home / f"server-{time.monotonic_ns()}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*below, sys.executable, "-m", "shelldock", "serve", "--port", "0", *options],
                env=clean_environ(home) | variables,
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

    def token(self) -> str:
        """An admin's, for as long as it lives, as it gives it to whoever may enter its home."""
        (host,) = hosts(Paths.below(self.home))
        return host.ask(ServerLogin, "server_login").token

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
        return self.bearer(str(answer.json()["token"]))

    def bearer(self, token: str) -> httpx.Client:
        """A client that shows a token."""
        shown = {"Authorization": f"Bearer {token}"}
        return httpx.Client(base_url=f"{self.url}/api/", headers=shown, timeout=120)


class Machine:
    """Where somebody types ``shelldock``: a home, and perhaps variables."""

    def __init__(self, home: Path, **variables: str) -> None:
        home.mkdir(exist_ok=True)
        self.home = home
        self.environ = clean_environ(home) | variables

    @contextmanager
    def start(self, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
        with subprocess.Popen(
            [sys.executable, "-m", "shelldock", *map(str, arguments)],
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def run(self, *arguments: str | Path, stdin: str = "") -> tuple[int, str, str]:
        with self.start(*arguments) as process:
            out, err = process.communicate(stdin, timeout=120)
        return process.returncode, out, err

    def __call__(self, *arguments: str | Path, stdin: str = "") -> str:
        code, out, err = self.run(*arguments, stdin=stdin)
        assert code == 0, err
        return out

    def json(self, *arguments: str | Path) -> Any:
        return json.loads(self(*arguments, "--json"))
