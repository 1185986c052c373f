"""The fork server of one environment and driver, which makes the processes of its instances."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from shelldock import descriptors
from shelldock.channel import Channel, Message
from shelldock.errors import ConflictError, LimitReached, StartError
from shelldock.model import Driver, Environment, Value
from shelldock.process import Process

log = logging.getLogger(__name__)

FORKED = "forked"
"""The way of an instance that has the driver imported already."""

AT_ONCE = 64
"""Starts that wait for a fork server's answer. Of many more, the socket would be full, and the event loop held up."""

CONTROL_BYTES = 16 * 2**20
"""A fork server sends little: names, process ids, traces."""


class Way(Value, frozen=True, kw_only=True):
    """How a fork server is to make instances of a driver."""

    fresh: bool = False
    """A fresh interpreter for each, instead of a fork of one that has imported the driver."""
    pycache: Path | None = None
    start_limit: float
    """Seconds for the interpreter to start and import the driver."""
    start_source: str = "default"
    host_lost: float
    """Seconds that instances have for ``cleanup`` when this process dies."""
    result_bytes: int
    merge_memory: bool = False
    """Let the kernel keep equal pages of instances once."""
    log_bytes: int = 10 * 2**20
    """The size from which an instance's log is continued in a new file."""
    log_keep: int = 5
    """How many older files of a log stay."""
    open_files: int | None = None
    """Descriptors that a driver's process may open (the soft limit); None: as many as this one."""


class ForkServer:
    """The interpreter of one environment with one driver imported, which forks instances of it."""

    def __init__(self, environment: Environment, driver: Driver, way: Way) -> None:
        self.environment = environment
        self.driver = driver
        self.way = ""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.processes: dict[int, Process] = {}
        """By number: it makes them in the order in which it gets their channels."""
        self._numbers = itertools.count(1)
        self._starts = asyncio.Semaphore(AT_ONCE)
        self._options = way
        self._loaded: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._channel = Channel(self._received, self._closed, CONTROL_BYTES)
        self._handles: socket.socket
        self._popen: subprocess.Popen[bytes]

    @classmethod
    async def start(
        cls,
        environment: Environment,
        driver: Driver,
        way: Way,
        folder: Path,
        log: Path,
        inherited: Sequence[int] = (),
        variables: Mapping[str, str] | None = None,
    ) -> ForkServer:
        """Start it and let it import the driver. Raises ``StartError`` with file and line, or ``LimitReached``.

        :param folder: where it works; made if it is not there.
        :param variables: environment variables for the driver, from its import on.
        :param inherited: descriptors that it shall keep open, and its instances with it.
        """
        server = cls(environment, driver, way)
        ours, theirs = socket.socketpair()
        server._handles, handles = socket.socketpair()
        try:
            server._popen = await asyncio.to_thread(
                _launch,
                environment,
                variables or {},
                (theirs.fileno(), handles.fileno()),
                inherited,
                folder,
                log,
            )
            if way.open_files is not None:
                descriptors.limit(server._popen.pid, way.open_files)
        except OSError as error:
            ours.close()
            server._handles.close()
            raise StartError(f"cannot start {str(environment.python)!r}: {error}") from error
        finally:
            theirs.close()
            handles.close()
        await asyncio.get_running_loop().create_unix_connection(lambda: server._channel, sock=ours)
        # What is needed next: while that one starts, it takes no time of its own.
        from shelldock import processes

        try:
            await server._load()
        except asyncio.CancelledError:  # whoever wanted it may not wait for an import that hangs
            processes.kill_tree(server._popen.pid)
            await server.ended
            raise
        return server

    async def spawn(
        self,
        id: str,
        folder: Path,
        log: Path,
        environ: Mapping[str, str],
        *,
        concurrent: bool,
        about: str = "",
    ) -> Process:
        """Make an instance's process. Raises ``StartError``, or ``ConflictError`` where this process can take no more.

        A caller that is cancelled leaves none behind.

        :param about: what its log shall begin with.
        """
        options = self._options
        process = Process(id, self.way, self.kill, options.result_bytes)
        async with self._starts:
            await self._connect(process)
            answer = await process.start({
                "folder": str(folder), "log": str(log), "environ": environ, "concurrent": concurrent, "about": about,
                "log_bytes": options.log_bytes, "log_keep": options.log_keep, "result_limit": options.result_bytes,
                "host_lost": options.host_lost, "driver": None if self.way == FORKED else self._source(),
            })  # fmt: skip
        if answer["is"] != "started":
            raise _start_error(self.driver, answer)
        return process

    async def _connect(self, process: Process) -> None:
        """Have a channel to an instance that the fork server makes."""
        if self.ended.done():
            raise StartError(
                f"the fork server of {self.driver.name!r} is gone; the next command starts a new one"
            )
        from shelldock import processes

        ours, theirs = socket.socketpair()
        try:
            descriptors.check(theirs.fileno())
            await process.connect(ours)
            processes.send_handle(self._handles, theirs.fileno(), self._popen.pid)
        except OSError as error:
            process.ended("it was never started")
            raise StartError(f"the fork server of {self.driver.name!r} is gone: {error}") from error
        except ConflictError:
            ours.close()
            process.ended("it was never started")
            raise
        finally:
            theirs.close()
        process.child = next(self._numbers)
        self.processes[process.child] = process

    def kill(self, process: Process) -> None:
        """End one process and all it started."""
        if self.ended.done():
            process.kill_tree()
            process.ended("killed")
        else:
            self._channel.send({"do": "kill", "number": process.child})

    async def end(self) -> None:
        """End it; instances that are left have the time for which ``host_lost`` is set."""
        self._channel.close()
        await self.ended

    async def _load(self) -> None:
        from shelldock import processes

        options = self._options
        way = "fresh" if options.fresh else "auto"
        self._channel.send({
            "do": "load", "way": way, "host_lost": options.host_lost, "merge_memory": options.merge_memory,
            **self._source(),
        })  # fmt: skip
        try:
            async with asyncio.timeout(options.start_limit):
                answer = await self._loaded
        except TimeoutError:
            processes.kill_tree(self._popen.pid)
            await self.ended
            what = f"importing driver {self.driver.name!r}"
            raise LimitReached("start", options.start_limit, what, options.start_source) from None
        if answer["is"] != "loaded":
            await self.end()
            raise _start_error(self.driver, answer)
        self.way = answer["way"]

    def _source(self) -> Message:
        """What there is to import, and the commands that the metadata declare."""
        return {
            "source": str(self.driver.source), "main": self.driver.main_class,
            "pycache": str(self._options.pycache) if self._options.pycache else None,
            "commands": {
                one.name: [[parameter.name, parameter.default] for parameter in one.parameters if parameter.declared]
                for one in self.driver.commands
            },
        }  # fmt: skip

    def _received(self, message: Message) -> None:
        if message["is"] == "gone":
            process = self.processes.pop(message["number"], None)
            if process is not None:
                process.ended(message.get("why") or _ending(message["status"]))
        elif not self._loaded.done():
            self._loaded.set_result(message)

    def _closed(self, fault: str) -> None:
        loop = asyncio.get_running_loop()
        self._handles.close()
        reaper = loop.run_in_executor(None, self._popen.wait)
        reaper.add_done_callback(lambda _: self._dead(fault))

    def _dead(self, fault: str) -> None:
        how = fault or _ending(self._popen.returncode)
        if not self._loaded.done():
            self._loaded.set_result({"is": "failed", "text": f"the fork server ended: {how}"})
        for process in list(self.processes.values()):
            log.error(
                "fork server of %s ended (%s) before its instance %s",
                self.driver.name,
                how,
                process.id,
            )
            process.kill_tree()
            process.ended(f"its fork server ended: {how}")
        self.processes.clear()
        if not self.ended.done():
            self.ended.set_result(None)


