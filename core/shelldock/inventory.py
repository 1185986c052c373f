"""The resources that are permanent, and the trees below them."""

from __future__ import annotations

import re
import threading
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from shelldock.attributes import defaults, encrypted, given
from shelldock.autoload import LONGEST_NAME, Report, read
from shelldock.errors import ConflictError, ExcludedError, InputError, NotFoundError
from shelldock.folders import holds, moved, place, places
from shelldock.inputs import MASK
from shelldock.model import Resource, Shell
from shelldock.rediscovery import lay
from shelldock.store import Store
from shelldock.vault import Vault

if TYPE_CHECKING:
    from shelldock.rows import Change

NAME: Final = re.compile(r"[\w .|\-\]\[]+", re.UNICODE)
"""Letters, digits, blanks and ``| . - _ ] [`` (§9.1); a slash separates a sub-resource from its parent."""


FAILED: Final = "Error"
"""The live status of a resource whose discovery failed."""

DISCOVERY_FAILED: Final = "Discovery failed"
"""How its text begins."""


class Inventory:
    """All resources, read from the store once and written through to it.

    A change is made to what the store has at that moment, so that hosts which share a store do not undo each
    other's changes; what others add meanwhile is seen when it is asked for, what they change when it is changed here.

    :param shell: finds an installed shell by its name; raises ``NotFoundError``.

    Methods that change something raise ``StoreError`` where it cannot be kept; then nothing is changed.
    """

    def __init__(self, store: Store, vault: Vault, shell: Callable[[str], Shell]) -> None:
        self._store = store
        self._vault = vault
        self._shell = shell
        self._known: _Known | None = None
        self._writing = threading.RLock()

    # ---- what there is --------------------------------------------------------------------------

    def __contains__(self, name: str) -> bool:
        """Whether a resource has this full name."""
        return name in self._here

    def resource(self, name: str) -> Resource:
        """The resource with this full name; ``NotFoundError`` offers the nearest."""
        if name not in self._here:
            self._known = None  # another process may have added it: the store is read once more
        return self._here.get(name)

    def at(self, path: str) -> Resource:
        """The resource with this full name, or with its folder before that: ``Lab 1/sw1/P3``; as ``resource``."""
        name = self._named(path)
        if name not in self and "/" in path:
            self._known = None  # another process may have added it: the store is read once more
            return self._here.get(self._named(path))
        return self.resource(name)

    def refuse_excluded(self, name: str) -> None:
        """Raise ``ExcludedError`` where a resource of this name, or one that it is part of, is excluded."""
        parts = name.split("/")
        for depth in range(1, len(parts) + 1):
            one = "/".join(parts[:depth])
            if self._is_excluded(one):
                self._known = (
                    None  # another process may have included it: the store is read once more
                )
                if self._is_excluded(one):
                    raise ExcludedError(one)

    def resources(self, within: str = "") -> list[Resource]:
        """The root resources, by name: all, or those in one folder and the folders inside of it."""
        outer = place(within)
        return [one for one in self._here.below("") if holds(outer, one.folder)]

    def folders(self) -> list[str]:
        """The folders that have resources in them, or in folders inside of them."""
        return sorted(places(one.folder for one in self.resources()), key=_natural)

    def masked(self, resource: Resource) -> Resource:
        """A resource as people may see it: without its passwords."""
        attributes = {
            name: MASK if self._vault.is_encrypted(value) else value
            for name, value in resource.attributes.items()
        }
        return replace(resource, attributes=attributes)

    def children(self, name: str) -> list[Resource]:
        """The sub-resources directly below a resource, by name; excluded ones too."""
        return self._here.below(self.resource(name).name)

    def tree(self, name: str) -> list[Resource]:
        """A resource and all below it, each parent before its children."""
        found = [self.resource(name)]
        for one in self._here.below(name):
            found += self.tree(one.name)
        return found

    def used(self, shell: str) -> list[str]:
        """The names of the root resources that are of this shell."""
        return [one.name for one in self.resources() if one.shell == shell]

    # ---- changing it ----------------------------------------------------------------------------

    def create(
        self,
        name: str,
        shell: Shell,
        address: str = "",
        attributes: Mapping[str, str] | None = None,
        description: str = "",
        folder: str = "",
    ) -> Resource:
        """Add a root resource (see ``build`` for what is checked). ``ConflictError`` where the name is taken.

        :param folder: where it lies, ``Lab 1/Rack 3``; it need not be there yet.
        """
        made = build(name, shell, address, attributes, description, vault=self._vault)
        made = replace(made, folder=place(folder))
        with self._writing:
            with self._store.change() as change:
                if change.resource(name):
                    raise ConflictError(
                        f"resource {name!r} is there already; remove it first, or choose another name"
                    )
                change.put(made)
            self._here.put(made)
        return made

    def set(
        self,
        name: str,
        *,
        address: str | None = None,
        attributes: Mapping[str, str] | None = None,
        description: str | None = None,
        excluded: bool | None = None,
        folder: str | None = None,
    ) -> Resource:
        """Change some facts of a resource, all at once; None leaves a fact as it is.

        One that is included again is not called failed any longer, where a discovery had said so.

        :param attributes: by full or short name. ``InputError`` where the shell does not have one, or its value
            is none that it takes (P8).
        :param folder: where it lies from now on; ``InputError`` for what is no root.
        """
        if folder is not None and "/" in name:
            raise InputError(f"{name!r} lies where {name.partition('/')[0]!r} does; move that")
        facts: dict[str, object] = {
            "address": address,
            "description": description,
            "excluded": excluded,
            "folder": None if folder is None else place(folder),
        }
        facts = {key: value for key, value in facts.items() if value is not None}

        def changed(now: Resource) -> Resource:
            values = self._given(now, attributes) if attributes else {}
            now = _recovered(now) if excluded is False else now
            return replace(now, **facts, attributes=now.attributes | values)

        return self._change(name, changed)

    def move_folder(self, old: str, new: str) -> list[Resource]:
        """Let a folder, with all in it, be called otherwise, or lie elsewhere; returns what is in it.

        :param new: its new path; where there is such a folder, both become one; empty: out of it, into no folder.
        :raises NotFoundError: no resource lies in ``old``.
        """
        was, to = place(old), place(new)
        with self._writing:
            with self._store.change() as change:
                inside = change.within(was) if was else []
                if not inside:
                    raise NotFoundError("folder", old, self.folders())
                after = [replace(one, folder=moved(one.folder, was, to)) for one in inside]
                change.put(*after)
            self._here.put(*after)
        return after

    def set_attribute(self, name: str, attribute: str, value: str) -> Resource:
        """Set one attribute, by its full or short name."""
        return self.set(name, attributes={attribute: value})

    def set_status(self, name: str, status: str, text: str = "") -> Resource:
        """Set the live status, any text: ``Online``, ``Offline``, ``Stopped``, ``Error``, ``Progress 30`` … (N6)."""
        return self._change(name, lambda now: replace(now, status=status, status_text=text))

    def exclude(self, name: str, why: str) -> Resource:
        """Exclude a resource because its discovery failed: that is its live status then (N1)."""
        return self._change(
            name, lambda now: replace(now, excluded=True, status=FAILED, status_text=why)
        )

    def set_address(self, name: str, address: str) -> Resource:
        """Set the address; that of a sub-resource is its path below the root's."""
        return self.set(name, address=address)

    def remove(self, name: str) -> list[Resource]:
        """Remove a resource and all below it; returns what is gone."""
        self.resource(name)
        with self._writing:
            with self._store.change() as change:
                gone = change.tree(name)
                change.remove(one.id for one in gone)
            self._here.drop(name)
        return gone

    def replace_tree(self, root: str, details: str) -> list[Resource]:
        """Lay what ``get_inventory`` reported over the tree of a root resource, which is included again (N1-N3).

        Thousands of resources take a second, so call it in a thread where others wait.

        :param details: the JSON of its ``AutoLoadDetails``.
        :returns: the tree as it is then, the root first.
        :raises InputError: the report cannot be used, for the reason it names; then nothing is changed.
        """
        report = self._kept(read(details), self._shell(self.resource(root).shell))
        with self._writing:
            with self._store.change() as change:
                known = self._stored(change, root)
                after = lay(report, _recovered(known[0]), known[1:])
                was = {one.id: one for one in known}
                change.put(*(one for one in after if was.get(one.id) != one))
            here = self._here.copy()  # others may be reading the one that is there
            here.drop(root)
            here.put(*after)
            self._known = here
        return self.tree(root)

    # ---- inside ---------------------------------------------------------------------------------

    @property
    def _here(self) -> _Known:
        if self._known is None:
            self._known = _Known()
            self._known.put(*self._store.resources())
        return self._known

    def _named(self, path: str) -> str:
        """The name in a path; the path as it is where it is a name itself, or names nothing."""
        parts = path.split("/")
        splits = range(1, len(parts)) if path not in self else ()
        for depth in splits:
            root, name = parts[depth], "/".join(parts[depth:])
            if name in self and self._here.get(root).folder == "/".join(parts[:depth]):
                return name
        return path

    def _is_excluded(self, name: str) -> bool:
        return name in self and self._here.get(name).excluded

    def _change(self, name: str, changed: Callable[[Resource], Resource]) -> Resource:
        self.resource(name)  # says which names there are
        with self._writing:
            with self._store.change() as change:
                now = change.resource(name)
                if now is None:
                    raise NotFoundError("resource", name, hint="somebody removed it meanwhile")
                after = changed(now)
                change.put(after)
            self._here.put(after)
        return after

    def _stored(self, change: Change, root: str) -> list[Resource]:
        known = change.tree(root)
        if not known:
            raise NotFoundError("resource", root, hint="somebody removed it meanwhile")
        return known

    def _given(self, resource: Resource, attributes: Mapping[str, str]) -> dict[str, str]:
        return given(
            self._shell(resource.shell), attributes, self._vault, known=resource.attributes
        )

    def _kept(self, report: Report, shell: Shell) -> Report:
        """The report as it may be kept: passwords encrypted, the root's attributes called as the shell calls them."""
        root = {
            declared.name if (declared := shell.attribute(name)) else name: value
            for name, value in report.attributes.items()
        }
        elements = (
            replace(one, attributes=encrypted(shell, one.attributes, self._vault))
            for one in report.elements
        )
        return replace(
            report, elements=tuple(elements), attributes=encrypted(shell, root, self._vault)
        )


