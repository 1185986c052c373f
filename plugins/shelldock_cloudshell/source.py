"""A static look at a driver's class: which commands its sources have. Nothing of a driver is ever imported."""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from shelldock.errors import ShellError
from shelldock.model import Value

MOST: Final = 4 * 2**20
"""Bytes of one module that is looked at; a driver's own code is never that large."""

_KNOWN_BASES: Final = frozenset(
    {
        "object",
        "ABC",
        "GlobalLock",
        "Generic",
        "Protocol",
        "ResourceDriverInterface",
        "NetworkingResourceDriverInterface",
    }
)
"""Classes from elsewhere that bring no commands of their own."""

UNPARSABLE: Final = (SyntaxError, ValueError, RecursionError, MemoryError)
"""What ``ast`` raises on text that is no Python of the host's."""


class Method(Value, frozen=True, kw_only=True):
    """One public method: its parameters without the instance's, and whether each has a default."""

    name: str
    parameters: tuple[tuple[str, bool], ...] = ()
    rest: bool = False
    """It takes arguments of any other name, too."""
    path: Path
    line: int = 0
    """Where it is defined."""


class Look(Value, frozen=True, kw_only=True):
    """What was found. ``reason`` says why ``complete`` is False: there may be methods that are not listed."""

    found: bool = True
    """False where not even the class is there."""
    methods: tuple[Method, ...] = ()
    complete: bool = True
    reason: str = ""


def look(source: Path, main_class: str) -> Look:
    """The public methods of ``main_class`` (``module.Class``) and of its bases that lie in ``source`` (C1)."""
    module, _, name = main_class.rpartition(".")
    tree = _Tree(source)
    found = tree.find(module, name, ())
    if found is None:
        return Look(
            found=False,
            complete=False,
            reason=tree.failure or f"no class {main_class!r} in the sources",
        )
    reasons: list[str] = []
    methods = {method.name: method for method in tree.methods(*found, reasons)}
    return Look(methods=tuple(methods.values()), complete=not reasons, reason="; ".join(reasons))