def driver_environ(environment: Environment, variables: Mapping[str, str]) -> dict[str, str]:
    """The variables of a driver: the host's own, less what would lead its Python astray, and the given ones.

    The hash seed is fixed, because drivers make identifiers with ``hash`` that must be equal in every process.
    """
    environ = {
        name: text
        for name, text in os.environ.items()
        if not name.startswith(("PYTHON", "SHELLDOCK_", "VIRTUAL_ENV", "CONDA_", "UV_", "TOX_"))
    }
    environ |= {"PYTHONHASHSEED": "0", **variables}
    environ["PATH"] = os.pathsep.join(
        (str(environment.python.parent), environ.get("PATH", os.defpath))
    )
    environ["VIRTUAL_ENV"] = str(environment.path)
    return environ


def _launch(
    environment: Environment,
    variables: Mapping[str, str],
    ends: tuple[int, int],
    inherited: Sequence[int],
    folder: Path,
    log: Path,
) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [environment.python, "-s", "-m", "shelldriver", *map(str, ends)],
            pass_fds=(*ends, *inherited),
            cwd=folder,
            env=driver_environ(environment, variables),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )


def _ending(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _start_error(driver: Driver, message: Message) -> StartError:
    kind = f"{message['type']}: " if message.get("type") else ""
    where = f" ({message['where']})" if message.get("where") else ""
    return StartError(
        f"driver {driver.name!r} cannot be imported: {kind}{message['text']}{where}",
        message.get("trace", ""),
    )