def _recovered(resource: Resource) -> Resource:
    """The resource without what a discovery that failed had said of it."""
    if resource.status == FAILED and resource.status_text.startswith(DISCOVERY_FAILED):
        return replace(resource, status="", status_text="")
    return resource


def fitting(name: str) -> str:
    """A shell's name as a resource may have it."""
    return re.sub(r"[^\w .|\-\]\[]", "-", name)[:LONGEST_NAME]


def build(
    name: str,
    shell: Shell,
    address: str = "",
    attributes: Mapping[str, str] | None = None,
    description: str = "",
    *,
    vault: Vault,
) -> Resource:
    """Make a root resource of ``shell`` without storing it, as for a single command.

    Attributes that are not given have the shell's defaults, or else those of their types; passwords are
    encrypted (N5).

    :param attributes: by full or short name. ``InputError`` for those that the shell does not have, values that
        it does not take, and names that a resource cannot have.
    """
    if not NAME.fullmatch(name) or len(name) > LONGEST_NAME or not name.strip():
        raise InputError(
            f"cannot call a resource {name!r}; a name has up to {LONGEST_NAME} letters, digits, blanks and | . - _ ] ["
        )
    return Resource(
        name=name,
        id=str(uuid.uuid4()),
        shell=shell.name,
        model=shell.model or shell.name,
        family=shell.family,
        address=address,
        description=description,
        attributes=defaults(shell, vault) | given(shell, attributes or {}, vault),
    )


class _Known:
    """The resources in memory: by name, and by what they are part of."""

    def __init__(self) -> None:
        self._all: dict[str, Resource] = {}
        self._below: dict[str, set[str]] = defaultdict(set)

    def copy(self) -> _Known:
        """Another one with the same resources."""
        made = _Known()
        made._all = self._all.copy()
        made._below = defaultdict(set, {one: names.copy() for one, names in self._below.items()})
        return made

    def __contains__(self, name: str) -> bool:
        return name in self._all

    def get(self, name: str) -> Resource:
        try:
            return self._all[name]
        except KeyError:
            raise NotFoundError("resource", name, self._all) from None

    def below(self, parent: str) -> list[Resource]:
        return [self._all[name] for name in sorted(self._below.get(parent, ()), key=_natural)]

    def put(self, *resources: Resource) -> None:
        for one in resources:
            self._all[one.name] = one
            self._below[one.name.rpartition("/")[0]].add(one.name)

    def drop(self, name: str) -> None:
        for child in list(self._below.pop(name, ())):
            self.drop(child)
        self._below[name.rpartition("/")[0]].discard(name)
        del self._all[name]


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Sorts ``P2`` before ``P10``."""
    parts = re.split(r"(\d+)", text.casefold())
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts if part]
