"""Reading strangers' documents (text, XML, YAML): bounded, without entities, and failing with a sentence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.etree.ElementTree import ParseError, TreeBuilder

import yaml
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
MOST_NODES: Final = 100_000
"""Nodes in one YAML document with all of its aliases written out; real ones have some hundred."""


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


class _Loader(yaml.SafeLoader):
    """Leaves text as it stands, but for null: ``1.10`` is a version, ``No`` an answer, and ``on`` a name."""


_Loader.yaml_implicit_resolvers = {
    first: [one for one in resolvers if one[0].endswith((":null", ":merge"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def parse_yaml(path: Path) -> dict[str, object]:
    """The mapping that the document is; its scalars are text or None.

    Raises ``ShellError``: with the line where it is malformed, and where its aliases would fill the memory.
    """
    text = read_text(path, MOST_YAML)
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is not None and _expanded(node, {}) > MOST_NODES:
            raise ShellError(
                path, f"expands to more than {MOST_NODES} values, as only a YAML bomb does"
            )
        document = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line, column = _where(error)
        raise ShellError(path, f"not well-formed YAML: {_why(error)}", line, column) from error
    except (yaml.YAMLError, ValueError) as error:  # a date or number that is none, an odd character
        raise ShellError(path, f"not well-formed YAML: {_one_line(error)}") from error
    except RecursionError as error:
        raise ShellError(path, "not readable YAML: nested too deep") from error
    if not isinstance(document, dict):
        raise ShellError(path, "not a YAML mapping")
    return {str(key): value for key, value in document.items()}


def _expanded(node: yaml.Node, known: dict[int, int]) -> int:
    """How many nodes there would be without aliases; one that contains itself counts as too many."""
    if id(node) not in known:
        known[id(node)] = MOST_NODES + 1
        known[id(node)] = 1 + sum(_expanded(child, known) for child in _below(node))
    return known[id(node)]


def _below(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _why(error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    reason = error.problem or error.context or "malformed"
    return f"{reason} at line {mark.line + 1}, column {mark.column + 1}" if mark else reason


def _where(error: yaml.MarkedYAMLError) -> tuple[int, int]:
    mark = error.problem_mark or error.context_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
