"""Salt: a proxy minion for each instance, below a master of this machine alone."""

from __future__ import annotations

import getpass
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import salt.client
import salt.config
from salt.exceptions import SaltClientError

from benchmarks.peers.shape import free_port

PROXY = """
import sys

__proxyenabled__ = ["benchmark"]

def init(opts):
    sys.path.insert(0, opts["proxy"]["source"])
    from driver import BenchmarkDriver
    global driver
    driver = BenchmarkDriver()
    driver.initialize(None)

def initialized():
    return "driver" in globals()

def ping():
    return True

def shutdown(opts):
    pass

def echo(text):
    return driver.echo(None, text)
"""
MODULE = """
__proxyenabled__ = ["benchmark"]

def echo(text):
    return __proxy__["benchmark.echo"](text)
"""


LOOK = 0.02
"""Seconds between two looks for what is not up yet."""


class Peer:
    """Proxy minions as Salt starts them; commands through its local client."""

    def __init__(self, shell: Path, room: Path, option: str) -> None:
        self._room = room
        self._source = str(shell / "src")
        self._processes: list[subprocess.Popen[bytes]] = []

    async def __aenter__(self) -> Self:
        """Start the master."""
        shutil.rmtree(self._room, ignore_errors=True)
        for name, text in (("proxy", PROXY), ("modules", MODULE)):
            folder = self._room / name
            folder.mkdir(parents=True)
            (folder / "benchmark.py").write_text(text)
        self._publish, self._answers = free_port(), free_port()
        configuration = self._write("master", self._master())
        self._begin("salt-master")
        options = salt.config.master_config(configuration)
        key = self._room / "var/cache/salt/master/.root_key"  # what the client shows
        _until(key.exists)
        self._client: Any = salt.client.LocalClient(mopts=options)
        _until(self._is_up)
        return self

    async def __aexit__(self, *_: object) -> None:
        """End the proxy minions, then the master."""
        for process in reversed(self._processes):
            process.terminate()
            process.wait()

    async def start(self, number: int) -> None:
        """A proxy minion more, once it has found the master."""
        self._write("proxy", self._proxy())
        self._begin("salt-proxy", f"--proxyid=device{number}")
        _until(lambda: bool(self._ask([number], "there?")))

    async def call(self, number: int, text: str) -> str:
        """A job for one minion."""
        return self._ask([number], text)[number]

    async def call_all(self, text: str) -> list[str]:
        """A job for all minions."""
        numbers = range(len(self._processes) - 1)
        answers = self._ask(list(numbers), text)
        return [answers[number] for number in numbers]

    def _is_up(self) -> bool:
        try:
            self._client.cmd(["nobody"], "test.ping", timeout=1, tgt_type="list")
        except SaltClientError:
            return False
        return True

    def _ask(self, numbers: list[int], text: str) -> dict[int, str]:
        names = [f"device{number}" for number in numbers]
        found = self._client.cmd(names, "benchmark.echo", [text], timeout=20, tgt_type="list")
        pairs = zip(numbers, names, strict=True)
        return {number: text for number, name in pairs if found.get(name) == text}

    def _master(self) -> dict[str, object]:
        return {
            "interface": "127.0.0.1",
            "publish_port": self._publish,
            "ret_port": self._answers,
            "root_dir": str(self._room),
            "sock_dir": str(self._room / "m"),
            "auto_accept": True,
            "user": getpass.getuser(),
            "ping_on_rotate": False,
        }

    def _proxy(self) -> dict[str, object]:
        return {
            "master": "127.0.0.1",
            "master_port": self._answers,
            "publish_port": self._publish,
            "root_dir": str(self._room),
            "sock_dir": str(self._room / "s"),
            "proxy_dirs": [str(self._room / "proxy")],
            "module_dirs": [str(self._room / "modules")],
            "file_client": "local",  # what it has is in the folders above
            "use_master_when_local": True,
            "proxy": {"proxytype": "benchmark", "source": self._source},
            "user": getpass.getuser(),
        }

    def _write(self, name: str, settings: dict[str, object]) -> str:
        folder = self._room / "etc"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(settings))  # JSON is YAML
        return str(folder / name)

    def _begin(self, program: str, *options: str) -> None:
        command = [
            str(Path(sys.executable).with_name(program)),
            f"--config-dir={self._room / 'etc'}",
            *options,
        ]
        quiet = subprocess.DEVNULL
        self._processes.append(subprocess.Popen(command, stdout=quiet, stderr=quiet))


def _until(condition: Callable[[], bool]) -> None:
    while not condition():
        time.sleep(LOOK)
