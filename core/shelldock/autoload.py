"""What ``get_inventory`` reports, read strictly and laid over the tree that is known."""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from shelldock.errors import InputError
from shelldock.model import Resource, Value

log = logging.getLogger(__name__)

LONGEST_NAME: Final = 100


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

    :raises InputError: it is something else, an address is there twice or has no parent, siblings share a
        name, or a value is missing; names the culprit.
    """
    rows = _decode(details)
    attributes = _attributes(rows.attributes or ())
    elements: dict[str, Element] = {}
    for number, row in enumerate(rows.resources or (), start=1):
        element = _element(row, number, attributes)
        if element.address in elements:
            raise InputError(
                f"get_inventory reported two resources with the relative address {element.address!r}"
            )
        elements[element.address] = element
    _check(elements, attributes)
    ordered = sorted(elements.values(), key=lambda one: one.address.count("/"))
    return Report(elements=tuple(ordered), attributes=attributes.get("", {}))


def _decode(details: str) -> _Rows:
    if not details.strip() or details.strip() == "null":
        return _Rows()
    try:
        return msgspec.json.decode(details, type=_Rows)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise InputError(f"get_inventory did not return AutoLoadDetails: {error}") from None


def _attributes(rows: Iterable[_Row]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for number, row in enumerate(rows, start=1):
        name = _text(row.attribute_name, f"the name of attribute {number}")
        address = _text(
            row.relative_address, f"the relative address of attribute {name!r}", empty=True
        )
        what = f"the value of attribute {name!r} of {address or 'the root resource'!r}"
        found[address][name] = _text(row.attribute_value, what, empty=True)
    return found


def _element(row: _Row, number: int, attributes: dict[str, dict[str, str]]) -> Element:
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
        attributes=attributes.get(address, {}),
    )


def _text(value: object, what: str, *, empty: bool = False) -> str:
    """A driver's value as drivers see values: text, whatever simple type it has."""
    if isinstance(value, str | int | float):
        text = str(value)
        if empty or text.strip():
            return text
    shown = "nothing" if value is None else repr(value)
    raise InputError(f"get_inventory gave {shown} as {what}; it must be a text")


def _check(elements: dict[str, Element], attributes: dict[str, dict[str, str]]) -> None:
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
    for address in attributes:
        if address and address not in elements:
            raise InputError(
                f"get_inventory reported attributes for {address!r}, which is no resource of its report"
            )


# ---- laid over what is known ---------------------------------------------------------------------


def lay(report: Report, root: Resource, known: Sequence[Resource]) -> list[Resource]:
    """The tree as it is after ``report``: the root first, then all below it, old and new (N2, N3).

    A known element stays itself (id, status, further attributes) where it is reported under its name, or has
    moved: where an element with its unique identifier and model is. Known ones that are not reported, or with
    another model, are excluded and kept as they were. Sub-resources have relative addresses.

    :param known: the sub-resources as they are now.
    """
    after = [replace(root, excluded=False, attributes=root.attributes | report.attributes)]
    free = {one.name: one for one in known}
    names = {"": (root.name, root.name)}
    """For the address of each element laid so far: its name before, and its name from now on."""
    depths: dict[int, list[Element]] = defaultdict(list)
    for element in report.elements:
        depths[element.address.count("/")].append(element)
    for _, elements in sorted(depths.items()):
        same = {
            one.address: free.pop(f"{names[one.parent][0]}/{one.name}", None) for one in elements
        }
        for element in elements:
            was = same[element.address] or _moved(element, free)
            name = f"{names[element.parent][1]}/{element.name}"
            names[element.address] = (was.name if was else name, name)
            after.append(_laid(element, was, name, root.shell))
    return after + _missing(free.values(), names.values())


def replace(resource: Resource, **fields: object) -> Resource:
    """The resource with some fields changed; a noun is never changed in place."""
    return msgspec.structs.replace(resource, **fields)


def _moved(element: Element, free: dict[str, Resource]) -> Resource | None:
    """The known element that is now elsewhere: its identifier says so (taken out of ``free``)."""
    if not element.unique_identifier:
        return None
    depth = element.address.count("/") + 1
    for one in free.values():
        same = (one.unique_identifier, one.model) == (element.unique_identifier, element.model)
        if same and one.name.count("/") == depth:
            return free.pop(one.name)
    return None


def _laid(element: Element, was: Resource | None, name: str, shell: str) -> Resource:
    if was and was.model != element.model:
        log.warning("%s is reported as %s and was %s: excluded", name, element.model, was.model)
        return replace(was, name=name, excluded=True)
    base = was or Resource(name=name, id=str(uuid.uuid4()), shell=shell)
    return replace(
        base,
        name=name,
        model=element.model,
        family=_family(element) or base.family,
        address=element.address,
        unique_identifier=element.unique_identifier,
        attributes=base.attributes | element.attributes,
        excluded=False,
    )


def _family(element: Element) -> str:
    """The family, which only the names of its standard attributes tell: ``CS_Port.MAC Address`` (§1.3)."""
    prefixes = (name.partition(".")[0] for name in element.attributes if "." in name)
    return next((prefix for prefix in prefixes if prefix.startswith("CS_")), "")


def _missing(free: Iterable[Resource], names: Iterable[tuple[str, str]]) -> list[Resource]:
    """What is known and not reported, excluded, below parents that may have another name now."""
    renamed = {before: after for before, after in names if before != after}
    missing = []
    for one in sorted(free, key=lambda one: one.name.count("/")):
        parent, _, last = one.name.rpartition("/")
        if parent in renamed:
            renamed[one.name] = f"{renamed[parent]}/{last}"
        missing.append(replace(one, name=renamed.get(one.name, one.name), excluded=True))
    return missing
