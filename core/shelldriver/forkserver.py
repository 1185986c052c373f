"""The process that has imported a driver and makes its instances."""

from __future__ import annotations

import array
import contextlib
import gc
import os
import select
import socket
import subprocess
import sys
import time
from typing import List, NoReturn, Optional, Set

from shelldriver import failures, loading, processes, surroundings
from shelldriver.binding import Commands
from shelldriver.children import Child, Children
from shelldriver.contexts import Contexts
from shelldriver.log import Log
from shelldriver.newborn import Newborn
from shelldriver.wire import Channel, Message, Stream

_GRACE = 0.5
"""Seconds more than instances have for their own end, before they are killed."""
_SWEEP_PAUSE = 0.05
_NO_PROCESS = 71
"""The status of an instance for which no process could be made (EX_OSERR)."""


class ForkServer:
    """Single-threaded; waits for nothing but the driver's import."""

    def __init__(self, control: socket.socket, handles: socket.socket, log: Log) -> None:
        self._control = Stream(control)
        self._handles: Optional[socket.socket] = handles
        self._log = log
        self._folder = os.getcwd()
        self._environ = dict(os.environ)
        self._load: Message = {}
        self._commands: Optional[Commands] = None
        self._contexts: Optional[Contexts] = None
        self._children: Children
        self._starts: List[Message] = []
        self._channels: List[int] = []
        self._open = True
        self._deadline = float("inf")
        self._newborn: Optional[Newborn] = None

    def serve(self) -> Optional[Newborn]:
        """Serve until the host hangs up and no instance is left.

        Returns twice: in an instance's process with what that needs, and at the end with nothing.
        """
        with contextlib.suppress(OSError):
            os.setsid()  # What a terminal sends is for the host.
        processes.adopt_orphans()
        try:
            first, *rest = self._first()
        except EOFError:
            return None
        self._import(first)
        self._children = Children()
        self._take(rest)
        while self._newborn is None and (self._open or len(self._children)):
            self._turn(self._wait())
        return self._newborn

    def _first(self) -> List[Message]:
        messages: List[Message] = []
        while not messages:
            select.select([self._control], [], [])
            messages = self._control.read()
        return messages

    def _turn(self, ready: Set[int]) -> None:
        if self._children.fileno() in ready or self._children.sweeping:
            self._bury()
        for child in self._children.unheard:
            if child.line.fileno() in ready:
                self._hear(child)
        if self._handles is not None and self._handles.fileno() in ready:
            self._receive(self._handles)
        if self._open and self._control.fileno() in ready:
            self._listen()
        while self._starts and self._channels and self._newborn is None:
            self._start(self._starts.pop(0), self._channels.pop(0))
        if time.monotonic() > self._deadline:
            self._children.kill_all()

    def _wait(self) -> Set[int]:
        poll = select.poll()
        poll.register(self._children.fileno(), select.POLLIN)
        streams = [child.line for child in self._children.unheard]
        if self._open:
            streams.append(self._control)
        for stream in streams:
            poll.register(
                stream.fileno(), select.POLLIN | (select.POLLOUT if stream.waiting else 0)
            )
        if self._handles is not None:
            poll.register(self._handles.fileno(), select.POLLIN)
        pauses = [self._deadline - time.monotonic()]
        if self._children.sweeping:
            pauses.append(_SWEEP_PAUSE)
        pause = max(0.0, min(pauses))
        events = poll.poll(None if pause == float("inf") else pause * 1000 + 1)
        for stream in streams:
            stream.flush()
        return {descriptor for descriptor, event in events if event != select.POLLOUT}

    # ---- what the host says -----------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            self._take(self._control.read())
        except EOFError:
            self._hang_up()

    def _take(self, messages: List[Message]) -> None:
        for message in messages:
            if message["do"] == "start":
                self._starts.append(message)
            elif message["do"] == "kill":
                self._children.kill(message["id"])

    def _receive(self, handles: socket.socket) -> None:
        """Take a channel, sent as ``multiprocessing.reduction`` sends descriptors."""
        numbers = array.array("i")
        try:
            byte, ancillary, _, _ = handles.recvmsg(
                1, socket.CMSG_SPACE(numbers.itemsize), getattr(socket, "MSG_CMSG_CLOEXEC", 0)
            )
        except OSError:
            byte, ancillary = b"", []
        for level, kind, data in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                numbers.frombytes(data[: len(data) - len(data) % numbers.itemsize])
        self._channels.extend(numbers)
        if not byte:
            handles.close()
            self._handles = None

    def _hang_up(self) -> None:
        """The host has gone: instances end by themselves in the time that they have for it."""
        self._open = False
        self._starts.clear()  # Nobody waits for these, and they would outlive the lifeline.
        self._control.close()
        self._children.hang_up()
        self._deadline = time.monotonic() + self._load.get("host_lost", 0) + _GRACE

    # ---- the driver -------------------------------------------------------------------------------

    def _import(self, load: Message) -> None:
        self._load = load
        way = "fresh: it was asked for"
        if load["way"] != "fresh":
            try:
                with processes.Vigil(self._control.fileno()):
                    driver = loading.load(load["source"], load["main"], load["pycache"])
                    contexts = Contexts(self._log.note)
                commands = Commands(driver, load["commands"], self._log.note)
                commands.prepare()
            except BaseException as error:  # A stranger's import: an exit there is a failure, too.
                self._fail({"is": "failed", **loading.failure(error, load["source"])})
            left = processes.threads()
            if left:
                way = "fresh: the import left threads alive (%s)" % ", ".join(left)
            else:
                way = "forked"
                self._commands, self._contexts = commands, contexts
        gc.collect()
        gc.freeze()
        self._control.send({"is": "loaded", "python": sys.version.split()[0], "way": way})

    def _fail(self, failed: Message) -> NoReturn:
        """Say why, and end: threads that the import may have left are not waited for."""
        self._log.note("the driver cannot be imported\n%s" % failed["trace"], "ERROR")
        self._control.end.setblocking(True)
        self._control.send(failed)
        surroundings.flush(self._log)
        processes.end_children(1)
        os._exit(1)

    # ---- the instances ----------------------------------------------------------------------------

    def _start(self, start: Message, channel: int) -> None:
        ours, theirs = socket.socketpair()
        try:
            if self._commands is not None:
                self._fork(start, channel, ours, theirs)
            else:
                self._spawn(start, channel, ours, theirs)
        except OSError as error:
            self._control.send(
                {"is": "failed", "id": start["id"], **failures.described(error), "where": ""}
            )
            self._control.send({"is": "gone", "id": start["id"], "status": _NO_PROCESS})
        if self._newborn is None:
            os.close(channel)
            theirs.close()

    def _fork(
        self, start: Message, channel: int, ours: socket.socket, theirs: socket.socket
    ) -> None:
        surroundings.flush(self._log)  # Or what is not written yet would be written twice.
        pid = os.fork()
        if pid:
            self._children.add(Child(start["id"], pid, Stream(ours)))
            return
        self._forget()
        ours.close()
        self._newborn = Newborn(
            Channel(channel),
            Channel(theirs.detach()),
            self._children.lifeline,
            self._load,
            start,
            self._log,
            self._commands,
            self._contexts,
        )

    def _forget(self) -> None:
        """In an instance's process: nothing of the fork server's is its."""
        self._children.forget()
        self._control.close()
        if self._handles is not None:
            self._handles.close()
        for channel in self._channels:
            os.close(channel)

    def _spawn(
        self, start: Message, channel: int, ours: socket.socket, theirs: socket.socket
    ) -> None:
        inherited = (theirs.fileno(), channel, self._children.lifeline)
        popen = subprocess.Popen(
            [sys.executable, "-s", "-m", "shelldriver", "--instance", *map(str, inherited)],
            stdin=subprocess.DEVNULL,
            pass_fds=inherited,
            cwd=self._folder,
            env=self._environ,
            start_new_session=True,
        )
        line = Stream(ours)
        self._children.add(Child(start["id"], popen.pid, line, popen))
        line.send({"load": self._load, "start": start})

    def _hear(self, child: Child) -> None:
        """How a start went. A line that ends without a word tells nothing: the process's end does."""
        try:
            messages = child.line.read()
        except EOFError:
            self._children.heard(child)
            return
        for message in messages:
            self._children.heard(child)
            child.told = True
            more = {"pid": child.pid} if message["is"] == "started" else {}
            self._control.send({**message, "id": child.id, **more})

    def _bury(self) -> None:
        for child in self._children.ended():
            if child in self._children.unheard:
                self._hear(child)
            if not child.told:
                text = "its process ended with status %d before the driver was there" % child.status
                failed = {
                    "is": "failed",
                    "id": child.id,
                    "type": "",
                    "text": text,
                    "trace": "",
                    "where": "",
                }
                self._control.send(failed)
            self._children.heard(child)
            self._control.send({"is": "gone", "id": child.id, "status": child.status})
