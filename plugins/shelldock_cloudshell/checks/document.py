"""``drivermetadata.xml`` with the places of its elements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shelldock_cloudshell import metadata
from shelldock_cloudshell.checks.rules import Place
from shelldock_cloudshell.documents import Attributes, Places, children, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


@dataclass(frozen=True)
class Entry:
    """One element: what it says, where, and those of its parameters."""

    said: Attributes
    place: Place
    kind: str
    """``Driver``, ``Command`` or ``Parameter``."""
    parameters: tuple[Entry, ...] = ()

    @property
    def name(self) -> str:
        """Empty where it has none."""
        return self.said.get("name")


@dataclass(frozen=True)
class Document:
    """The whole file."""

    driver: Entry
    commands: tuple[Entry, ...]
    """All of them, in order, also those of one name."""

    def first(self) -> dict[str, Entry]:
        """Commands by name; of several the first, which counts."""
        found: dict[str, Entry] = {}
        for command in self.commands:
            if command.name:
                found.setdefault(command.name, command)
        return found


def read(source: Path) -> Document | None:
    """The metadata of a driver; None where it has none."""
    path = source / metadata.FILE
    if not path.is_file():
        return None
    places: Places = {}
    root = parse_xml(path, places)

    def entry(element: Element, kind: str, parameters: tuple[Entry, ...] = ()) -> Entry:
        return Entry(Attributes(element), Place(path, *places[element]), kind, parameters)

    commands = (
        entry(one, "Command", tuple(entry(below, "Parameter") for below in _parameters(one)))
        for layout in children(root, "layout")
        for one in _commands(layout)
    )
    return Document(entry(root, "Driver"), tuple(commands))


def _commands(parent: Element) -> Iterator[Element]:
    for element in parent:
        tag = Attributes(element).tag
        if tag == "category":
            yield from _commands(element)
        elif tag == "command":
            yield element


def _parameters(command: Element) -> Iterator[Element]:
    return (
        one for group in children(command, "parameters") for one in children(group, "parameter")
    )
