"""Who keeps what a command line works on: a server, or this machine's store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import typer

from shelldock.cli.servers import available
from shelldock.cli.session import state
from shelldock.model import Resource, Shell
from shelldock.remote import hosts

if TYPE_CHECKING:
    from shelldock.client import Client
    from shelldock.connections import Connections
    from shelldock.elsewhere import RemoteConnections, RemoteInventory
    from shelldock.host import AsyncHost
    from shelldock.inventory import Inventory


class Keeper(NamedTuple):
    """An inventory and what belongs to it."""

    inventory: Inventory | RemoteInventory
    connections: Connections | RemoteConnections
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
