"""Turns tables of plain data into typed values, and says by name what is unknown or of a wrong type."""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from shelldock.errors import SettingsError, nearest

T = TypeVar("T")
Table = dict[str, object]

NOTHING: Final = frozenset({"none", "never", "no limit", "unlimited", "inf", ""})
"""Texts that mean no limit where seconds are asked for."""

TRUTHS: Final = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off"), False),
}


def convert(
    table: Mapping[str, object],
    cls: type[T],
    path: str,
    source: Callable[[str], str],
    is_text: Callable[[str], bool],
) -> T:
    """An object of ``cls`` from a table; what the table lacks has its default.

    :param path: dotted name of the table, for messages.
    :param source: tells for a dotted name where it was set.
    :param is_text: whether values from that source are text, to be read as what the field's type wants.
    """
    types = fields(cls)
    values = {}
    for key, value in table.items():
        name = f"{path}.{key}" if path else key
        if key not in types:
            raise SettingsError(
                f"unknown setting {name!r}{offer(key, types, path)} (set by: {_where(name, value, source)})"
            )
        values[key] = _value(value, types[key], name, source, is_text)
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        missing = [f"{path}.{one}" for one in _required(cls) if one not in values]
        why = f"{', '.join(map(repr, missing))} must be set" if missing else f"{path!r}: {error}"
        raise SettingsError(f"settings cannot be used: {why}") from error


def fields(cls: type) -> dict[str, Any]:
    """The names and types of the fields of a msgspec Struct or a dataclass; none for another class."""
    if issubclass(cls, msgspec.Struct):
        return {field.name: field.type for field in msgspec.structs.fields(cls)}
    if dataclasses.is_dataclass(cls):
        hints = typing.get_type_hints(cls, include_extras=True)
        return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}
    return {}


def offer(name: str, known: Iterable[str], path: str = "") -> str:
    """The nearest known names of a table, as the end of a sentence; failing that, all of them."""
    near = nearest(name, known)
    names = [repr(f"{path}.{one}" if path else one) for one in near or sorted(known)]
    if near:
        return f"; did you mean {' or '.join(names)}?"
    return f"; there are {', '.join(names)}" if names else "; there are none"


def _required(cls: type) -> list[str]:
    if issubclass(cls, msgspec.Struct):
        return [field.name for field in msgspec.structs.fields(cls) if field.required]
    if dataclasses.is_dataclass(cls):
        empty = dataclasses.MISSING
        found = [one for one in dataclasses.fields(cls) if one.init]
        return [one.name for one in found if one.default is empty and one.default_factory is empty]
    return []


def _value(
    value: object,
    kind: Any,
    name: str,
    source: Callable[[str], str],
    is_text: Callable[[str], bool],
) -> object:
    if isinstance(value, dict):
        if isinstance(kind, type) and fields(kind):
            return convert(value, kind, name, source, is_text)
        below = typing.get_args(kind)[1] if typing.get_origin(kind) is dict else None
        if isinstance(below, type) and fields(below):
            return {
                key: _value(one, below, f"{name}.{key}", source, is_text)
                for key, one in value.items()
            }
    where = _where(name, value, source)
    try:
        read = (
            _from_text(value, kind)
            if isinstance(value, str) and (is_text(where) or _is_number(kind))
            else value
        )
        read = msgspec.convert(read, kind, strict=not is_text(where))
        if isinstance(read, float) and math.isnan(read):
            raise ValueError("not a number")
    except (ValueError, TypeError) as error:
        raise SettingsError(
            f"setting {name!r} must be {_described(kind)}, not {value!r}{_detail(error)} (set by: {where})"
        ) from error
    return read


def _where(name: str, value: object, source: Callable[[str], str]) -> str:
    """Where a setting was set; for a table, where the first setting in it was."""
    while isinstance(value, dict) and value:
        key, value = next(iter(value.items()))
        name = f"{name}.{key}"
    return source(name)


def _from_text(text: str, kind: Any) -> object:
    """What a variable's text means where ``kind`` is wanted."""
    info = msgspec.inspect.type_info(kind)
    text = text.strip()
    if isinstance(info, msgspec.inspect.FloatType):
        return math.inf if text.casefold() in NOTHING else float(text)
    if isinstance(info, msgspec.inspect.IntType):
        return int(text)
    if isinstance(info, msgspec.inspect.BoolType):
        return TRUTHS.get(text.casefold(), text)
    if isinstance(
        info, msgspec.inspect.ListType | msgspec.inspect.VarTupleType | msgspec.inspect.SetType
    ):
        return msgspec.json.decode(text) if text.startswith("[") else text.split()
    if isinstance(info, msgspec.inspect.DictType):
        return msgspec.json.decode(text)
    return text


def _is_number(kind: Any) -> bool:
    """Whether no limit may be written as a word, in a file too."""
    return isinstance(msgspec.inspect.type_info(kind), msgspec.inspect.FloatType)


def _described(kind: Any) -> str:
    match msgspec.inspect.type_info(kind):
        case msgspec.inspect.FloatType(ge=least):
            return (
                "a number" + (f" of at least {least:g}" if least is not None else "") + " or 'none'"
            )
        case msgspec.inspect.IntType(ge=least):
            return "a whole number" + (f" of at least {least}" if least is not None else "")
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.StrType():
            return "text"
        case msgspec.inspect.LiteralType(values=values):
            return "one of " + ", ".join(map(repr, values))
        case (
            msgspec.inspect.ListType() | msgspec.inspect.VarTupleType() | msgspec.inspect.SetType()
        ):
            return "a list"
        case (
            msgspec.inspect.DictType()
            | msgspec.inspect.StructType()
            | msgspec.inspect.DataclassType()
        ):
            return "a table"
        case _:
            return str(kind)


def _detail(error: Exception) -> str:
    """Where inside of a list or table the fault is, as msgspec says it."""
    text = str(error)
    return f" ({text})" if " at `$" in text else ""
