"""The resources of a store, as rows of its database."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from sqlalchemy import Column, Connection, RowMapping, delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from shelldock.errors import ConflictError, StoreError
from shelldock.model import Resource
from shelldock.tables import connections, resources


def every(connection: Connection) -> list[Resource]:
    """Every resource, parents before their children."""
    rows = connection.execute(select(resources).order_by(resources.c.name)).mappings()
    return [_resource(row) for row in rows]


class Change:
    """One transaction on the store, while ``Store.change`` is open."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def resource(self, name: str) -> Resource | None:
        """The resource as the database has it now, whoever wrote it."""
        found = (
            self._connection.execute(select(resources).where(resources.c.name == name))
            .mappings()
            .first()
        )
        return _resource(found) if found else None

    def tree(self, root: str) -> list[Resource]:
        """A root resource and all below it, parents before their children; empty where it is not there."""
        return self._below(resources.c.name, root)

    def within(self, folder: str) -> list[Resource]:
        """The root resources that lie in a folder, or in folders inside of it."""
        return self._below(resources.c.folder, folder)

    def put(self, *changed: Resource) -> None:
        """Write resources, each in place of the one with its id.

        :raises ConflictError: another resource has the name.
        """
        if not changed:
            return
        self._delete(resources.c.id, [one.id for one in changed])
        try:
            self._connection.execute(
                insert(resources), [msgspec.to_builtins(one) for one in changed]
            )
        except IntegrityError:
            names = ", ".join(repr(one.name) for one in changed[:3])
            raise ConflictError(
                f"cannot store {names}: a resource of that name is there already"
            ) from None

    def remove(self, ids: Iterable[str]) -> None:
        """Remove the resources with these ids, and their connections; unknown ones are passed over."""
        every = list(ids)
        for column in (resources.c.id, connections.c.resource, connections.c.other):
            self._delete(column, every)

    def _below(self, column: Column[str], path: str) -> list[Resource]:
        # not LIKE, for which SQLite takes sw1 and SW1 for the same
        below = func.substr(column, 1, len(path) + 1) == path + "/"
        rows = self._connection.execute(
            select(resources).where((column == path) | below).order_by(resources.c.name)
        ).mappings()
        return [_resource(row) for row in rows]

    def _delete(self, column: Column[str], values: list[str]) -> None:
        # SQLite takes a limited number of values in one statement.
        for start in range(0, len(values), 500):
            self._connection.execute(
                delete(column.table).where(column.in_(values[start : start + 500]))
            )


def _resource(row: RowMapping) -> Resource:
    fields = {str(column.name): row[column] for column in resources.columns}
    try:
        return msgspec.convert(fields, Resource)
    except msgspec.ValidationError as error:
        raise StoreError(
            f"cannot read resource {fields['name']!r} from the store: {error}"
        ) from None
