"""A host in its smallest form, over real sockets, for every interpreter that is present."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.reduction import sendfds
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import shelldriver

Message = dict[str, Any]

OWN = "SHELLDRIVER_OWN"
"""Variable: only the interpreter that runs the tests; what they test does not know who tests it."""

VERSIONS = ("3.7", "3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
PATIENCE = 15.0
"""Seconds after which what should come by itself no longer does."""


def _interpreters() -> list[Any]:
    if os.environ.get(OWN):
        return [pytest.param(sys.executable, id="{}.{}".format(*sys.version_info))]
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = []
    for version in VERSIONS:
        there = [str(path) for path in sorted(pyenv.glob(f"{version}.*/bin/python"))]
        on_path = shutil.which(f"python{version}")
        for candidate in [*there, *([on_path] if on_path else [])]:
            # A shim may be there for an interpreter that is not.
            if subprocess.run([candidate, "-c", ""], capture_output=True).returncode == 0:
                found.append(pytest.param(candidate, id=version))
                break
    return found


@pytest.fixture(scope="session", params=_interpreters())
def python(request: pytest.FixtureRequest) -> str:
    """Each interpreter of a driver in turn."""
    return str(request.param)


class Line(NamedTuple):
    """A line of a log; all but the text is empty where it has no head."""

    time: str
    execution: str
    source: str
    text: str


def lines(text: str) -> list[Line]:
    """What is in a log."""
    found = []
    for line in text.removesuffix("\n").split("\n") if text else ():
        head = re.match(r"(\d{4}-\d\d-\d\dT[\d:.]{12}[+-]\d{4}) (\S+) (\S+) (.*)", line, re.DOTALL)
        found.append(Line(*head.groups()) if head else Line("", "", "", line))
    return found


def said(lines: list[Line]) -> str:
    """What a driver wrote, without what is said about it."""
    texts = [
        one.text for one in lines if one.source != "raw" and not one.text.startswith("shelldock: ")
    ]
    return "".join(f"{text}\n" for text in texts)


class Wire:
    """One connection: frames out, frames in."""

    def __init__(self, end: socket.socket) -> None:
        self.end = end
        end.settimeout(PATIENCE)

    def send(self, **message: Any) -> None:
        self.send_all(message)

    def send_all(self, *messages: Message) -> None:
        """Send several frames in one write."""
        bodies = [json.dumps(message).encode() for message in messages]
        self.end.sendall(b"".join(struct.pack("!i", len(body)) + body for body in bodies))

    def receive(self) -> Message:
        message = json.loads(self._frame())
        assert isinstance(message, dict)
        if "pieces" in message:
            message["text"] = "".join(self._frame() for _ in range(message.pop("pieces")))
        return message

    def _frame(self) -> str:
        (length,) = struct.unpack("!i", self._read(4))
        return self._read(length).decode("utf-8")

    def _read(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            chunk = self.end.recv(min(size - len(data), 1 << 20))
            if not chunk:
                raise EOFError
            data += chunk
        return bytes(data)

    def close(self) -> None:
        self.end.close()


class Instance:
    """One driver's process as its host sees it."""

    def __init__(self, server: Server, number: int, wire: Wire, folder: Path, log: Path) -> None:
        self.server = server
        self.number = number
        self.wire = wire
        self.folder = folder
        self.log = log
        self._calls = 0
        self._began: Message = {}

    @property
    def began(self) -> Message:
        """How its start went; waits for it."""
        if not self._began:
            self._began = self.wire.receive()
        return self._began

    @property
    def pid(self) -> int:
        assert self.began["is"] == "started", self.began
        return int(self.began["pid"])

    @property
    def gone(self) -> int:
        """How it ended; waits for it."""
        return int(self.server.gone(self.number)["status"])

    @property
    def lines(self) -> list[Line]:
        """What is in its log, rotated files included."""
        older = [self.log.with_name(f"{self.log.name}.{number}") for number in range(9, 0, -1)]
        text = [one.read_text("utf-8", "replace") for one in [*older, self.log] if one.exists()]
        return lines("".join(text))

    @property
    def output(self) -> str:
        """What the driver wrote."""
        return said(self.lines)

    def initialize(self, context: Any = None) -> Message:
        self.wire.send(do="initialize", call="init", context=context, execution="e0")
        assert self.began["is"] == "started", self.began
        return self.wire.receive()

    def ask(
        self, command: str, inputs: Message | None = None, ports: Any = (), context: Any = None
    ) -> str:
        """Send a command; the id of its call."""
        self._calls += 1
        call = f"c{self._calls}"
        self.wire.send(
            do="call",
            call=call,
            command=command,
            inputs=inputs or {},
            ports=list(ports),
            context=context,
            execution=f"e{self._calls}",
        )
        return call

    def answer(self, command: str, **inputs: Any) -> Message:
        """The frame that answers a command."""
        call = self.ask(command, inputs)
        frame = self.wire.receive()
        assert frame["call"] == call
        return frame

    def call(self, command: str, **inputs: Any) -> str:
        """The text that a command returns."""
        frame = self.answer(command, **inputs)
        assert frame["is"] == "result", frame
        return str(frame["text"])

    def stop(self, limit: float | None = PATIENCE) -> Message:
        self.wire.send(do="stop", reason="test", limit=limit)
        assert self.began["is"] == "started", self.began
        return self.wire.receive()


