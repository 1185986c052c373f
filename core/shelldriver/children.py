"""The instances' processes as the fork server sees them, and what they leave behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import time
from typing import Any, Dict, List

from shelldriver import processes
from shelldriver.wire import out_of_the_way, send_descriptor

_SWEEP_LIMIT = 10.0
"""Seconds after which a process that does not die, SIGKILL or not, no longer holds up the news."""


class Child:
    """The process of an instance, or of one to come."""

    def __init__(self, pid: int, line: socket.socket, popen: Any = None) -> None:
        self.pid = pid
        self.line = line
        """Over which it gets its channel."""
        self.popen = popen
        self.number = 0
        """Which instance it is, counted from one; 0: none yet."""
        self.status = 0


class Children:
    """All instances that are alive or not yet gone.

    An instance adopts what its own descendants leave behind, so that a child of the fork server which is no
    instance belonged to one that has ended. It is killed, and the instance is gone when no such child is left.

    Nothing here is done for each instance whenever another one starts: there may be ten thousand.
    """

    def __init__(self) -> None:
        self._alive: Dict[int, Child] = {}
        self._instances: Dict[int, Child] = {}
        self._dead: List[Child] = []
        self._patience = 0.0
        self._kept = set(processes.children())
        """What the driver's import started belongs to no instance."""
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)
        lifeline, self._held = os.pipe()
        self.lifeline = out_of_the_way(lifeline)
        """What all instances inherit; the other side hangs up when this process ends, or does not care any more."""
        self._before = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)

    def fileno(self) -> int:
        """Readable when a child ended."""
        return self._woken

    def __len__(self) -> int:
        return len(self._alive) + len(self._dead)

    @property
    def sweeping(self) -> bool:
        """Whether something is left to be killed."""
        return bool(self._dead)

    def add(self, child: Child) -> None:
        """Watch over one more."""
        self._alive[child.pid] = child

    def admit(self, child: Child, number: int, channel: int) -> None:
        """Let a child be an instance that speaks with the host over ``channel``. Where it has died, its end is told."""
        child.number = number
        self._instances[number] = child
        with contextlib.suppress(OSError):
            send_descriptor(child.line, channel)
        child.line.close()

    def kill(self, number: int) -> None:
        """End an instance at once, and all it started as soon as it has ended."""
        if number in self._instances:
            processes.kill_group(self._instances[number].pid)

    def kill_all(self) -> None:
        """End all instances at once."""
        for pid in self._alive:
            processes.kill_group(pid)

    def hang_up(self) -> None:
        """Let all instances know that nobody is there for them any more: they end in order."""
        os.close(self._held)

    def ended(self) -> List[Child]:
        """Wait for those that ended, and kill what they left; those of which nothing is left any more."""
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
        self._reap()
        if not self._dead:
            return []
        strays = [
            pid for pid in processes.children() if pid not in self._alive and pid not in self._kept
        ]
        if strays and time.monotonic() < self._patience:
            processes.kill(strays)
            return []
        gone, self._dead = self._dead, []
        return gone

    def forget(self) -> None:
        """In a forked instance: these are its siblings."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL if self._before is None else self._before)
        for end in (self._woken, self._waker, self._held):
            os.close(end)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._kept.discard(pid)
            child = self._alive.pop(pid, None)
            if child is not None:
                self._instances.pop(child.number, None)
                child.status = processes.exit_code(status)
                if child.popen is not None:
                    child.popen.returncode = child.status  # Nobody else may wait for it.
                self._dead.append(child)
                self._patience = time.monotonic() + _SWEEP_LIMIT
