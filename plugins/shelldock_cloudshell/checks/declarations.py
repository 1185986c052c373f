"""What is wrong with ``drivermetadata.xml`` by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shelldock.errors import nearest
from shelldock.model import Finding
from shelldock_cloudshell.checks.document import Document, Entry
from shelldock_cloudshell.checks.rules import finding

_ATTRIBUTES: Final = {
    "Driver": ("Name", "MainClass", "Version", "Description", "PythonVersion"),
    "Command": (
        "Name",
        "DisplayName",
        "Description",
        "Tags",
        "EnableCancellation",
        "Visibility",
    ),
    "Parameter": (
        "Name",
        "DisplayName",
        "Description",
        "Type",
        "Mandatory",
        "DefaultValue",
        "AllowedValues",
    ),
}
_BOOLEAN: Final = ("true", "false", "yes", "no", "1", "0")
_VALUES: Final = {
    "EnableCancellation": _BOOLEAN,
    "Mandatory": _BOOLEAN,
    "Type": ("string", "lookup"),
    "Visibility": ("everyone", "adminonly"),
}
_TAGS: Final = ("power", "allow_unreserved", "allow_shared")
_REMOTE: Final = "remote_"
"""Tags that begin so name a group of connected commands; authors make up their own."""


def check(document: Document) -> Iterator[Finding]:
    """What can be said without a look at the code."""
    yield from _python(document.driver)
    yield from _attributes(document.driver)
    yield from _repeated("duplicate-command", document.commands)
    for command in document.commands:
        yield from _attributes(command)
        yield from _tags(command)
        yield from _repeated("duplicate-parameter", command.parameters)
        for parameter in command.parameters:
            yield from _attributes(parameter)
            yield from _lookup(parameter)


def _python(driver: Entry) -> Iterator[Finding]:
    version = driver.said.get("pythonversion")
    if version and not version.startswith("2"):
        return
    says = f"PythonVersion is {version!r}" if version else "PythonVersion is absent: that means 2"
    message = (
        f"{says}, and the driver is refused unless a Python is asked for; "
        'once it runs on 3, write PythonVersion="3"'
    )
    yield finding("python-2", driver.place, message)


def _repeated(rule: str, entries: Sequence[Entry]) -> Iterator[Finding]:
    first: dict[str, Entry] = {}
    for one in entries:
        if not one.name:
            message = f"a {one.kind} without a Name is left out; name it, or remove it"
            yield finding("nameless", one.place, message)
        elif first.setdefault(one.name, one) is not one:
            line = first[one.name].place.line
            message = (
                f"{one.kind.lower()} {one.name!r} is declared on line {line} already, "
                "and that counts; remove one of them"
            )
            yield finding(rule, one.place, message)


def _attributes(entry: Entry) -> Iterator[Finding]:
    known = {one.casefold(): one for one in _ATTRIBUTES[entry.kind]}
    for name in entry.said.names():
        if name.casefold() not in known:
            near = nearest(name, known.values())
            offer = f"did you mean {near[0]}?" if near else "remove it"
            message = f"{entry.kind} has no attribute {name!r}, so nothing comes of it; {offer}"
            yield finding("unknown-attribute", entry.place, message)
    for name, values in _VALUES.items():
        value = entry.said.get(name.casefold())
        if name in _ATTRIBUTES[entry.kind] and value and value.casefold() not in values:
            message = f"{name} of {entry.name!r} is {value!r}; expected {_either(values)}"
            yield finding("unknown-value", entry.place, message)


def _tags(command: Entry) -> Iterator[Finding]:
    for tag in command.said.listed("tags"):
        if tag not in _TAGS and not tag.startswith(_REMOTE):
            near = nearest(tag, _TAGS)
            known = (
                f"did you mean {near[0]!r}?" if near else f"known are {_either(_TAGS)}, remote_…"
            )
            message = f"tag {tag!r} of {command.name!r} means nothing to CloudShell; {known}"
            yield finding("unknown-tag", command.place, message)


def _lookup(parameter: Entry) -> Iterator[Finding]:
    said = parameter.said
    if said.get("type").casefold() != "lookup":
        return
    choices, default = said.listed("allowedvalues"), said.get("defaultvalue")
    if not choices:
        message = (
            f"Lookup {parameter.name!r} has no AllowedValues, so there is nothing to choose from; "
            "list them, or make it a String"
        )
        yield finding("lookup-without-choices", parameter.place, message)
    elif default and default not in choices:
        message = (
            f"the default {default!r} of {parameter.name!r} is none of {_either(choices)}: "
            "the driver gets what no caller may give; mend one of them"
        )
        yield finding("lookup-default", parameter.place, message)


def _either(values: Iterable[str]) -> str:
    return ", ".join(map(repr, values))
