"""Exceptions in words."""

from __future__ import annotations

import os
import traceback
from types import TracebackType
from typing import List, Optional, Tuple

from shelldriver.wire import Message

_LONGEST = 200000
"""Characters of a message or a trace; more than that helps nobody."""

_HERE = os.path.dirname(os.path.abspath(__file__))


def described(error: BaseException) -> Message:
    """The fields ``type``, ``text`` and ``trace`` of a frame."""
    return {
        "type": type(error).__name__,
        "text": _clip(message(error)),
        "trace": _clip(trace(error)),
    }


def message(error: BaseException) -> str:
    """What the exception says; several arguments joined, as in ``Exception("Component", "text")``."""
    plain = type(error).__str__ is BaseException.__str__
    try:
        if plain and len(error.args) > 1:
            return ": ".join(str(argument) for argument in error.args)
        return str(error)
    except Exception:  # A stranger's __str__.
        return "(its text cannot be had: __str__ of %s raises)" % type(error).__name__


def one_line(error: BaseException) -> str:
    """Type and message, in one line."""
    words = " ".join(_clip(message(error)).split())
    return "%s: %s" % (type(error).__name__, words) if words else type(error).__name__


def trace(error: BaseException) -> str:
    """The trace as Python prints it, from the first frame that is not ours."""
    try:
        return "".join(
            traceback.format_exception(type(error), error, _strangers(error.__traceback__))
        )
    except Exception:  # Strangers' code again: __str__, __cause__, loaders that give source lines.
        return "(its trace cannot be had)\n%s\n" % type(error).__name__


def where(error: BaseException, source: str) -> str:
    """``file:line`` of the innermost place inside the folder ``source``, relative to it; else empty."""
    places = _places(error)
    for file, line in reversed(places):
        inside = relative(file, source)
        if inside:
            return "%s:%d" % (inside, line)
    return ""


def relative(file: Optional[str], source: str) -> str:
    """``file`` relative to the folder ``source``; empty where it is not inside."""
    root = os.path.join(os.path.abspath(source), "")
    path = os.path.abspath(file or "")
    return path[len(root) :] if path.startswith(root) else ""


def _places(error: BaseException) -> List[Tuple[str, int]]:
    places = [
        (frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)
    ]
    if isinstance(error, SyntaxError) and error.filename:
        places.append((error.filename, error.lineno or 1))
    return places


def _strangers(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    rest = trace
    while rest is not None and rest.tb_frame.f_code.co_filename.startswith(_HERE):
        rest = rest.tb_next
    return rest


def _clip(text: str) -> str:
    if len(text) <= _LONGEST:
        return text
    half = _LONGEST // 2
    return "%s\n… %d characters left out …\n%s" % (text[:half], len(text) - 2 * half, text[-half:])
