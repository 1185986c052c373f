"""Importing a driver's class from its folder."""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import sys
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)
from types import CodeType, ModuleType
from typing import Any, Iterator, List, Optional

from shelldriver import failures
from shelldriver.wire import Message


class LoadError(Exception):
    """The module is there and the class is not."""

    def __init__(self, text: str, file: Optional[str] = None) -> None:
        super().__init__(text)
        self.file = file


def load(source: str, main: str, pycache: Optional[str]) -> Any:
    """The class ``main`` (``module.Class``), imported from the folder ``source``.

    Raises whatever the import raises, and ``LoadError`` when the class is not there.
    """
    source = os.path.abspath(source)
    if pycache:
        _keep_bytecode_away(source, pycache)
    sys.path.insert(0, source)
    importlib.invalidate_caches()
    name, dot, attribute = main.rpartition(".")
    if not dot:
        raise LoadError("the main class %r is not of the form module.Class" % main)
    return _attribute(_module(name, source), attribute)


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """Import what stays until the end, without the garbage collector: it takes a fifth of the time, and finds little.

    As Python's documentation advises who will fork: whatever is freed before leaves holes for instances to write to.
    """
    before = gc.get_threshold()
    # Not gc.disable(): that may be what the driver itself wants, and for good.
    gc.set_threshold(0)
    try:
        yield
    finally:
        gc.freeze()
        if gc.get_threshold()[0] == 0:
            gc.set_threshold(*before)


def failure(error: BaseException, source: str) -> Message:
    """The fields of a ``failed`` frame."""
    place = failures.where(error, source)
    if isinstance(error, LoadError) and error.file:
        place = "%s:1" % (failures.relative(error.file, source) or error.file)
    text = " ".join(failures.message(error).split())
    return dict(failures.described(error), text=text, where=place)


def _module(name: str, source: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if (
            error.name
            and (name + ".").startswith(error.name + ".")
            and not failures.where(error, source)
        ):
            there = ", ".join(map(repr, _modules(source))) or "none"
            raise LoadError(
                "no module %r in the driver's folder; modules there: %s" % (name, there)
            ) from error
        raise


def _modules(source: str) -> List[str]:
    names = os.listdir(source) if os.path.isdir(source) else []
    return sorted(name[:-3] for name in names if name.endswith(".py") and name != "__init__.py")


def _attribute(module: ModuleType, attribute: str) -> Any:
    found = getattr(module, attribute, None)
    if isinstance(found, type):
        return found
    there = [
        name
        for name, one in sorted(vars(module).items())
        if isinstance(one, type) and one.__module__ == module.__name__
    ]
    raise LoadError(
        "module %r has no class %r; classes there: %s"
        % (module.__name__, attribute, ", ".join(map(repr, there)) or "none"),
        getattr(module, "__file__", None),
    )


def _keep_bytecode_away(source: str, pycache: str) -> None:
    """Compile what lies in ``source`` to ``pycache`` (Python 3.8 and later; before: do not keep it).

    Only that: the bytecode of the environment's packages stays where it was compiled at installation.
    """

    class Loader(SourceFileLoader):
        def get_code(self, fullname: str) -> Optional[CodeType]:
            if sys.version_info < (3, 8):
                before = sys.dont_write_bytecode
                sys.dont_write_bytecode = True
                try:
                    return super().get_code(fullname)
                finally:
                    sys.dont_write_bytecode = before
            prefix = sys.pycache_prefix
            sys.pycache_prefix = pycache
            try:
                return super().get_code(fullname)
            finally:
                sys.pycache_prefix = prefix

    finder = FileFinder.path_hook(
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (Loader, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    )

    def hook(path: str) -> Any:
        if path == source or path.startswith(source + os.sep):
            return finder(path)
        raise ImportError("not of the driver", path=path)

    sys.path_hooks.insert(0, hook)
    sys.path_importer_cache.clear()
