"""How many descriptors this process and its drivers may have open: each instance takes one of the host's."""

from __future__ import annotations

import resource
from typing import Final

from shelldock.errors import ConflictError

RESERVE: Final = 64
"""Descriptors that are left to everything else: the store, logs, clients, new environments."""


def raise_limit() -> int:
    """Let this process open as many as the system allows it; how many it could before."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return soft


def limit(pid: int, soft: int) -> None:
    """Let another process open ``soft``, where it may: programs with ``select`` cannot count beyond 1024."""
    hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)[1]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (soft, hard))


def check(descriptor: int) -> None:
    """Raise ``ConflictError`` where ``descriptor``, the newest, is one of the last that this process may open."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if most != resource.RLIM_INFINITY and descriptor >= most - RESERVE:
        raise ConflictError(
            f"there is no room for another instance: {descriptor} descriptors are open and {most} allowed; stop "
            "instances, or allow more (ulimit -Hn, LimitNOFILE of systemd)"
        )
