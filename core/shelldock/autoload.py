"""What ``get_inventory`` reports, read strictly: whatever cannot be used is refused by its name."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from shelldock.errors import InputError
from shelldock.model import Value

log = logging.getLogger(__name__)

LONGEST_NAME: Final = 100

MACHINE: Final = "VmDetails"
"""The attribute of the root by which a driver says that its resource is a virtual machine (§9.1)."""


class Element(Value, frozen=True, kw_only=True):
    """One sub-resource as the driver reports it; ``address`` is its path of addresses, ``CH1/M2/P3``."""

    address: str
    name: str
    model: str
    unique_identifier: str = ""
    attributes: dict[str, str]

    @property
    def parent(self) -> str:
        """The address of the element that it is part of; empty for the root resource."""
        return self.address.rpartition("/")[0]


class Report(Value, frozen=True, kw_only=True):
    """A whole ``AutoLoadDetails``: parents before their children, and the root's own attributes."""

    elements: tuple[Element, ...] = ()
    attributes: dict[str, str]
    machine: str = ""
    """JSON of the virtual machine that the root is, as apps have it (``{"vmdetails": …}``); empty where not said."""


class _Row(msgspec.Struct):
    """One entry as it came: anything may be in it."""

    model: object = None
    name: object = None
    relative_address: object = None
    unique_identifier: object = None
    attribute_name: object = None
    attribute_value: object = None


class _Rows(msgspec.Struct):
    resources: list[_Row] | None = None
    attributes: list[_Row] | None = None


def read(details: str) -> Report:
    """Read the JSON of an ``AutoLoadDetails`` (§9.2, N2). Nothing at all is a report without elements.

    Numbers become text, an attribute without a value is passed over, of two values for one attribute the last
    counts. Attributes say whose they are by the relative address or by the unique identifier of a resource.

    :raises InputError: it is something else, an address is there twice or has no parent, siblings share a
        name, or a fact of a resource is missing; names the culprit.
    """
    rows = _decode(details)
    elements: dict[str, Element] = {}
    for number, row in enumerate(rows.resources or (), start=1):
        element = _element(row, number)
        if element.address in elements:
            raise InputError(
                f"get_inventory reported two resources with the relative address {element.address!r}"
            )
        elements[element.address] = element
    _check(elements)
    facts = rows.attributes or ()
    attributes = _attributes((one for one in facts if not _of_machine(one)), elements)
    machines = [_machine(one.attribute_value) for one in facts if _of_machine(one)]
    return Report(
        elements=tuple(
            msgspec.structs.replace(one, attributes=attributes.get(one.address, {}))
            for one in sorted(elements.values(), key=lambda one: one.address.count("/"))
        ),
        attributes=attributes.get("", {}),
        machine=machines[-1] if machines else "",
    )


def _decode(details: str) -> _Rows:
    if not details.strip() or details.strip() == "null":
        return _Rows()
    try:
        return msgspec.json.decode(details, type=_Rows)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"get_inventory did not return AutoLoadDetails: {error}") from None


def _element(row: _Row, number: int) -> Element:
    name = _text(row.name, f"the name of resource {number}")
    address = _text(row.relative_address, f"the relative address of resource {name!r}")
    if "/" in name or len(name) > LONGEST_NAME:
        raise InputError(
            f"get_inventory named a resource {name!r}; at most {LONGEST_NAME} characters and no slash"
        )
    if not all(part.strip() for part in address.split("/")):
        raise InputError(
            f"get_inventory gave {name!r} the relative address {address!r}, which has an empty part"
        )
    unique = row.unique_identifier
    return Element(
        address=address,
        name=name,
        model=_text(row.model, f"the model of resource {name!r}"),
        unique_identifier=""
        if unique is None
        else _text(unique, f"the identifier of {name!r}", empty=True),
        attributes={},
    )


def _check(elements: Mapping[str, Element]) -> None:
    siblings: dict[tuple[str, str], str] = {}
    for one in elements.values():
        if one.parent and one.parent not in elements:
            raise InputError(
                f"get_inventory reported {one.address!r} ({one.name!r}) without its parent {one.parent!r}"
            )
        other = siblings.setdefault((one.parent, one.name), one.address)
        if other != one.address:
            raise InputError(
                f"get_inventory gave {other!r} and {one.address!r} the same name {one.name!r}"
            )


def _attributes(rows: Iterable[_Row], elements: Mapping[str, Element]) -> dict[str, dict[str, str]]:
    """The attributes of each relative address; those of the root at the empty one."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    owners = _owners(elements)
    for number, row in enumerate(rows, start=1):
        name = _text(row.attribute_name, f"the name of attribute {number}")
        given = row.relative_address
        said = (
            "" if given is None else _text(given, f"the address of attribute {name!r}", empty=True)
        )
        if said not in owners:
            raise InputError(
                f"get_inventory reported attributes for {said!r}, which is neither the relative address nor the "
                "unique identifier of one resource of its report"
            )
        if row.attribute_value is None:
            log.warning("get_inventory gave nothing as attribute %r of %r: passed over", name, said)
            continue
        what = f"the value of attribute {name!r} of {said or 'the root resource'!r}"
        found[owners[said]][name] = _text(row.attribute_value, what, empty=True)
    return found


def _owners(elements: Mapping[str, Element]) -> dict[str, str]:
    """The relative address for everything that an attribute may call its resource by."""
    times = Counter(one.unique_identifier for one in elements.values())
    unique = {
        one.unique_identifier: one.address
        for one in elements.values()
        if times[one.unique_identifier] == 1
    }
    return unique | {address: address for address in elements} | {"": ""}


def _text(value: object, what: str, *, empty: bool = False) -> str:
    """A driver's value as drivers see values: text, whatever simple type it has."""
    if isinstance(value, str | int | float):
        text = str(value)
        if empty or text.strip():
            return text
    shown = "nothing" if value is None else repr(value)
    raise InputError(f"get_inventory gave {shown} as {what}; it must be a text")


# ---- static virtual machines --------------------------------------------------------------------


class _Parameter(msgspec.Struct, rename="pascal"):
    name: str
    value: str | int | float | None = None


class _Machine(msgspec.Struct):
    """An ``ApiVmDetails`` of cloudshell-shell-core."""

    uid: str | int = msgspec.field(name="UID")
    provider: str | None = msgspec.field(name="CloudProviderName", default=None)
    parameters: list[_Parameter] | None = msgspec.field(name="VmCustomParams", default=None)


def _of_machine(row: _Row) -> bool:
    return row.attribute_name == MACHINE and row.relative_address in ("", None)


def _machine(value: object) -> str:
    """What the root's ``VmDetails`` say, in the form that deployed apps have (§3.5)."""
    try:
        text = value if isinstance(value, str) else json.dumps(value)
        said = msgspec.json.decode(text, type=_Machine)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"get_inventory gave {MACHINE!r} that cannot be read: {error}") from None
    if not str(said.uid).strip():
        raise InputError(f"get_inventory gave {MACHINE!r} without the UID of the machine")
    parameters = [
        {"name": one.name, "value": "" if one.value is None else str(one.value)}
        for one in said.parameters or ()
    ]
    machine = {
        "uid": str(said.uid),
        "cloudProviderName": said.provider or "",
        "vmCustomParams": parameters,
    }
    return json.dumps({"vmdetails": machine}, ensure_ascii=False)
