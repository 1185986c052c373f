"""Imports that take a while, made when their command is called, or not at all."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType


@contextmanager
def undisturbed() -> Iterator[None]:
    """Import without the garbage collector, which would take a tenth of the time and find that all of it stays."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def deferred(*names: str) -> Iterator[None]:
    """Let what is imported meanwhile have classes of these modules that are imported when they are first called."""
    missing = [name for name in names if name not in sys.modules]
    sys.modules.update({name: _Deferred(name) for name in missing})
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]


class _Deferred(ModuleType):
    """Stands for a module of which only classes are wanted, and they only to make objects."""

    def __getattr__(self, name: str) -> type:
        def made(_: type, *arguments: object, **named: object) -> object:
            return getattr(import_module(self.__name__), name)(*arguments, **named)

        return type(name, (), {"__new__": made})
