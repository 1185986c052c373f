"""Reading what a client asks: one XML element, its fields by name, whatever their order."""

from __future__ import annotations

import re
from typing import Final, Protocol
from urllib.parse import unquote

import defusedxml.ElementTree
import msgspec
from defusedxml.common import DefusedXmlException

from shelldock.errors import InputError

# Clients send terminal output as it is, escape bytes and all, which is not XML.
_CONTROL: Final = bytes([*range(9), 11, 12, *range(14, 32)])
_REFERENCE: Final = re.compile(rb"&#(x[0-9a-fA-F]+|[0-9]+);")


class _Element(Protocol):
    """The little that is used of ``xml.etree.ElementTree.Element``."""

    tag: str
    text: str | None

    def __iter__(self) -> _Elements: ...


class _Elements(Protocol):
    def __iter__(self) -> _Elements: ...
    def __next__(self) -> _Element: ...


class Fields:
    """The fields of a request, or of an object in it. What is missing is empty, what is unknown is ignored."""

    def __init__(self, element: _Element) -> None:
        self._element = element
        self._fields = {_local(child.tag): child for child in element}

    def text(self, name: str) -> str:
        """The text of a field; empty where there is none."""
        field = self._fields.get(name)
        return (field.text or "") if field is not None else ""

    def texts(self, name: str) -> list[str]:
        """The texts in a list field."""
        field = self._fields.get(name)
        return [] if field is None else [child.text or "" for child in field]

    def holds(self, name: str) -> bool:
        """Whether a field says ``true``."""
        return self.text(name).strip().casefold() == "true"

    def value(self) -> str:
        """The field ``Value`` of a name-and-value object.

        Clients write a number there as the text of the object itself, beside its ``Name``: that is taken, too.
        """
        return self.text("Value") if "Value" in self._fields else (self._element.text or "")

    def objects(self, name: str) -> list[Fields]:
        """The objects in a list field."""
        field = self._fields.get(name)
        return [] if field is None else [Fields(child) for child in field]


class Operation(msgspec.Struct, frozen=True):
    """What a client asks for: the operation's name, its fields, and on whose behalf (empty before a login)."""

    name: str
    fields: Fields
    subject: str = ""


def read_fields(body: bytes) -> Fields:
    """The fields of a request's body. Raises ``InputError`` where it is not well-formed, or tries to be clever."""
    try:
        return Fields(defusedxml.ElementTree.fromstring(_sanitized(body), forbid_dtd=True))
    except DefusedXmlException as error:
        raise InputError(
            f"the request is refused: it declares entities or a document type ({error})"
        ) from None
    except (SyntaxError, ValueError, LookupError) as error:  # ParseError is a SyntaxError
        raise InputError(f"the request is not well-formed XML: {error}") from None


def read_path(target: str) -> tuple[str, ...]:
    """The segments of a request's path, decoded; repeated slashes count once, a query is cut off."""
    return tuple(unquote(segment) for segment in target.partition("?")[0].split("/") if segment)


def read_token(authorization: str) -> str:
    """The token of an ``Authorization`` header: ``Basic T``, ``Bearer T``, or ``MachineName=…;Token=T`` (any order)."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.casefold() in ("basic", "bearer"):
        return rest.strip()
    pairs = (pair.partition("=") for pair in authorization.split(";"))
    return next(
        (value.strip() for name, _, value in pairs if name.strip().casefold() == "token"), ""
    )


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _sanitized(body: bytes) -> bytes:
    body = body.translate(None, _CONTROL)
    return _REFERENCE.sub(_legal, body) if b"&#" in body else body


def _legal(found: re.Match[bytes]) -> bytes:
    digits = found[1].decode()
    base = 16 if digits.startswith("x") else 10
    # Eight digits are more than the largest code point has; the rest of a long run would only cost time.
    code = int(digits.lstrip("x0")[:8] or "0", base)
    legal = (
        code in (9, 10, 13)
        or 0x20 <= code < 0xD800
        or 0xE000 <= code < 0xFFFE
        or 0x10000 <= code <= 0x10FFFF
    )
    return found[0] if legal else b"&#xFFFD;"
