"""The Python modules of a driver, parsed; nothing of them is ever imported."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shelldock_cloudshell import source
from shelldock_cloudshell.checks.rules import Place

_OF_TESTS: Final = frozenset({"test", "tests", "setup", "conftest"})


@dataclass(frozen=True)
class Module:
    """One file. ``tree`` is None where it cannot be parsed; ``error`` then says why, and where that is known."""

    name: str
    """Dotted, as it is imported."""
    path: Path
    text: str = ""
    tree: ast.Module | None = None
    error: str = ""
    line: int = 0
    column: int = 0

    @property
    def package(self) -> str:
        """The name of the package that it is in, or is; empty at the top."""
        return self.name if self.path.stem == "__init__" else self.name.rpartition(".")[0]

    def place(self, node: ast.expr | ast.stmt) -> Place:
        """Where ``node`` is."""
        return Place(self.path, node.lineno, node.col_offset + 1)


def read(folder: Path) -> list[Module]:
    """Every module below ``folder`` that could be imported, sorted by path; those of tests are left out."""
    return [
        _module(name, path)
        for path in source.files(folder)
        if path.suffix == ".py" and (name := _name(folder, path))
    ]


def _name(folder: Path, path: Path) -> str:
    parts = list(path.relative_to(folder).with_suffix("").parts)
    if parts[-1] == "__init__":
        parts.pop()
    tests = any(part in _OF_TESTS or part.startswith("test_") for part in parts)
    return ".".join(parts) if all(part.isidentifier() for part in parts) and not tests else ""


def _module(name: str, path: Path) -> Module:
    try:
        if path.stat().st_size > source.MOST:
            return Module(name, path, error="it is too large to be looked at")
        content = path.read_bytes()
    except OSError as error:
        return Module(name, path, error=f"it cannot be opened: {error.strerror}")
    text = _text(content)
    try:
        return Module(name, path, text, source.parse(content))
    except SyntaxError as error:
        return Module(name, path, text, None, error.msg, error.lineno or 0, error.offset or 0)
    except source.UNPARSABLE as error:
        return Module(name, path, text, None, str(error) or type(error).__name__)


def _text(content: bytes) -> str:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError:
        encoding = "utf-8"
    return content.decode(encoding, errors="replace")


def classes(module: Module) -> list[str]:
    """The names of the classes that a module defines."""
    nodes = ast.walk(module.tree) if module.tree is not None else ()
    return [node.name for node in nodes if isinstance(node, ast.ClassDef)]


def imported(module: Module) -> set[str]:
    """The names that a module takes from others."""
    nodes = ast.walk(module.tree) if module.tree is not None else ()
    return {
        alias.asname or alias.name
        for node in nodes
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


# ---- what counts ----------------------------------------------------------------------------------


def certain(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes below ``tree`` that count on every Python 3, in order.

    Without what is tried and may fail, what depends on a version or is there for a type checker, and what runs only
    where the module is the program.
    """
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and _depends(node.test):
            continue
        if isinstance(node, ast.Try) and _may_fail(node):
            waiting += reversed([*node.orelse, *node.finalbody])
            continue
        yield node
        waiting += reversed(list(ast.iter_child_nodes(node)))


_CONDITIONS: Final = frozenset(
    {"version_info", "hexversion", "PY2", "PY3", "TYPE_CHECKING", "__name__", "python_version"}
)


def _depends(test: ast.expr) -> bool:
    return any(
        (isinstance(node, ast.Name) and node.id in _CONDITIONS)
        or (isinstance(node, ast.Attribute) and node.attr in _CONDITIONS)
        for node in ast.walk(test)
    )


def _may_fail(node: ast.Try) -> bool:
    caught = {
        name.rpartition(".")[2]
        for handler in node.handlers
        for name in (_names(handler.type) if handler.type else ["Exception"])
    }
    if caught & {"ImportError", "ModuleNotFoundError", "NameError"}:
        return True
    only_imports = all(isinstance(one, ast.Import | ast.ImportFrom) for one in node.body)
    return only_imports and bool(caught & {"Exception", "BaseException"})


def _names(kind: ast.expr) -> list[str]:
    return [ast.unparse(one) for one in (kind.elts if isinstance(kind, ast.Tuple) else [kind])]
