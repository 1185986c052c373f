"""Once the plugin is installed, an instance stays for as long as it talks to its device."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shelldock import Host, Target
from shelldock.paths import Paths
from shelldock.settings import load

DRIVER = """\
import socket

class BoxDriver:
    def connect(self, context, port):
        self.session = socket.create_connection(("127.0.0.1", int(port)))

    def hang_up(self, context):
        self.session.close()

    def nothing(self, context):
        pass
"""


@pytest.fixture
def device() -> Iterator[str]:
    """The port of something that takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


@pytest.fixture
def host(tmp_path: Path, device: str) -> Iterator[Host]:
    """A host that stops idle instances at once, but for the plugin."""
    variables = {
        "SHELLDOCK_PLUGINS__IDLE__LIMIT": "0",
        "SHELLDOCK_PLUGINS__STAY_CONNECTED__PORTS": device,
        "SHELLDOCK_PLUGINS__STAY_CONNECTED__LIMIT": "3600",
    }
    with Host(settings=load(None, variables), paths=Paths.below(tmp_path / "home")) as host:
        yield host


@pytest.fixture
def box(tmp_path: Path, host: Host) -> Target:
    """What the driver drives."""
    (tmp_path / "box").mkdir()
    (tmp_path / "box/driver.py").write_text(DRIVER)
    return host.target(tmp_path / "box")


def until(happened: Callable[[], bool]) -> None:
    """Wait for something that will happen."""
    end = time.monotonic() + 30
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def limits(host: Host) -> list[float]:
    """How long the instances may stay without work."""
    return [one.idle_limit for one in host.instances(memory=False)]


def test_an_instance_with_a_session_stays(host: Host, box: Target, device: str) -> None:
    host.execute(box, "connect", {"port": device})
    until(lambda: limits(host) == [3600])


def test_an_instance_whose_session_ended_goes(host: Host, box: Target, device: str) -> None:
    host.execute(box, "connect", {"port": device})
    host.execute(box, "hang_up")
    until(lambda: not limits(host))


def test_an_instance_without_a_session_goes(host: Host, box: Target) -> None:
    host.execute(box, "nothing")
    until(lambda: not limits(host))
