"""What a command returned, as text."""

from __future__ import annotations

import datetime
import decimal
import enum
import io
import ipaddress
import json
import math
import os
import socket
import types
import uuid
from collections import deque
from collections.abc import Mapping, Set
from typing import Any, Dict, List, Optional, Tuple

_TEXTUAL = (
    decimal.Decimal,
    uuid.UUID,
    os.PathLike,
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    datetime.timedelta,
)
_DATED = (datetime.date, datetime.time)
_LISTED: Tuple[Any, ...] = (list, tuple, Set, deque, range, type({}.keys()), type({}.values()))
_NO_DATA = (
    type,
    types.ModuleType,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.GeneratorType,
    types.CoroutineType,
    types.AsyncGeneratorType,
    io.IOBase,
    socket.socket,
)

_DISCOVERED = (
    ("resources", "attributes"),
    ("relative_address", "attribute_name", "attribute_value"),
    ("relative_address", "name", "model", "unique_identifier"),
)
"""The shapes of ``AutoLoadDetails`` and its parts, which some libraries keep behind properties."""

_dumps = json.JSONEncoder(ensure_ascii=False).encode


class ResultError(Exception):
    """The result cannot become text, or is too large."""


def to_text(value: object, limit: float) -> str:
    """A string as it is, nothing as the empty string, all else as JSON.

    Objects become their attributes, without type tags. Raises ``ResultError`` naming what is no data
    and where it is, or both sizes if the text has more bytes than ``limit``.
    """
    if value is None:
        return ""
    if type(value) is str:
        text = value
    elif isinstance(value, (bytes, bytearray)):
        text = _decode(value)
    else:
        text = _json(value, limit)
    _check(text, limit)
    return text


def _json(value: object, limit: float) -> str:
    try:
        data = _Walk(limit).plain(value)
        return data if isinstance(data, str) else _dumps(data)
    except RecursionError:
        raise ResultError("the result is nested too deeply to become text") from None


def _check(text: str, limit: float) -> None:
    if len(text) * 4 <= limit:
        return
    size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
    if size > limit:
        raise ResultError("the result has %d bytes, %d are allowed" % (size, limit))


def _decode(data: Any) -> str:
    return bytes(data).decode("utf-8", "backslashreplace")


class _Walk:
    """One walk through a result, which knows where it is and how far it came."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._steps = 0
        self._path: List[Tuple[str, Any]] = []
        self._above: Dict[int, int] = {}

    def plain(self, value: Any) -> Any:
        """``value`` as what JSON has: strings, numbers, lists and dictionaries."""
        if isinstance(value, enum.Enum):
            return self.plain(value.value)
        if value is None or value is True or value is False:
            return value
        if isinstance(value, str):
            return str.__str__(value)
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return (
                float(value) if math.isfinite(value) else None
            )  # JSON has no name for the others.
        if isinstance(value, (bytes, bytearray)):
            return _decode(value)
        if isinstance(value, _DATED):
            return value.isoformat()
        if isinstance(value, _TEXTUAL):
            return str(value)
        return self._container(value)

    def _container(self, value: Any) -> Any:
        if id(value) in self._above:
            back = self._place(self._above[id(value)])
            raise ResultError(
                "the result cannot become text: %s leads back to %s" % (self._place(), back)
            )
        self._above[id(value)] = len(self._path)
        if isinstance(value, Mapping):
            parts: Any = {_key(key): self._part("[%r]", key, one) for key, one in value.items()}
        elif isinstance(value, _LISTED):
            parts = [self._part("[%d]", number, one) for number, one in enumerate(value)]
        else:
            attributes = _attributes(value)
            if attributes is None:
                raise ResultError(
                    "the result cannot become text: %s is a %r, which is no data"
                    % (self._place(), _name(value))
                )
            parts = {str(name): self._part(".%s", name, one) for name, one in attributes.items()}
        del self._above[id(value)]
        return parts

    def _part(self, form: str, key: Any, value: Any) -> Any:
        # Each part takes a byte at least: what is shared a thousandfold ends here, not in memory.
        self._steps += 1
        if self._steps > self._limit:
            raise ResultError(
                "the result has more than %(n)d parts, %(n)d bytes are allowed" % {"n": self._limit}
            )
        self._path.append((form, key))
        part = self.plain(value)
        self._path.pop()
        return part

    def _place(self, depth: Optional[int] = None) -> str:
        """Where the walk is, as Python would write it; or where it was ``depth`` levels down."""
        return "result" + "".join([form % (key,) for form, key in self._path[:depth]])


def _key(key: Any) -> str:
    if isinstance(key, enum.Enum):
        return _key(key.value)
    if isinstance(key, (bytes, bytearray)):
        return _decode(key)
    return {None: "null", True: "true", False: "false"}[key] if _is_constant(key) else str(key)


def _is_constant(key: Any) -> bool:
    return key is None or key is True or key is False


def _attributes(value: Any) -> Optional[Dict[str, Any]]:
    """Attributes of an object, those in slots too; None where it is no data."""
    if isinstance(value, _NO_DATA):
        return None
    named = getattr(value, "__dict__", None)
    slots = _slots(type(value))
    if named is None and not slots:
        return None
    for shape in _DISCOVERED:
        if not (named and shape[0] in named) and all(hasattr(value, name) for name in shape):
            return {name: getattr(value, name) for name in shape}
    found = dict(named or {})
    found.update((slot, getattr(value, slot)) for slot in slots if hasattr(value, slot))
    return found


def _slots(kind: type) -> List[str]:
    names: List[str] = []
    for base in kind.__mro__:
        slots = base.__dict__.get("__slots__", ())
        names += [slots] if isinstance(slots, str) else list(slots)
    return [name for name in names if name not in ("__dict__", "__weakref__")]


def _name(value: object) -> str:
    kind = type(value)
    return (
        kind.__name__
        if kind.__module__ == "builtins"
        else "%s.%s" % (kind.__module__, kind.__name__)
    )
