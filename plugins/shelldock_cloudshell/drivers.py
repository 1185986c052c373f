"""Putting a driver together: its metadata say how commands look, its class which there are."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec.structs import replace

from shelldock.errors import ShellError
from shelldock.model import Command, Driver, Parameter
from shelldock_cloudshell import metadata, source
from shelldock_cloudshell.metadata import Metadata
from shelldock_cloudshell.source import Look, Method

LIFE_CYCLE: Final = frozenset({"initialize", "cleanup"})
DISCOVERY: Final = "get_inventory"
CANCELLATION: Final = "cancellation_context"
INJECTED: Final = frozenset({"context", CANCELLATION})
OF_THE_HOST: Final = frozenset({"ports", "request", "requests"})
"""Parameters that the server fills, so that no caller is asked for them."""


def read(folder: Path) -> Driver:
    """The driver whose sources are ``folder``.

    Without ``drivermetadata.xml`` the one class called ``…Driver`` is it, for Python 3 (D1).
    Raises ``ShellError`` where there is none, several, or the metadata are malformed.
    """
    path = folder / metadata.FILE
    said = metadata.read(path) if path.is_file() else Metadata(python="3")
    main_class = said.main_class or source.only_driver(folder)
    _check(path, main_class)
    found = source.look(folder, main_class)
    return Driver(
        name=said.name or main_class.rpartition(".")[2],
        version=said.version or "1.0.0",
        main_class=main_class,
        source=folder,
        digest=source.digest(folder),
        python=said.python,
        commands=tuple(_merged(said.commands, found)),
        complete=found.complete,
        note=found.reason,
    )


def _check(path: Path, main_class: str) -> None:
    parts = main_class.split(".")
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        raise ShellError(path, f"MainClass is {main_class!r}; expected 'module.Class'")


def _merged(declared: tuple[Command, ...], found: Look) -> list[Command]:
    """Declared commands in their order, each with what only its method names, then the undeclared (C1, D8)."""
    methods = {method.name: method for method in found.methods}
    merged = [_completed(command, methods.pop(command.name, None)) for command in declared]
    merged += [_undeclared(one) for name, one in methods.items() if name not in LIFE_CYCLE]
    return merged


def _completed(command: Command, method: Method | None) -> Command:
    if command.name == DISCOVERY:
        command = replace(command, hidden=True)
    if method is None:
        return command
    names = {parameter.name for parameter in command.parameters}
    more = tuple(
        Parameter(name=name, declared=False)
        for name, _ in method.parameters
        if name not in INJECTED and name not in names
    )
    return replace(command, parameters=command.parameters + more, takes_any=method.rest)


def _undeclared(method: Method) -> Command:
    parameters = tuple(
        Parameter(
            name=name,
            mandatory=not has_default and name not in OF_THE_HOST,
            declared=False,
        )
        for name, has_default in method.parameters
        if name not in INJECTED
    )
    return Command(
        name=method.name,
        cancellable=CANCELLATION in (name for name, _ in method.parameters),
        hidden=method.name == DISCOVERY,
        declared=False,
        parameters=parameters,
        takes_any=method.rest,
    )
