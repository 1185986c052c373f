"""Errors as the command line tells them: one line or one JSON object, and an exit code."""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from typing import Final

import typer

from shelldock.errors import ShelldockError

COMMAND_FAILED: Final = 1
USAGE: Final = 2
NOT_THERE: Final = 3
NOT_STARTED: Final = 4
INTERNAL: Final = 5
FOUND: Final = 6
"""``shell check`` found what counts: no error of anybody's, and no ``code``."""
DENIED: Final = 7
INTERRUPTED: Final = 130

EXIT_CODES: Final = {
    "driver": COMMAND_FAILED,
    "discovery": COMMAND_FAILED,
    "lost": COMMAND_FAILED,
    "limit": COMMAND_FAILED,
    "cancelled": COMMAND_FAILED,
    "pending": COMMAND_FAILED,
    "usage": USAGE,
    "input": USAGE,
    "settings": USAGE,
    "conflict": USAGE,
    "cycle": USAGE,
    "excluded": USAGE,
    "queue-full": COMMAND_FAILED,
    "reserved": USAGE,
    "closing": USAGE,
    "held": USAGE,
    "login": DENIED,
    "denied": DENIED,
    "not-found": NOT_THERE,
    "no-driver": NOT_THERE,
    "no-discovery": NOT_THERE,
    "shell": NOT_THERE,
    "unreachable": NOT_THERE,
    "environment": NOT_STARTED,
    "python": NOT_STARTED,
    "start": NOT_STARTED,
    "broken": NOT_STARTED,
    "plugin": INTERNAL,
    "store": INTERNAL,
    "error": INTERNAL,
}
"""The exit code for the ``code`` of each error; documented in ``docs/reference/exit-codes.md``."""

# Typer brings a click of its own in newer versions; this is whichever it uses.
_ClickError: Final[type[Exception]] = typer.BadParameter.__mro__[2]


def fail(
    code: str,
    message: str,
    facts: Mapping[str, object] | None = None,
    *,
    as_json: bool = False,
    verbose: bool = False,
    more: Mapping[str, object] | None = None,
) -> int:
    """Tell a failure; returns the exit code for it.

    :param facts: what is known of it besides; its ``trace`` is shown where ``verbose``.
    :param more: what the JSON object has beside ``error``.
    """
    facts = facts or {}
    if as_json:
        told = {"error": {"code": code, "message": message, **facts}, **(more or {})}
        print(json.dumps(told, ensure_ascii=False, default=str))
    else:
        print(f"shelldock: {' '.join(message.split())}", file=sys.stderr)
    if verbose and facts.get("trace"):
        print(str(facts["trace"]).rstrip(), file=sys.stderr)
    return EXIT_CODES.get(code, COMMAND_FAILED)


def explain(error: BaseException, arguments: Sequence[str]) -> int:
    """Tell whatever ended a command line; returns the exit code.

    :param arguments: the command line, which may be what is wrong: so they are looked at as they were typed.
    """
    as_json = "--json" in arguments
    verbose = "--verbose" in arguments or "-v" in arguments
    if isinstance(error, KeyboardInterrupt | typer.Abort):
        return INTERRUPTED
    if isinstance(error, SystemExit):
        if isinstance(error.__context__, BrokenPipeError):
            return _hung_up()
        return error.code if isinstance(error.code, int) else INTERNAL
    if isinstance(error, ShelldockError):
        return fail(error.code, str(error), error.facts, as_json=as_json, verbose=verbose)
    if isinstance(error, _ClickError):
        if not str(error):  # no arguments at all: the help was shown instead
            return USAGE
        return fail("usage", _usage(error), as_json=as_json)
    trace = "".join(traceback.format_exception(error))
    message = f"internal error, please report it: {type(error).__name__}: {error}"
    return fail("error", message, {"trace": trace}, as_json=as_json, verbose=verbose)


def _usage(error: Exception) -> str:
    message = getattr(error, "format_message", error.__str__)().rstrip(".")
    context = getattr(error, "ctx", None)
    where = context.command_path if context else "shelldock"
    return f"{message[:1].lower()}{message[1:]}; see '{where} --help'"


def _hung_up() -> int:
    """Whoever read our output has enough; Python would complain when it flushes at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
