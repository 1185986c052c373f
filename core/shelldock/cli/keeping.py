"""Who keeps what a command line works on: a server, or this machine's store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

import typer

from shelldock.cli.servers import available
from shelldock.cli.session import state
from shelldock.model import WEIGHT, Connection, Resource, Shell
from shelldock.remote import hosts

if TYPE_CHECKING:
    from shelldock.client import Client
    from shelldock.host import AsyncHost


class Inventory(Protocol):
    """The resources."""

    def resources(self, within: str = "") -> list[Resource]:
        """The root resources, by name: all, or those in one folder and the folders inside of it."""
        ...

    def move_folder(self, old: str, new: str) -> list[Resource]:
        """Let a folder, with all in it, be called otherwise, or lie elsewhere; returns what is in it."""
        ...

    def tree(self, name: str) -> list[Resource]:
        """A resource and all below it; parents come before their children."""
        ...

    def create(
        self,
        name: str,
        shell: Shell,
        address: str = "",
        attributes: Mapping[str, str] | None = None,
        description: str = "",
        folder: str = "",
    ) -> Resource:
        """Add a root resource."""
        ...

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
        """Change some facts of a resource, all at once; None leaves a fact as it is."""
        ...


class Connections(Protocol):
    """The cables between them."""

    def all(self) -> list[Connection]:
        """Every cable once."""
        ...

    def below(self, name: str) -> list[Connection]:
        """What a resource and its parts are connected to."""
        ...

    def connect(
        self, one: str, other: str, weight: int = WEIGHT, *, replace: bool = False
    ) -> Connection:
        """Connect two elements."""
        ...

    def disconnect(self, name: str) -> None:
        """Take away the cable of an element."""
        ...


class Keeper(NamedTuple):
    """An inventory and what belongs to it."""

    inventory: Inventory
    connections: Connections
    shell: Callable[[str], Shell]
    remove: Callable[[str], list[Resource]]
    masked: Callable[[Resource], Resource]
    """A resource as people may see it."""


@contextmanager
def kept(context: typer.Context) -> Iterator[Client | AsyncHost]:
    """Shells, users, tokens, the audit: of the server that is named or runs here, or else of this machine."""
    with available(context) as client:
        if client is not None:
            yield client
            return
    with state(context) as host:
        yield host


@contextmanager
def keeper(context: typer.Context) -> Iterator[Keeper]:
    """The server that is named or runs here, or else this machine's store."""
    with available(context) as client:
        if client is not None:
            yield Keeper(
                client.inventory, client.connections, client.shell, client.remove, lambda one: one
            )
            return
    with state(context) as host:
        inventory = host.inventory
        yield Keeper(
            inventory,
            host.connections,
            host.shell,
            lambda name: _removed(host, name),
            inventory.masked,
        )


def _removed(host: AsyncHost, name: str) -> list[Resource]:
    """Remove a resource; by the host that has an instance for it, if there is one, which stops that (I10)."""
    root = host.inventory.resource(name).root
    for remote in hosts(host.paths):
        if root in {one.target.partition("/")[0] for one in remote.instances()}:
            return remote.remove(name)
    return host.inventory.remove(name)
