"""The classes that clients build from replies, and how they are written as XML.

A field is named on the wire as CloudShell names it (``resource_family_name`` → ``ResourceFamilyName``). Scalars become
attributes and are always written, since a client that finds none of them keeps Python classes in their place; tuples
become a container of elements; None is left out.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Final

import msgspec

_HEAD: Final = (
    '<?xml version="1.0" encoding="utf-8"?><Response CommandName="{}" Success="{}" '
    # Clients cut this namespace out as literal text: no other spelling of it would do.
    'xmlns="http://schemas.qualisystems.com/ResourceManagement/ApiCommandResult.xsd" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
)
# What XML cannot hold (control characters, lone surrogates) and what must be written as a reference in an attribute.
_SPECIAL: Final = re.compile('[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_REFERENCES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}

Scalar = str | bool | int


class Info(msgspec.Struct, frozen=True, rename="pascal"):
    """A class of the client's; the struct must be called as it is there."""


def success(operation: str, info: Info | None = None) -> bytes:
    """The reply to ``operation``: with ``info``, or without where the client expects nothing."""
    # An <Error> here, even an empty one, reads as a failure to some clients.
    answer = "" if info is None else _element("ResponseInfo", info, typed=True)
    return _document(operation, "true", f"<ErrorCode>0</ErrorCode>{answer}")


def failure(operation: str, code: int, message: str) -> bytes:
    """The reply to ``operation`` that makes the client raise ``CloudShellAPIError(code, message)``."""
    # Without a text the client's exception cannot even be printed.
    error = escape(message.strip() or "failed without saying why")
    return _document(operation, "false", f"<Error>{error}</Error><ErrorCode>{code}</ErrorCode>")


def escape(text: str) -> str:
    """``text`` as it may stand in an attribute or an element; what XML cannot hold becomes U+FFFD."""
    return _SPECIAL.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    return _REFERENCES.get(found[0], "\ufffd")


def _document(operation: str, success: str, body: str) -> bytes:
    return f"{_HEAD.format(escape(operation), success)}{body}</Response>".encode()


def _element(tag: str, info: Info, *, typed: bool = False) -> str:
    # Only the outermost element has a type: on a nested one it makes every client fail.
    attributes = [f' xsi:type="{type(info).__name__}"'] if typed else []
    children = []
    for field, name in _fields(type(info)):
        value = getattr(info, field)
        if isinstance(value, Scalar):
            attributes.append(f' {name}="{_text(value)}"')
        elif isinstance(value, Info):
            children.append(_element(name, value))
        elif value is not None:
            children.append(_list(name, value))
    head = f"{tag}{''.join(attributes)}"
    return f"<{head}>{''.join(children)}</{tag}>" if children else f"<{head}/>"


def _list(name: str, items: tuple[Info | str, ...]) -> str:
    written = (
        _element(type(item).__name__, item)
        if isinstance(item, Info)
        else f"<string>{escape(item)}</string>"
        for item in items
    )
    return f"<{name}>{''.join(written)}</{name}>" if items else f"<{name}/>"


def _text(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return escape(value) if isinstance(value, str) else str(value)


@cache
def _fields(kind: type[Info]) -> tuple[tuple[str, str], ...]:
    return tuple((field.name, field.encode_name) for field in msgspec.structs.fields(kind))
