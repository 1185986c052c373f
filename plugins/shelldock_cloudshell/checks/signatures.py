"""Where the metadata and the driver's class have drifted apart (D8); names count, the order never does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shelldock.errors import nearest
from shelldock.model import Finding
from shelldock_cloudshell.checks.document import Document, Entry
from shelldock_cloudshell.checks.rules import Place, finding
from shelldock_cloudshell.drivers import DISCOVERY, INJECTED, LIFE_CYCLE, OF_THE_HOST
from shelldock_cloudshell.source import Look, Method

_CANCELLATION: Final = "cancellation_context"


def check(document: Document, found: Look, main_class: str) -> Iterator[Finding]:
    """What only both together can tell. ``found`` has the class."""
    methods = {method.name: method for method in found.methods}
    declared = document.first()
    for name, command in declared.items():
        if name in methods:
            yield from _parameters(command, methods[name])
            yield from _cancellation(command, methods[name])
        else:
            yield _missing(command, found, main_class)
    for name, method in methods.items():
        if name not in declared and name not in LIFE_CYCLE and name != DISCOVERY:
            message = (
                f"method {name!r} is public and so a command, shown to all under its Python name; "
                "declare it in drivermetadata.xml, or begin its name with an underscore"
            )
            yield finding("undeclared-method", _place(method), message)


def _missing(command: Entry, found: Look, main_class: str) -> Finding:
    if not found.complete:
        message = (
            f"command {command.name!r} has no method in the sources, and {found.reason}: "
            "running it fails unless that brings it"
        )
        return finding("unseen-method", command.place, message)
    near = nearest(command.name, (method.name for method in found.methods))
    offer = f"did you mean {near[0]!r}? or " if near else ""
    message = (
        f"command {command.name!r} has no public method in {main_class!r}, so running it fails; "
        f"{offer}write the method, or remove the command"
    )
    return finding("missing-method", command.place, message)


def _parameters(command: Entry, method: Method) -> Iterator[Finding]:
    own = dict(method.parameters)
    declared = {one.name: one for one in command.parameters if one.name}
    unknown = [] if method.rest else [name for name in declared if name not in own]
    spare = [name for name in own if name not in {*declared, *INJECTED}]
    by_order = dict(zip(unknown, spare, strict=True)) if len(unknown) == len(spare) else {}
    for name in unknown:
        yield _unknown(command, declared[name], by_order.get(name))
    for name in spare:
        if name not in by_order.values() and not own[name] and name not in OF_THE_HOST:
            message = (
                f"{command.name!r} requires {name!r}, which the metadata do not declare: "
                "users cannot give it, and it is empty; declare it, or give it a default"
            )
            yield finding("undeclared-parameter", _place(method), message)


def _unknown(command: Entry, parameter: Entry, instead: str | None) -> Finding:
    if instead:
        outcome = f"what callers give goes to {instead!r}, as the order is all there is to go by"
    else:
        outcome = "what callers give is lost"
    message = (
        f"method {command.name!r} has no parameter {parameter.name!r}: {outcome}; "
        "call both alike, or remove it"
    )
    return finding("unknown-parameter", parameter.place, message)


def _cancellation(command: Entry, method: Method) -> Iterator[Finding]:
    takes = method.rest or _CANCELLATION in dict(method.parameters)
    declared = command.said.holds("enablecancellation")
    if declared and not takes:
        message = (
            f"{command.name!r} offers to be cancelled, and its method takes no {_CANCELLATION}, so "
            "cancelling does nothing; take and heed it, or remove EnableCancellation"
        )
        yield finding("cancellation-ignored", command.place, message)
    elif takes and not method.rest and command.said.raw("enablecancellation") is None:
        message = (
            f"the method of {command.name!r} takes a {_CANCELLATION} that is never used, as nobody "
            'may cancel it; add EnableCancellation="true", or "false" if that is meant'
        )
        yield finding("cancellation-undeclared", command.place, message)


def _place(method: Method) -> Place:
    return Place(method.path, method.line)
