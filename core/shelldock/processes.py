"""Other processes: handing them descriptors, how old and how large they are, their end with all that they started.

Imported where it is used, and first while a fork server starts: what it brings along takes as long as half of that.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

import psutil

if TYPE_CHECKING:
    from multiprocessing.reduction import send_handle
else:  # multiprocess has no types; it is multiprocessing, kept up to date
    from multiprocess.reduction import send_handle

__all__ = ["birth", "kill_tree", "memory", "send_handle"]

SAME_BIRTH: Final = 0.5
"""Seconds by which two readings of when a process was born may differ."""


def birth(pid: int) -> float:
    """When a process was born, as Unix time; 0 where it is gone."""
    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return 0.0


def memory(pid: int) -> int:
    """The bytes that are a process's own, and its share of those that it has with others; 0 where it is gone."""
    try:
        return int(getattr(psutil.Process(pid).memory_full_info(), "pss", 0))
    except psutil.Error:
        return 0


def kill_tree(pid: int, born: float | None = None) -> None:
    """End a process and all that it started: it is a subreaper, so all of that hangs below it.

    :param born: when it was born, to tell it from another one that has its number by now.
    """
    if born is not None and abs(birth(pid) - born) > SAME_BIRTH:
        return
    with contextlib.suppress(psutil.Error):
        root = psutil.Process(pid)
        root.suspend()
        below = root.children(recursive=True)
        root.kill()
        for one in below:
            with contextlib.suppress(psutil.Error):  # it has ended meanwhile
                one.kill()
