"""Finding and ending processes that somebody left behind."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
import time
from types import TracebackType
from typing import Any, Iterable, List, Optional, Type

try:
    import ctypes

    _prctl: Any = ctypes.CDLL(None).prctl
except (ImportError, OSError, AttributeError):  # Not Linux, or a Python built without libffi.
    _prctl = None

_SET_CHILD_SUBREAPER = 36
_SET_MEMORY_MERGE = 67


def adopt_orphans() -> None:
    """From now on what descendants leave behind becomes a child of this process."""
    if _prctl is not None:
        _prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def merge_memory() -> None:
    """Let the kernel keep pages once that are equal in this process and its descendants, where it can (Linux 6.4)."""
    if _prctl is not None:
        _prctl(_SET_MEMORY_MERGE, 1, 0, 0, 0)


def children() -> List[int]:
    """The process ids of this process's children, ended ones that nobody waited for included."""
    try:
        return _children_told()
    except OSError:
        return _children_sought()


def _children_told() -> List[int]:
    found = []
    for thread in os.listdir("/proc/self/task"):
        with open("/proc/self/task/%s/children" % thread) as told:
            found += [int(pid) for pid in told.read().split()]
    return found


def _children_sought() -> List[int]:
    """The same where the kernel does not tell (no CONFIG_PROC_CHILDREN): look at everybody."""
    own = b"%d" % os.getpid()
    found = []
    try:
        everybody = [name for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []
    for pid in everybody:
        with contextlib.suppress(OSError), open("/proc/%s/stat" % pid, "rb") as stat:
            # The name, in brackets, may hold anything: what follows the last bracket is fixed.
            if stat.read().rpartition(b")")[2].split()[1] == own:
                found.append(int(pid))
    return found


def kill(pids: Iterable[int]) -> None:
    """End processes at once; those that have ended already do not matter."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)


def kill_group(leader: int) -> None:
    """End a process and its group at once."""
    with contextlib.suppress(OSError):
        os.killpg(leader, signal.SIGKILL)
    kill([leader])


def end_children(limit: float) -> None:
    """End all children, then those that they leave to us, until none is left or ``limit`` s passed."""
    deadline = time.monotonic() + limit
    while time.monotonic() < deadline:
        left = children()
        if not left:
            return
        kill(left)
        _reap(left)
        time.sleep(0.002)


def _reap(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(OSError):
            os.waitpid(pid, os.WNOHANG)


def exit_code(status: int) -> int:
    """A status of ``waitpid`` as one number: the exit code, or the negative signal."""
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def threads() -> List[str]:
    """What is alive beside the calling thread: names of Python's threads, else ``a native thread``."""
    own = threading.current_thread()
    # The system still shows a thread for a moment after it was joined.
    deadline = time.monotonic() + 0.2
    while True:
        named = [thread.name for thread in threading.enumerate() if thread is not own]
        native = _native_threads() - 1 - len(named)
        if native <= 0 or time.monotonic() > deadline:
            return named + ["a native thread"] * native
        time.sleep(0.001)


def _native_threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:
        return 0


class Vigil:
    """Ends this process if the other side hangs up while a stranger's import holds the main thread."""

    def __init__(self, *descriptors: int) -> None:
        self._descriptors = descriptors
        self._thread = threading.Thread(target=self._watch, name="shelldriver-vigil", daemon=True)
        self._stop, self._stopper = os.pipe()

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        os.close(self._stopper)
        self._thread.join()
        os.close(self._stop)

    def _watch(self) -> None:
        poll = select.poll()
        for descriptor in (*self._descriptors, self._stop):
            poll.register(descriptor, 0)  # Only that the other side hung up, which is always told.
        hung_up = [descriptor for descriptor, _ in poll.poll()]
        if self._stop not in hung_up:
            end_children(1)
            os._exit(1)