class Server:
    """A fork server, and the host's ends of its connections."""

    def __init__(self, python: str, folder: Path, environ: dict[str, str]) -> None:
        self.folder = folder
        self._numbers = 0
        self._gone: dict[int, Message] = {}
        self._instances: list[Instance] = []
        self._driver: Message = {}
        self.way = ""
        ours, theirs = socket.socketpair()
        self.handles, handles = socket.socketpair()
        self.control = Wire(ours)
        self.log = folder / "server.log"
        packages = folder / "packages"
        packages.mkdir()
        (packages / "shelldriver").symlink_to(Path(shelldriver.__file__).parent)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        with self.log.open("wb") as log:
            self.popen = subprocess.Popen(
                [python, "-s", "-m", "shelldriver", str(theirs.fileno()), str(handles.fileno())],
                pass_fds=(theirs.fileno(), handles.fileno()),
                cwd=folder,
                env={**kept, "PYTHONPATH": str(packages), "PYTHONHASHSEED": "0", **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        theirs.close()
        handles.close()

    @property
    def output(self) -> str:
        """What the import printed."""
        return said(lines(self.log.read_text("utf-8", "replace")))

    def load(self, source: Path, main: str, **options: Any) -> Message:
        """Let it import a driver; its answer."""
        self.send_load(source, main, **options)
        return self.control.receive()

    def send_load(
        self,
        source: Path,
        main: str,
        way: str = "auto",
        commands: Any = None,
        pycache: str | None = None,
        host_lost: float = 4.0,
    ) -> None:
        self._host_lost = host_lost
        self._driver = {
            "source": str(source), "main": main, "commands": commands or {}, "pycache": pycache,
        }  # fmt: skip
        self.control.send(do="load", way=way, host_lost=host_lost, **self._driver)

    def start(
        self,
        concurrent: bool = False,
        result_limit: int | None = 1 << 27,
        environ: dict[str, str] | None = None,
        **options: Any,
    ) -> Instance:
        """Ask for an instance."""
        self._numbers += 1
        name = f"i{self._numbers}"
        ours, theirs = socket.socketpair()
        sendfds(self.handles, [theirs.fileno()])
        theirs.close()
        folder, log = self.folder / name, self.folder / "logs" / f"{name}.log"
        instance = Instance(self, self._numbers, Wire(ours), folder, log)
        instance.wire.send(
            do="start", folder=str(folder), log=str(log), environ=environ or {}, concurrent=concurrent,
            result_limit=result_limit, host_lost=self._host_lost,
            driver=self._driver if self.way.startswith("fresh") else None, **options,
        )  # fmt: skip
        self._instances.append(instance)
        return instance

    def ready(self, context: Any = None, **options: Any) -> Instance:
        """An instance that is initialized."""
        instance = self.start(**options)
        frame = instance.initialize(context)
        assert frame["is"] == "result", frame
        return instance

    def gone(self, number: int) -> Message:
        """What is told of the end of this instance; waits for it."""
        while number not in self._gone:
            event = self.control.receive()
            assert event["is"] == "gone", event
            self._gone[event["number"]] = event
        return self._gone[number]

    def skip(self) -> None:
        """Count an instance that was asked for elsewhere."""
        self._numbers += 1

    def leave_instances(self) -> None:
        """Hang up on all instances."""
        for instance in self._instances:
            instance.wire.close()

    def end(self) -> int:
        """Hang up; how it ended."""
        self.leave_instances()
        self.control.close()
        self.handles.close()
        try:
            return self.popen.wait(PATIENCE)
        finally:
            self.popen.kill()
            self.popen.wait()


Serve = Callable[..., Server]


@pytest.fixture
def serve(python: str, tmp_path: Path) -> Iterator[Serve]:
    """Starts fork servers of drivers that a test writes; ends them."""
    with contextlib.ExitStack() as stack:
        yield partial(_serve, stack, python, tmp_path)


@pytest.fixture
def driver(shared: Server) -> Iterator[Server]:
    """A fork server of the module's ``DRIVER``, with its ``COMMANDS``, and none of another test's instances."""
    yield shared
    shared.leave_instances()


@pytest.fixture(scope="module")
def shared(
    request: pytest.FixtureRequest, python: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """What ``driver`` gives to each test."""
    with contextlib.ExitStack() as stack:
        folder = tmp_path_factory.mktemp("driver")
        commands = getattr(request.module, "COMMANDS", {})
        yield _serve(stack, python, folder, request.module.DRIVER, commands=commands)


def _serve(
    stack: contextlib.ExitStack,
    python: str,
    place: Path,
    code: str | dict[str, str],
    main: str = "driver.Driver",
    environ: dict[str, str] | None = None,
    load: bool = True,
    **options: Any,
) -> Server:
    folder = place / f"server{len(list(place.iterdir()))}"
    source = folder / "source"
    for name, text in (code if isinstance(code, dict) else {"driver.py": code}).items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(textwrap.dedent(text), "utf-8")
    server = Server(python, folder, environ or {})
    stack.callback(server.end)
    if load:
        answer = server.load(source, main, **options)
        assert answer["is"] == "loaded", answer
        server.way = answer["way"]
    return server


def alive(pid: int) -> bool:
    """Whether a process runs: one that ended and that nobody waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.fixture
def dies() -> Callable[[int], bool]:
    """Waits until a process has ended; whether it has."""

    def wait(pid: int, limit: float = PATIENCE) -> bool:
        deadline = time.monotonic() + limit
        while alive(pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        return not alive(pid)

    return wait
