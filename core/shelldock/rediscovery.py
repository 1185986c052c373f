"""A discovery's report laid over the tree that is known: what stays itself, what is new, what is excluded."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from shelldock.autoload import LONGEST_NAME, Element, Report
from shelldock.model import Resource, Value

_NO_NAME: Final = re.compile(r"[^\w .|\-]")
"""What a name cannot have inside of brackets."""


def lay(report: Report, root: Resource, known: Sequence[Resource]) -> list[Resource]:
    """The tree as it is after ``report``: the root first, then all below it, old and new (N2, N3).

    A known element stays itself (id, status, description, attributes that are not reported) where an element of
    its model is reported with its unique identifier, wherever that is, or else under its name. All other known
    ones are excluded and kept as they were; where a reported element has the name of one now, the excluded one
    has its model in brackets behind it, by which it is found again when it is put back. Sub-resources have
    relative addresses.

    :param known: the sub-resources as they are now, parents before their children.
    """
    before = _Known(known)
    same = before.identified(report.elements)
    names = {"": root.name}
    """For the address of each element laid so far, its name from now on."""
    after = [_root(root, report)]
    for element in report.elements:
        place = names[element.parent]
        name = names[element.address] = f"{place}/{element.name}"
        if element.address not in same:
            found = before.named(_parents(same.get(element.parent), place, before), element)
            same |= {element.address: found} if found else {}
        after.append(_laid(element, same.get(element.address), name, root.shell))
    renamed = {was.name: names[address] for address, was in same.items()}
    return after + _missing(before.left(), renamed, {one.name for one in after})


class Difference(Value, frozen=True, kw_only=True):
    """What a discovery changed, by the full names that resources have now."""

    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    """Anything of it: attributes, address, name, or that it is there again."""
    excluded: tuple[str, ...] = ()
    """Those that were not excluded before."""

    @property
    def any(self) -> bool:
        """Whether there is a difference at all."""
        return bool(self.new or self.changed or self.excluded)


def difference(before: Iterable[Resource], after: Iterable[Resource]) -> Difference:
    """What became of a tree; the roots are not looked at."""
    was = {one.id: one for one in before}
    new, changed, excluded = [], [], []
    for one in after:
        if one.name == one.root:
            continue
        old = was.get(one.id)
        if old is None:
            new.append(one.name)
        elif one.excluded and not old.excluded:
            excluded.append(one.name)
        elif old != one:
            changed.append(one.name)
    return Difference(new=tuple(new), changed=tuple(changed), excluded=tuple(excluded))


# ---- who is who ---------------------------------------------------------------------------------


class _Known:
    """The sub-resources that were known and not found again so far."""

    def __init__(self, known: Iterable[Resource]) -> None:
        self._free = {one.name: one for one in known}

    def identified(self, elements: Sequence[Element]) -> dict[str, Resource]:
        """The known resource for each address whose unique identifier tells; they count as found.

        An identifier that several have tells nothing: some drivers report the same for all, and some a new one
        each time.
        """
        reported = _once({one.address: _identity(one) for one in elements})
        known = _once({one.name: _identity(one) for one in self._free.values()})
        return {
            address: self._free.pop(known[identity])
            for identity, address in reported.items()
            if identity in known
        }

    def named(self, parents: Iterable[str], element: Element) -> Resource | None:
        """The known resource of this model and name below one of the parents; it counts as found.

        One that was set aside, because its name went to another one, is looked for as well.
        """
        for parent in parents:
            name = f"{parent}/{element.name}"
            for one in (name, _aside(name, element.model)):
                if one in self and self._free[one].model == element.model:
                    return self._free.pop(one)
        return None

    def __contains__(self, name: str) -> bool:
        return name in self._free

    def left(self) -> list[Resource]:
        """Those that were not found, parents before their children."""
        return sorted(self._free.values(), key=lambda one: one.name.count("/"))


def _parents(was: Resource | None, place: str, known: _Known) -> Iterable[str]:
    """Under whose former names a sub-resource is looked for: its parent's, and that of what its parent replaced."""
    if was:
        yield was.name
    if place in known or "/" not in place:
        yield place


def _identity(one: Element | Resource) -> tuple[str, str]:
    return one.unique_identifier, one.model


def _once(identities: Mapping[str, tuple[str, str]]) -> dict[tuple[str, str], str]:
    """Whose each identity is, for those that are one's alone."""
    times = Counter(identities.values())
    return {one: whose for whose, one in identities.items() if one[0] and times[one] == 1}


# ---- what becomes of each -----------------------------------------------------------------------


def _root(root: Resource, report: Report) -> Resource:
    return replace(
        root,
        excluded=False,
        attributes=root.attributes | report.attributes,
        deployed_app=report.machine or root.deployed_app,
    )


def _laid(element: Element, was: Resource | None, name: str, shell: str) -> Resource:
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


def _missing(
    left: Iterable[Resource], renamed: Mapping[str, str], taken: set[str]
) -> list[Resource]:
    """What is known and not reported, excluded, below parents that may have another name now."""
    names = dict(renamed)
    missing = []
    for one in left:
        parent, _, last = one.name.rpartition("/")
        name = f"{names.get(parent, parent)}/{last}"
        if name in taken:
            name = _free_name(_aside(name, one.model), taken)
        names[one.name] = name
        taken.add(name)
        missing.append(replace(one, name=name, excluded=True))
    return missing


def _aside(name: str, model: str) -> str:
    """The name of an element that is not there any more, and whose name another one has."""
    parent, _, last = name.rpartition("/")
    model = _NO_NAME.sub("-", model)[: LONGEST_NAME // 2]
    return f"{parent}/{last[: LONGEST_NAME - len(model) - 8]} [{model}]"


def _free_name(name: str, taken: set[str]) -> str:
    numbered = (f"{name} {number}" for number in range(2, len(taken) + 3))
    return name if name not in taken else next(one for one in numbered if one not in taken)
