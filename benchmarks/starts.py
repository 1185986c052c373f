"""Measures what somebody waits for before anything happens: help, the first command, a server.

``python -m benchmarks.starts`` prints one JSON object; times are in seconds, one for each sample.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from benchmarks.plan import SHELLS as FOLDER
from benchmarks.plan import timed
from shelldock import AsyncHost, Resource
from shelldock.paths import HOME, Paths
from shelldock.store import Store

SHELLS: Final = {
    "networking": FOLDER / "networking",
    "small": FOLDER / "small",
}
CALL: Final = ("echo", "text=ready")
"""What is called of these shells."""

COMMAND: Final = (sys.executable, "-m", "shelldock")
PATIENCE: Final = 60.0
"""Seconds that a server has to answer."""

IMPORT: Final = "import sys; sys.path.insert(0, sys.argv[1]); import driver"

Times = dict[str, list[float]]


def helps(rounds: int) -> Times:
    """``--help`` of the command line and of some commands, and an interpreter that does nothing."""
    lines = {
        "python": (sys.executable, "-c", "pass"),
        "shelldock --help": (*COMMAND, "--help"),
        "shelldock run --help": (*COMMAND, "run", "--help"),
        "shelldock sandbox --help": (*COMMAND, "sandbox", "--help"),
        "shelldock serve --help": (*COMMAND, "serve", "--help"),
    }
    return _in_turn(lines, rounds, os.environ)


async def first_command(shell: Path, rounds: int, room: Path) -> Times:
    """``shelldock run`` in an environment that is there, and what it cannot do without: the import of the driver.

    ``host``: the same inside a host that is open already, from the question to the answer.
    """
    home = room / "home"
    async with AsyncHost(paths=Paths.below(home)) as host:
        environment = await host.prepare(host.open_shell(shell))
    lines = {
        "import": (str(environment.python), "-c", IMPORT, str(shell / "src")),
        "run": (*COMMAND, "run", str(shell), *CALL),
    }
    times = _in_turn(lines, rounds, os.environ | {HOME: str(home)})
    times["host"] = []
    command, _, text = CALL[1].partition("=")
    for _ in range(rounds):
        async with AsyncHost(paths=Paths.below(home)) as host:
            target = host.target(str(shell))
            with timed(times["host"]):
                await host.execute(target, CALL[0], {command: text})
    return times


def server(resources: int, rounds: int, home: Path) -> Times:
    """From the start of ``shelldock serve`` to the first answer, and to its first page of resources."""
    fill(home, resources)
    times: Times = {"health": [], "end": []}
    for _ in range(rounds):
        health, end = _served(home)
        times["health"].append(health)
        times["end"].append(end)
    return times


def fill(home: Path, resources: int) -> None:
    """A store with so many resources, half of them parts of others."""
    store = Store(f"sqlite:///{Paths.below(home).store}")
    roots = [f"device {number}" for number in range(resources // 2)]
    names = [*roots, *(f"{one}/port 1" for one in roots)]
    with store.change() as change:
        change.put(
            *(
                Resource(
                    name=name,
                    id=f"{number:036}",
                    shell="Device",
                    model="Device",
                    family="CS_GenericResource",
                    address="192.0.2.1",
                    attributes={"Device.Location": "a rack", "Device.Vendor": "somebody"},
                )
                for number, name in enumerate(names)
            )
        )
    store.close()


def _served(home: Path) -> tuple[float, float]:
    port = _free_port()
    environ = os.environ | {HOME: str(home), "SHELLDOCK_PLUGINS__API__PORT": "0"}
    begin = time.perf_counter()
    process = subprocess.Popen(
        [*COMMAND, "serve", "--port", str(port)],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/api/health"):
            if process.poll() is not None or time.perf_counter() - begin > PATIENCE:
                raise RuntimeError("the server does not answer")
            time.sleep(0.005)
        health = time.perf_counter() - begin
        begin = time.perf_counter()
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
        return health, time.perf_counter() - begin
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError):
        return False


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _in_turn(lines: Mapping[str, Sequence[str]], rounds: int, environ: Mapping[str, str]) -> Times:
    """Each command line once unmeasured, then all in turn, so that whatever else the machine does hits all alike."""
    times: Times = {name: [] for name in lines}
    # What is installed has its bytecode beside it; here, the unmeasured round leaves it.
    environ = {name: text for name, text in environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for number in range(rounds + 1):
        for name, line in lines.items():
            with timed(times[name]):
                subprocess.run(line, env=environ, check=True, capture_output=True)
            if not number:
                times[name].clear()
    return times


async def measure(rounds: int, resources: int, shells: Sequence[str]) -> dict[str, object]:
    """Everything, by name."""
    found: dict[str, object] = {"help": helps(rounds)}
    for name in shells:
        with tempfile.TemporaryDirectory() as room:
            found[f"run, {name}"] = await first_command(SHELLS[name], rounds, Path(room))
    with tempfile.TemporaryDirectory() as room:
        found[f"server, {resources} resources"] = server(resources, rounds, Path(room))
    return found


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser("python -m benchmarks.starts", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="samples of each start")
    parser.add_argument("--resources", type=int, default=10_000, help="in the server's store")
    parser.add_argument("--shell", action="append", choices=SHELLS, help="by default all")
    given = parser.parse_args()
    shells = given.shell or list(SHELLS)
    print(json.dumps(asyncio.run(measure(given.rounds, given.resources, shells))))


if __name__ == "__main__":
    main()
