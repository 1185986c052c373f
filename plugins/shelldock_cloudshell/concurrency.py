"""How many commands an instance runs at once: one, or any number where the shell says that it supports it."""

from __future__ import annotations

from shelldock.hookspecs import hookimpl
from shelldock.model import NO_LIMIT, Shell


@hookimpl(trylast=True)
def shelldock_concurrency(shell: Shell) -> float:
    """No limit for a shell with the concurrency capability (Q2), else 1 (Q1)."""
    return NO_LIMIT if shell.concurrent else 1