def parse(content: bytes) -> ast.Module:
    """The module's tree, without warnings. Raises one of ``UNPARSABLE``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's invalid escapes are none of ours
        return ast.parse(content)


def only_driver(source: Path) -> str:
    """The ``module.Class`` of the one class that is called ``…Driver`` in a folder without metadata.

    Raises ``ShellError`` naming the candidates where there is not exactly one.
    """
    tree = _Tree(source)
    modules = sorted(path.stem for path in source.glob("*.py"))
    found = [
        f"{module}.{node.name}"
        for module in modules
        for node in tree.classes(module)
        if node.name.endswith("Driver") and not node.name.startswith("_")
    ]
    if len(found) == 1:
        return found[0]
    if not found:
        raise ShellError(source, tree.failure or "no class in it has a name that ends in 'Driver'")
    raise ShellError(
        source,
        f"several classes could be the driver: {', '.join(found)}; name one in drivermetadata.xml",
    )


def digest(source: Path) -> str:
    """SHA-256 over the names and contents of all files, except for bytecode, hidden folders and environments."""
    total = hashlib.sha256()
    for path in files(source):
        name = path.relative_to(source).as_posix().encode("utf-8", "surrogateescape")
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").digest()
        total.update(len(name).to_bytes(4, "big") + name + content)
    return total.hexdigest()


def files(source: Path) -> list[Path]:
    """The files that make up a driver, sorted by name."""
    return sorted(_files(source))


def _files(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    real = folder.resolve()
    if real in above:  # a link that leads in a circle
        return
    for path in folder.iterdir():
        if path.is_dir():
            if not is_foreign(path):
                yield from _files(path, above | {real})
        elif path.is_file() and path.suffix not in (".pyc", ".pyo"):
            yield path


def is_foreign(folder: Path) -> bool:
    """Whether a folder is no part of a driver: hidden, bytecode, or a virtual environment."""
    hidden = folder.name.startswith(".") or folder.name == "__pycache__"
    return hidden or (folder / "pyvenv.cfg").exists()


class _Tree:
    """The modules below one folder, parsed as they are asked for."""

    def __init__(self, source: Path) -> None:
        self._source = source
        self._bodies: dict[str, list[ast.stmt]] = {}
        self.failure = ""

    def body(self, module: str) -> list[ast.stmt]:
        """The statements of a module; none where it is not here or cannot be parsed (then ``failure`` says why)."""
        if module not in self._bodies:
            self._bodies[module] = self._parsed(module)
        return self._bodies[module]

    def classes(self, module: str) -> Iterator[ast.ClassDef]:
        """The classes at the top of a module."""
        return (node for node in _flat(self.body(module)) if isinstance(node, ast.ClassDef))

    def find(
        self, module: str, name: str, seen: tuple[str, ...]
    ) -> tuple[str, ast.ClassDef] | None:
        """The class that ``name`` means in ``module``, also by imports from other modules here."""
        here = f"{module}:{name}"
        if here in seen or not name:
            return None
        classes = [node for node in self.classes(module) if node.name == name]
        if classes:
            return module, classes[-1]
        for node in _flat(self.body(module)):
            for target, original in self._imported(module, node, name):
                if found := self.find(target, original, (*seen, here)):
                    return found
        return None

    def methods(
        self, module: str, node: ast.ClassDef, reasons: list[str], seen: tuple[str, ...] = ()
    ) -> Iterator[Method]:
        """Public methods, those of bases first, so that the nearest definition comes last."""
        here = f"{module}.{node.name}"
        for base in reversed(node.bases):
            found = self._base(module, base)
            if found is None:
                _not_here(base, reasons)
            elif f"{found[0]}.{found[1].name}" not in (*seen, here):
                yield from self.methods(*found, reasons, (*seen, here))
        path = self._path(module)
        assert path is not None, "the class was found in it"
        yield from _methods(node, path, reasons)

    def _base(self, module: str, base: ast.expr) -> tuple[str, ast.ClassDef] | None:
        name = ast.unparse(base)
        first, _, rest = name.rpartition(".")
        return self.find(first, rest, ()) if first else self.find(module, name, ())

    def _imported(self, module: str, node: ast.stmt, name: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, ast.ImportFrom):
            origin = self._absolute(module, node)
            for alias in node.names:
                if (alias.asname or alias.name) == name or alias.name == "*":
                    yield origin, name if alias.name == "*" else alias.name

    def _absolute(self, module: str, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        package = module if self._is_package(module) else module.rpartition(".")[0]
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])]).strip(".")

    def _is_package(self, module: str) -> bool:
        return (self._source.joinpath(*module.split(".")) / "__init__.py").is_file()

    def _parsed(self, module: str) -> list[ast.stmt]:
        path = self._path(module)
        if path is None:
            return []
        try:
            return parse(path.read_bytes()).body
        except UNPARSABLE as error:
            line = (
                f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
            )
            said = (
                error.msg if isinstance(error, SyntaxError) else str(error) or type(error).__name__
            )
            self.failure = f"{path.name}{line} is no Python 3 that can be read here: {said}"
        except OSError as error:
            self.failure = f"{path.name} cannot be read: {error.strerror}"
        return []

    def _path(self, module: str) -> Path | None:
        parts = module.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        base = self._source.joinpath(*parts)
        paths = (base / "__init__.py", base.with_name(f"{base.name}.py"))
        found = next((path for path in paths if path.is_file()), None)
        if found is not None and found.stat().st_size > MOST:
            self.failure = f"{found.name} is too large to be looked at"
            return None
        return found


def _flat(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, also those under ``if`` and ``try``."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            yield from _flat([*node.orelse, *node.body])
        elif isinstance(node, ast.Try):
            yield from _flat([*node.body, *node.orelse])
            yield from _flat(statement for handler in node.handlers for statement in handler.body)


def _not_here(base: ast.expr, reasons: list[str]) -> None:
    called = base.value if isinstance(base, ast.Subscript) else base
    name = ast.unparse(called)
    if name.rpartition(".")[2] not in _KNOWN_BASES:
        reasons.append(f"base class {name!r} is not in the sources")


def _methods(node: ast.ClassDef, path: Path, reasons: list[str]) -> Iterator[Method]:
    known: dict[str, Method] = {}
    for statement in _flat(node.body):
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
            if statement.name in ("__getattr__", "__getattribute__"):
                reasons.append(f"class {node.name!r} makes up its attributes ({statement.name})")
            if not _is_property(statement):
                known[statement.name] = _method(statement, path)
        elif isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Name):
            original = known.get(statement.value.id)
            names = [one.id for one in statement.targets if isinstance(one, ast.Name)]
            known |= {name: replace(original, name=name) for name in names if original}
    return (method for method in known.values() if not method.name.startswith("_"))


def _is_property(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    names = {ast.unparse(one).rpartition(".")[2] for one in node.decorator_list}
    return bool(names & {"property", "cached_property", "setter", "deleter", "getter"})


def _method(node: ast.FunctionDef | ast.AsyncFunctionDef, path: Path) -> Method:
    arguments = node.args
    positional = [*arguments.posonlyargs, *arguments.args]
    without = len(positional) - len(arguments.defaults)
    found = [(one.arg, index >= without) for index, one in enumerate(positional)]
    if "staticmethod" not in (ast.unparse(one) for one in node.decorator_list):
        found = found[1:]
    found += [
        (one.arg, default is not None)
        for one, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return Method(
        name=node.name,
        parameters=tuple(found),
        rest=arguments.kwarg is not None,
        path=path,
        line=node.lineno,
    )
