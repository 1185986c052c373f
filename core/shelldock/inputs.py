"""Checks a command and its inputs against what the shell declares, before anything is started for it."""

from __future__ import annotations

from collections.abc import Mapping

from shelldock.errors import InputError, NotFoundError, nearest
from shelldock.model import Command, Driver

DISCOVERY = "get_inventory"
"""Never declared, and often inherited: whether the class has it is seen when it is called."""


def check(driver: Driver, name: str, inputs: Mapping[str, str]) -> dict[str, str]:
    """The inputs as they go to the driver.

    Raises ``NotFoundError`` for a command that the driver does not have, and ``InputError`` for an input that it does
    not take, that is missing, or that is none of the choices. What cannot be known from outside (a class that could
    not be read) is left for the driver's process to find.
    """
    command = driver.command(name)
    if command is None:
        if driver.complete and name != DISCOVERY:
            known = sorted(one.name for one in driver.commands)
            listed = f"it has {', '.join(known)}" if known else "it has none"
            raise NotFoundError("command", name, known, listed)
        return dict(inputs)
    _refuse_unknown(driver, command, inputs)
    return _filled(command, inputs)


def _refuse_unknown(driver: Driver, command: Command, inputs: Mapping[str, str]) -> None:
    known = [parameter.name for parameter in command.parameters]
    unknown = [name for name in inputs if name not in known]
    if not unknown or not driver.complete:
        return
    near = nearest(unknown[0], known)
    offer = f"; did you mean {near[0]!r}?" if near else ""
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    raise InputError(
        f"command {command.name!r} has no input {', '.join(map(repr, unknown))}; {takes}{offer}"
    )


def _filled(command: Command, inputs: Mapping[str, str]) -> dict[str, str]:
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
    return dict(inputs)
