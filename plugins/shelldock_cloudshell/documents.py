"""Reading strangers' documents (text, XML, YAML): bounded, without entities, and failing with a sentence."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError, TreeBuilder

import msgspec
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from shelldock.errors import ShellError

if TYPE_CHECKING:
    from pyexpat import XMLParserType
    from xml.etree.ElementTree import Element

MOST: Final = 8 * 2**20
"""Bytes in one document; the largest real data model known has 0.3 MB."""
MOST_YAML: Final = 2**20
"""Bytes in one YAML document, which is slow to read; real ones have some ten thousand."""


def read_text(path: Path, most: int = MOST) -> str:
    """The content as UTF-8 text, without a byte order mark. Raises ``ShellError`` where it is not."""
    try:
        return _read(path, most).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ShellError(path, f"not UTF-8 text (byte {error.start})") from error


def _read(path: Path, most: int = MOST) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise ShellError(path, f"cannot be opened: {error.strerror}") from error
    if len(content) > most:
        raise ShellError(path, f"larger than {most // 2**20} MiB, which no real one is")
    return content


# ---- XML ----------------------------------------------------------------------------------------


class Attributes:
    """The attributes of one element by lower-case name, without name spaces, blanks stripped."""

    def __init__(self, element: Element) -> None:
        self.tag = _local(element)
        self._names = tuple(element.attrib)
        self._values = {_bare(name): value for name, value in element.attrib.items()}

    def names(self) -> tuple[str, ...]:
        """What there is, as it is spelt, without that of other name spaces."""
        return tuple(name for name in self._names if "}" not in name)

    def raw(self, name: str) -> str | None:
        """The value as it stands, or None where the attribute is absent."""
        return self._values.get(name)

    def get(self, name: str) -> str:
        """The value without blanks around it; empty where the attribute is absent."""
        return self._values.get(name, "").strip()

    def holds(self, name: str) -> bool:
        """Whether the value is some spelling of true."""
        return self.get(name).casefold() in ("true", "1", "yes")

    def listed(self, name: str) -> tuple[str, ...]:
        """The value split on commas, without empty parts and repetitions."""
        parts = (part.strip() for part in self.get(name).split(","))
        return tuple(dict.fromkeys(part for part in parts if part))


Places = dict["Element", tuple[int, int]]
"""Line and column, both from 1, at which each element begins."""


def parse_xml(path: Path, places: Places | None = None) -> Element:
    """The root element. Raises ``ShellError``: for entities, and with line and column where it is malformed.

    :param places: is filled with the place of every element.
    """
    content = _read(path)
    builder = _Builder({} if places is None else places)
    parser = DefusedXMLParser(target=builder, forbid_dtd=False, forbid_entities=True)
    builder.expat = parser.parser
    try:
        parser.feed(content)
        root: Element = parser.close()
    except ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        where = f"line {line}, column {column + 1}"
        raise ShellError(
            path, f"not well-formed XML: {reason} at {where}", line, column + 1
        ) from error
    except DefusedXmlException as error:
        raise ShellError(path, "declares XML entities, which no shell may") from error
    except (ValueError, LookupError) as error:  # an encoding that is unknown, or not the text's
        raise ShellError(path, f"not readable XML: {error}") from error
    return root


class _Builder(TreeBuilder):
    """Builds the tree and notes where its elements begin."""

    def __init__(self, places: Places) -> None:
        super().__init__()
        self._places = places
        self.expat: XMLParserType | None = None

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        element = super().start(tag, attrs)
        if self.expat is not None:
            self._places[element] = (
                self.expat.CurrentLineNumber,
                self.expat.CurrentColumnNumber + 1,
            )
        return element


def children(element: Element, tag: str) -> Iterator[Element]:
    """The direct children called ``tag`` (lower case), whatever their name space."""
    return (child for child in element if _local(child) == tag)


def descendants(element: Element, tag: str) -> Iterator[Element]:
    """All elements below ``element`` that are called ``tag`` (lower case), in document order."""
    return (child for child in element.iter() if _local(child) == tag)


def _local(element: Element) -> str:
    return _bare(str(element.tag))


def _bare(name: str) -> str:
    return name.rpartition("}")[2].casefold()


# ---- YAML ---------------------------------------------------------------------------------------


def parse_yaml(path: Path, cache: Path) -> dict[str, object]:
    """The mapping that the document is; its scalars are text or None.

    What a text means is kept in ``cache``: to import the parser takes longer than to read all else of a shell.
    Raises ``ShellError``: with the line where it is malformed, and where its aliases would fill the memory.
    """
    text = read_text(path, MOST_YAML)
    kept = cache / f"{hashlib.sha256(_rules() + text.encode()).hexdigest()}.json"
    with suppress(OSError, msgspec.DecodeError):
        return msgspec.json.decode(kept.read_bytes(), type=dict[str, object])
    from shelldock_cloudshell import yamls

    document = yamls.parse(path, text)
    _keep(kept, document)
    return document


@functools.cache
def _rules() -> bytes:
    """How we read YAML: another release may read it differently."""
    return Path(__file__).with_name("yamls.py").read_bytes()


def _keep(place: Path, document: dict[str, object]) -> None:
    """Write it down, where that is possible and JSON does not change it: what is tagged may be a date."""
    with suppress(OSError, TypeError, ValueError):
        content = msgspec.json.encode(document)
        if msgspec.json.decode(content) == document:
            place.parent.mkdir(parents=True, exist_ok=True)
            draft = place.with_suffix(f".{os.getpid()}")
            draft.write_bytes(content)
            draft.replace(place)
