"""Reading ``drivermetadata.xml``: what a driver is called and how its commands are shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shelldock.errors import ShellError
from shelldock.model import Command, Parameter, Value
from shelldock_cloudshell.documents import Attributes, children, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

FILE = "drivermetadata.xml"
HIDDEN = "hidden commands"


class Metadata(Value, frozen=True, kw_only=True):
    """What the file says. ``commands`` are in its order; of two with one name the first counts."""

    name: str = ""
    main_class: str = ""
    version: str = ""
    description: str = ""
    python: str | None = None
    commands: tuple[Command, ...] = ()


def read(path: Path) -> Metadata:
    """Read the file, tolerant of case, blanks, unknown attributes and a missing ``Layout`` (D2).

    Raises ``ShellError`` with line and column where it is not XML, and where its root is not ``Driver``.
    """
    root = parse_xml(path)
    said = Attributes(root)
    if said.tag != "driver":
        raise ShellError(path, f"the root element is {said.tag!r}, not 'Driver'")
    commands: dict[str, Command] = {}
    for layout in children(root, "layout"):
        for command in _listed(layout, category=""):
            commands.setdefault(command.name, command)
    return Metadata(
        name=said.get("name"),
        main_class=said.get("mainclass"),
        version=said.get("version"),
        description=said.get("description"),
        python=said.get("pythonversion") or None,
        commands=tuple(commands.values()),
    )


def _listed(parent: Element, category: str) -> list[Command]:
    found: list[Command] = []
    for element in parent:
        said = Attributes(element)
        if said.tag == "category":
            found += _listed(element, said.get("name") or category)
        elif said.tag == "command" and said.get("name"):
            found.append(_command(element, said, category))
    return found


def _command(element: Element, said: Attributes, category: str) -> Command:
    parameters: dict[str, Parameter] = {}
    for group in children(element, "parameters"):
        for one in children(group, "parameter"):
            parameter = _parameter(Attributes(one))
            if parameter.name:
                parameters.setdefault(parameter.name, parameter)
    return Command(
        name=said.get("name"),
        label=said.get("displayname"),
        description=said.get("description"),
        category=category,
        tags=said.listed("tags"),
        cancellable=said.holds("enablecancellation"),
        admin_only=said.get("visibility").casefold() == "adminonly",
        hidden=category.casefold() == HIDDEN,
        parameters=tuple(parameters.values()),
    )


def _parameter(said: Attributes) -> Parameter:
    closed = said.get("type").casefold() == "lookup"
    return Parameter(
        name=said.get("name"),
        label=said.get("displayname"),
        description=said.get("description"),
        mandatory=said.holds("mandatory"),
        default=said.raw("defaultvalue"),
        choices=said.listed("allowedvalues") if closed else (),
    )
