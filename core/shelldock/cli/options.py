"""Arguments and options that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final, NamedTuple

import typer

from shelldock.errors import InputError
from shelldock.inputs import Inputs as Given


class General(NamedTuple):
    """What was given before the command."""

    settings: Path | None = None
    verbose: bool = False
    server: str = ""
    """A URL, ``local``, or empty."""


LOCAL: Final = "local"
"""In place of the URL of a server: none."""


def alone(general: General, command: str) -> None:
    """Raise ``InputError`` where ``--server`` is given to a command that works on this machine alone."""
    if general.server not in ("", LOCAL):
        raise InputError(
            f"{command!r} works on this machine and asks no server; leave out --server"
        )


AsJson = Annotated[
    bool, typer.Option("--json", help="Print JSON on standard output, errors as well.")
]

Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="NAME=VALUE",
        help="Inputs of the command; NAME=@FILE reads a file (@- standard input), @@ begins with an @.",
        show_default=False,
    ),
]

Values = Annotated[
    list[str] | None,
    typer.Option(
        "--value",
        metavar="VALUE",
        help="A value in place of NAME=VALUE, for the next parameter in order. Repeatable.",
        show_default=False,
    ),
]

Attributes = Annotated[
    list[str] | None,
    typer.Option(
        "--attribute",
        "-a",
        metavar="NAME=VALUE",
        help="Set an attribute, by its full or short name; VALUE as for inputs. Repeatable.",
        show_default=False,
    ),
]

Address = Annotated[str, typer.Option(help="Address of the resource.", show_default=False)]

Python = Annotated[
    str | None,
    typer.Option(
        metavar="VERSION-or-PATH",
        help="Interpreter for the driver, in place of the shell's choice.",
    ),
]

Variables = Annotated[
    list[str] | None,
    typer.Option(
        "--env",
        metavar="NAME=VALUE",
        help="Set an environment variable of the driver; VALUE as for inputs. Repeatable.",
        show_default=False,
    ),
]

InSandbox = Annotated[
    str,
    typer.Option(
        metavar="ID",
        help="Run it in this sandbox; without a server, in one of this id and name.",
        show_default=False,
    ),
]

Ports = Annotated[
    list[str] | None,
    typer.Option(
        "--port",
        metavar="NAME",
        help="Full name of a port, for connected commands. Repeatable.",
        show_default=False,
    ),
]

Timeout = Annotated[
    float | None,
    typer.Option(metavar="SECONDS", min=0, help="How long the command may run."),
]

Debug = Annotated[
    str,
    typer.Option(
        metavar="PORT",
        help="Have the driver wait on this port for a debugger (debugpy) before it initializes.",
        show_default=False,
    ),
]

_STANDARD_INPUT: Final = "-"


def pairs(given: Iterable[str] | None) -> dict[str, str]:
    """``NAME=VALUE`` arguments as a dictionary. ``InputError`` where one is none, or a name is there twice."""
    found: dict[str, str] = {}
    for text in given or ():
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputError(f"expected NAME=VALUE, got {text!r}")
        if name in found:
            raise InputError(f"{name!r} is given twice")
        found[name] = _value(name, value)
    return found


def given(inputs: Iterable[str] | None, values: Sequence[str] | None) -> Given:
    """The inputs of a command: ``NAME=VALUE`` arguments, or values alone. ``InputError`` where they are mixed."""
    if not values:
        return pairs(inputs)
    if inputs:
        raise InputError("inputs are given as NAME=VALUE or with --value, not both")
    return [_value(f"value {number}", text) for number, text in enumerate(values, 1)]


def _value(name: str, text: str) -> str:
    if not text.startswith("@"):
        return text
    place = text[1:]
    if place.startswith("@"):
        return place
    try:
        if place == _STANDARD_INPUT:
            return sys.stdin.read()
        return Path(place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"cannot read the value of {name!r} from {place!r}: {reason}") from None
