"""Runs CloudShell shell drivers, unmodified, without a CloudShell server."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shelldock.blocking import Host as Host
    from shelldock.errors import ShelldockError as ShelldockError
    from shelldock.hookspecs import hookimpl as hookimpl
    from shelldock.host import AsyncHost as AsyncHost
    from shelldock.model import NO_LIMIT as NO_LIMIT
    from shelldock.model import Resource as Resource
    from shelldock.model import Sandbox as Sandbox
    from shelldock.model import Target as Target

_HOMES = {
    "AsyncHost": "shelldock.host",
    "Host": "shelldock.blocking",
    "NO_LIMIT": "shelldock.model",
    "Resource": "shelldock.model",
    "Sandbox": "shelldock.model",
    "ShelldockError": "shelldock.errors",
    "Target": "shelldock.model",
    "hookimpl": "shelldock.hookspecs",
}

__all__ = [
    "NO_LIMIT",
    "AsyncHost",
    "Host",
    "Resource",
    "Sandbox",
    "ShelldockError",
    "Target",
    "hookimpl",
]


def __getattr__(name: str) -> object:
    # Not imported until asked for: a plugin that only answers hooks, and `shelldock --help`, need no database.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
