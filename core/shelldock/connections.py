"""Which element of the inventory is connected to which: cables, of which each end has one at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from sqlalchemy import ColumnElement, Delete, Select, delete, func, insert, or_, select
from sqlalchemy import Connection as Database

from shelldock.errors import ConflictError, InputError, NotFoundError
from shelldock.model import WEIGHT, Connection, Resource
from shelldock.store import Store
from shelldock.tables import connections, resources

_SOME: Final = 500
"""Names in one statement: SQLite takes a limited number."""

_one = resources.alias("one")
_other = resources.alias("other")


class Connections:
    """The cables between resources and their parts; always as the store has them, whoever connected them.

    They are of the element, not of its name: discovery may rename it. What is removed has none any more.

    :param resource: finds a resource by its full name; raises ``NotFoundError``.

    Every method raises ``StoreError`` where the store cannot be read or written.
    """

    def __init__(self, store: Store, resource: Callable[[str], Resource]) -> None:
        self._store = store
        self._resource = resource

    def all(self) -> list[Connection]:
        """Every cable once, by the name of one of its ends."""
        return [one for one in self._found() if one.resource < one.other]

    def below(self, name: str) -> list[Connection]:
        """What a resource and its parts are connected to, as seen from them."""
        full = self._resource(name).name
        # not LIKE, for which SQLite takes sw1 and SW1 for the same
        part = func.substr(_one.c.name, 1, len(full) + 1) == f"{full}/"
        return self._found((_one.c.name == full) | part)

    def of(self, names: Iterable[str]) -> dict[str, str]:
        """To what each of these is connected, by full name; those that are to nothing are left out."""
        every = list(names)
        return {
            one.resource: one.other
            for start in range(0, len(every), _SOME)
            for one in self._found(_one.c.name.in_(every[start : start + _SOME]))
        }

    def connect(
        self, one: str, other: str, weight: int = WEIGHT, *, replace: bool = False
    ) -> Connection:
        """Connect two elements; again: with another weight.

        :param replace: take away what either is connected to, in place of raising ``ConflictError``.
        :raises NotFoundError: there is no such element. :raises InputError: it would be connected to itself.
        """
        ends = (self._resource(one), self._resource(other))
        ids = [end.id for end in ends]
        if ids[0] == ids[1]:
            raise InputError(f"{one!r} cannot be connected to itself")
        if not 0 <= weight < 2**31:
            raise InputError(f"a weight is a whole number from 0 to {2**31 - 1}, not {weight}")
        cable = [
            {"resource": ids[0], "other": ids[1], "weight": weight},
            {"resource": ids[1], "other": ids[0], "weight": weight},
        ]
        with self._store.transaction(write=True) as connection:
            _refuse_removed(connection, ends)
            others = _query(_one.c.id.in_(ids) & _other.c.id.not_in(ids))
            taken = connection.execute(others.order_by(_one.c.name)).first()
            if taken and not replace:
                raise ConflictError(
                    f"{taken.resource!r} is connected to {taken.other!r} already; "
                    "disconnect it first, or replace that connection"
                )
            connection.execute(_gone(ids))
            connection.execute(insert(connections), cable)
        return Connection(resource=ends[0].name, other=ends[1].name, weight=weight)

    def disconnect(self, name: str) -> None:
        """Take away the cable of an element. ``NotFoundError`` where it has none."""
        end = self._resource(name)
        with self._store.transaction(write=True) as connection:
            if not connection.execute(_gone([end.id])).rowcount:
                raise NotFoundError("connection of", name, hint="it is connected to nothing")

    def _found(self, which: ColumnElement[bool] | None = None) -> list[Connection]:
        with self._store.transaction() as connection:
            rows = connection.execute(_query(which)).mappings().all()
        return sorted((Connection(**row) for row in rows), key=lambda one: one.resource)


def _query(which: ColumnElement[bool] | None) -> Select[Any, Any, Any]:
    query = (
        select(_one.c.name.label("resource"), _other.c.name.label("other"), connections.c.weight)
        .join_from(connections, _one, connections.c.resource == _one.c.id)
        .join(_other, connections.c.other == _other.c.id)
    )
    return query if which is None else query.where(which)


def _gone(ids: list[str]) -> Delete:
    return delete(connections).where(
        or_(connections.c.resource.in_(ids), connections.c.other.in_(ids))
    )


def _refuse_removed(connection: Database, ends: Iterable[Resource]) -> None:
    for end in ends:
        if not connection.execute(select(resources.c.id).where(resources.c.id == end.id)).first():
            raise NotFoundError("resource", end.name, hint="somebody removed it meanwhile")
