"""How the commands of a driver are shown to people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import RenderableType
from rich.table import Table

from shelldock.model import Command, Parameter


def listed(commands: Iterable[Command], *, hidden: bool) -> list[Command]:
    """Those that users are shown (D3); all of them with ``hidden``."""
    return [one for one in commands if hidden or not one.hidden]


def described(commands: Iterable[Command]) -> RenderableType:
    """A command a row: its inputs, what it does, and who may do what with it."""
    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="bold", no_wrap=True)
    made.add_column(overflow="fold")
    for one in commands:
        made.add_row(one.name, "\n".join(filter(None, _lines(one))))
    return made


def _lines(command: Command) -> list[str]:
    inputs = [
        one for one in command.parameters if one.declared or not (command.declared or _filled(one))
    ]
    names = " ".join(one.name if one.mandatory else f"[{one.name}]" for one in inputs)
    return [
        names,
        ": ".join(filter(None, (_label(command), command.description))),
        *(_values(one) for one in inputs),
        "; ".join(filter(None, _rules(command))),
    ]


def _label(command: Command) -> str:
    """What the metadata call it, where that says more than the name."""
    same = command.label.replace(" ", "_").casefold() == command.name.casefold()
    return "" if same else command.label


def _filled(parameter: Parameter) -> bool:
    return parameter.name == "ports"


def _values(parameter: Parameter) -> str:
    """What a parameter may be, where the metadata say it (D7)."""
    choices = f"one of {', '.join(parameter.choices)}" if parameter.choices else ""
    default = f"default {parameter.default!r}" if parameter.default else ""
    said = ", ".join(filter(None, (choices, default)))
    return f"{parameter.name}: {said}" if said else ""


def _rules(command: Command) -> list[str]:
    return [
        f"in {command.category!r}" if command.category else "",
        "hidden" if command.hidden else "",
        "for administrators" if command.admin_only else "",
        "can be cancelled" if command.cancellable else "",
        f"tags {', '.join(command.tags)}" if command.tags else "",
    ]
