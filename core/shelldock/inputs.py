"""Checks a command and its inputs against what the shell declares, before anything is started for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from shelldock.errors import InputError, NotFoundError, nearest
from shelldock.model import Command, Driver

DISCOVERY = "get_inventory"
"""Never declared, and often inherited: whether the class has it is seen when it is called."""

Inputs = Mapping[str, str] | Sequence[str]
"""What a caller gives: values by the names of a command's parameters, or values alone, in the order of those."""

_NAMED_ONLY: Final = "ports"
"""Filled from a call's own ports, so that no value by position is meant for it."""

_INJECTED: Final = frozenset({"context", "cancellation_context"})
"""Filled by the host, and nobody's inputs (C5)."""


_SECRET: Final = re.compile(
    r"pass(word|wd|phrase)|secret|token|api_?key|private_?key", re.IGNORECASE
)

MASK: Final = "********"
"""In place of what nobody shall read."""


def masked(inputs: Mapping[str, str]) -> dict[str, str]:
    """The inputs as they are recorded: what is secret by its name is not in them."""
    return {
        name: MASK if value and _SECRET.search(name) else value for name, value in inputs.items()
    }


def check(driver: Driver, name: str, inputs: Inputs) -> dict[str, str]:
    """The inputs as they go to the driver, by name.

    Values without names are those of the declared parameters in the order of the metadata, then of the others in the
    order of the signature (C3). Raises ``NotFoundError`` for a command that the driver does not have, and
    ``InputError`` for an input that it does not take, that is missing, or that is none of the choices. What cannot be
    known from outside (a class that could not be read) is left for the driver's process to find.
    """
    if isinstance(inputs, str):
        raise InputError(f"the inputs of {name!r} are one text; give them by name, or as a list")
    command = driver.command(name)
    if command is None:
        if driver.complete and name != DISCOVERY:
            known = sorted(one.name for one in driver.commands)
            listed = f"it has {', '.join(known)}" if known else "it has none"
            raise NotFoundError("command", name, known, listed)
        return _named(Command(name=name), inputs)
    given = _named(command, inputs)
    _refuse_unknown(driver, command, given)
    _refuse_unfit(command, given)
    return given


def _named(command: Command, inputs: Inputs) -> dict[str, str]:
    """Values by name, where they come without: ``InputError`` where there are more than parameters."""
    if isinstance(inputs, Mapping):
        return dict(inputs)
    names = [one.name for one in command.parameters if one.name != _NAMED_ONLY]
    if len(inputs) > len(names):
        takes = f"it takes {len(names)}: {', '.join(names)}" if names else "it takes none"
        raise InputError(f"command {command.name!r} got {len(inputs)} values; {takes}")
    return dict(zip(names, inputs, strict=False))


def _refuse_unknown(driver: Driver, command: Command, inputs: Mapping[str, str]) -> None:
    known = [parameter.name for parameter in command.parameters]
    unknown = [
        name
        for name in inputs
        if name not in known and (name in _INJECTED or not command.takes_any)
    ]
    if not unknown or not driver.complete:
        return
    near = nearest(unknown[0], known)
    offer = f"; did you mean {near[0]!r}?" if near else ""
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    raise InputError(
        f"command {command.name!r} has no input {', '.join(map(repr, unknown))}; {takes}{offer}"
    )


def _refuse_unfit(command: Command, inputs: Mapping[str, str]) -> None:
    missing = []
    for parameter in command.parameters:
        given = inputs.get(parameter.name, parameter.default)
        if parameter.mandatory and not given:
            missing.append(parameter.name)
        if parameter.choices and inputs.get(parameter.name) and given not in parameter.choices:
            choices = ", ".join(parameter.choices)
            raise InputError(
                f"input {parameter.name!r} of {command.name!r} is {given!r}; expected one of: {choices}"
            )
    if missing:
        raise InputError(
            f"no values were provided for the mandatory inputs of {command.name!r}: {', '.join(missing)}"
        )
