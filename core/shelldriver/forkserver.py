"""The process that has imported a driver and makes its instances."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
import time
from typing import List, NoReturn, Optional, Set

from shelldriver import loading, processes, surroundings
from shelldriver.binding import Commands
from shelldriver.children import Child, Children
from shelldriver.contexts import Contexts
from shelldriver.interrupts import Interrupts
from shelldriver.log import Log
from shelldriver.newborn import Newborn
from shelldriver.wire import Message, Stream, receive_descriptor

_GRACE = 0.5
"""Seconds more than instances have for their own end, before they are killed."""
_SWEEP_PAUSE = 0.05
_NO_PROCESS = 71
"""The status of an instance for which no process could be made (EX_OSERR)."""


class ForkServer:
    """Single-threaded; waits for nothing but the driver's import.

    Whatever it writes to between two forks, the child before them has for itself alone. So it does little there: what
    an instance is to be, and how its start went, the host and the instance tell each other.
    """

    def __init__(
        self, control: socket.socket, handles: socket.socket, log: Log, interrupts: Interrupts
    ) -> None:
        self._control = Stream(control)
        handles.setblocking(False)
        self._handles = handles
        self._log = log
        self._interrupts = interrupts
        self._folder = os.getcwd()
        self._environ = dict(os.environ)
        self._host_lost = 0.0
        self._commands: Optional[Commands] = None
        self._contexts: Optional[Contexts] = None
        self._children: Children
        self._numbers = 0
        self._spare: Optional[Child] = None
        """A child that waits to become the next instance."""
        self._poll = select.poll()
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
            load, *rest = self._first()
        except EOFError:
            return None
        self._import(load)
        self._children = Children()
        for source in (self._children, self._control, self._handles):
            self._poll.register(source.fileno(), select.POLLIN)
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
        if self._open and self._control.fileno() in ready:
            self._listen()
        if self._spare is not None and self._spare.line.fileno() in ready:
            self._released().line.close()  # It has died.
        if self._open and self._handles.fileno() in ready:
            self._admit()
        if time.monotonic() > self._deadline:
            self._children.kill_all()

    def _wait(self) -> Set[int]:
        if self._open:
            events = select.POLLIN | (select.POLLOUT if self._control.waiting else 0)
            self._poll.modify(self._control.fileno(), events)
        pause = self._deadline - time.monotonic()
        if self._children.sweeping:
            pause = min(pause, _SWEEP_PAUSE)
        found = self._poll.poll(None if pause == float("inf") else max(0.0, pause) * 1000 + 1)
        self._control.flush()
        return {descriptor for descriptor, event in found if event != select.POLLOUT}

    # ---- what the host says -----------------------------------------------------------------------

    def _listen(self) -> None:
        try:
            self._take(self._control.read())
        except EOFError:
            self._hang_up()

    def _take(self, messages: List[Message]) -> None:
        for message in messages:
            if message["do"] == "kill":
                self._children.kill(message["number"])

    def _hang_up(self) -> None:
        """The host has gone: instances end by themselves in the time that they have for it."""
        self._open = False
        for source in (self._control, self._handles):
            self._poll.unregister(source.fileno())
            source.close()
        if self._spare is not None:
            self._released().line.close()
        self._children.hang_up()
        self._deadline = time.monotonic() + self._host_lost + _GRACE

    # ---- the driver -------------------------------------------------------------------------------

    def _import(self, load: Message) -> None:
        self._host_lost = load["host_lost"]
        if load.get("merge_memory"):
            processes.merge_memory()
        way = "fresh: it was asked for"
        if load["way"] != "fresh":
            try:
                with processes.Vigil(self._control.fileno()), loading.kept():
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
        self._interrupts.heeded = False
        surroundings.flush(self._log)  # Or each instance would write again what is not written yet.
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

    def _admit(self) -> None:
        """Give the channel that has come to a child: it is an instance from then on."""
        child, why = None, ""
        try:
            child = self._released() if self._spare is not None else self._made()
        except OSError as error:
            why = "no process could be made: %s" % error
        if self._newborn is not None:
            return
        channel = receive_descriptor(self._handles)
        if channel is None:
            if child is not None:
                child.line.close()
            self._hang_up()
            return
        self._numbers += 1
        if child is not None:
            self._children.admit(child, self._numbers, channel)
        else:
            gone = {"is": "gone", "number": self._numbers, "status": _NO_PROCESS, "why": why}
            self._control.send(gone)
        os.close(channel)
        # Whoever has wanted a second one will want more, and shall not have to wait for a fork.
        if self._commands is not None and self._numbers > 1:
            with contextlib.suppress(OSError):
                self._spare = self._made()
            if self._spare is not None:
                self._poll.register(self._spare.line.fileno(), 0)  # Only that it hangs up.

    def _released(self) -> Child:
        """The child that waits, which waits no more."""
        assert self._spare is not None
        child, self._spare = self._spare, None
        self._poll.unregister(child.line.fileno())
        return child

    def _made(self) -> Optional[Child]:
        """A child; None in the child itself. Raises ``OSError`` where the system has none to give."""
        ours, theirs = socket.socketpair()
        try:
            child = self._forked(ours, theirs) if self._commands else self._spawned(ours, theirs)
        except OSError:
            ours.close()
            theirs.close()
            raise
        if child is not None:
            theirs.close()
            self._children.add(child)
        return child

    def _forked(self, ours: socket.socket, theirs: socket.socket) -> Optional[Child]:
        pid = os.fork()
        if pid:
            return Child(pid, ours)
        # Nothing of the fork server's is this process's.
        ours.close()
        self._children.forget()
        self._control.close()
        self._handles.close()
        self._newborn = Newborn(
            line=theirs,
            lifeline=self._children.lifeline,
            log=self._log,
            interrupts=self._interrupts,
            commands=self._commands,
            contexts=self._contexts,
        )
        return None

    def _spawned(self, ours: socket.socket, theirs: socket.socket) -> Child:
        inherited = (theirs.fileno(), self._children.lifeline)
        popen = subprocess.Popen(
            [sys.executable, "-s", "-m", "shelldriver", "--instance", *map(str, inherited)],
            stdin=subprocess.DEVNULL,
            pass_fds=inherited,
            cwd=self._folder,
            env=self._environ,
            start_new_session=True,
        )
        return Child(popen.pid, ours, popen)

    def _bury(self) -> None:
        for child in self._children.ended():
            if child.number:
                gone = {"is": "gone", "number": child.number, "status": child.status}
                self._control.send(gone)
