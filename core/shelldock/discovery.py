"""Discovery of a resource from its beginning to its end, whatever that is (N1)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from shelldock.errors import (
    CancelledError,
    ConflictError,
    DiscoveryFailed,
    NoDiscoveryError,
    NoDriverError,
    NotFoundError,
    PendingTooLong,
    ShelldockError,
)
from shelldock.inputs import DISCOVERY
from shelldock.inventory import Inventory
from shelldock.model import Driver, Execution, Resource, Shell

Run = Callable[[str, str], Awaitable[Execution]]


class Discoveries:
    """Runs discoveries, one at a time for each resource.

    :param shell: finds a shell by its name; raises ``NotFoundError``.
    """

    def __init__(self, inventory: Inventory, shell: Callable[[str], Shell]) -> None:
        self._inventory = inventory
        self._shell = shell
        self._running: set[str] = set()

    async def discover(self, name: str, run: Run) -> Resource:
        """Run ``get_inventory`` on a resource and lay what it reports over its tree.

        The resource is excluded from the beginning on, so that it stays so where the host does not live to the end.
        Success includes it. What never began, as the driver cannot discover (N4) or was busy for too long, leaves it
        as it was.

        :param name: of the resource, or of one below it.
        :param run: runs a command, named second, of the resource that is named first; raises what ended it otherwise.
        :raises NoDriverError, NoDiscoveryError: it cannot be discovered; nothing is changed.
        :raises ConflictError, PendingTooLong: it is being discovered already, or the command was refused.
        :raises DiscoveryFailed: whatever else went wrong; the resource stays excluded and has the message as its
            live status, its tree is as it was.
        """
        root = self._inventory.resource(self._inventory.resource(name).root)
        driver = self._driver(root)
        with self._alone(root.name):
            self._inventory.set(root.name, excluded=True)
            try:
                details = await self._found(root, driver, run)
                await asyncio.to_thread(self._inventory.replace_tree, root.name, details)
            except (NoDiscoveryError, ConflictError, PendingTooLong):
                self._inventory.set(root.name, excluded=root.excluded)
                raise
            except ShelldockError as error:
                raise self._failed(root, error) from error
        return self._inventory.resource(root.name)

    def _driver(self, root: Resource) -> Driver:
        """The driver that is asked, where it can be seen from outside that it answers; it may be wrong in that."""
        shell = self._shell(root.shell)
        if shell.driver is None:
            raise NoDriverError(root.name, shell.name)
        if shell.driver.complete and shell.driver.command(DISCOVERY) is None:
            raise NoDiscoveryError(root.name, shell.driver.name)
        return shell.driver

    async def _found(self, root: Resource, driver: Driver, run: Run) -> str:
        try:
            return (await run(root.name, DISCOVERY)).result or ""
        except NotFoundError as error:
            if (error.kind, error.name) == ("command", DISCOVERY):
                raise NoDiscoveryError(root.name, driver.name) from None
            raise
        except asyncio.CancelledError:
            self._failed(root, CancelledError("it was cancelled"))
            raise

    def _failed(self, root: Resource, error: ShelldockError) -> DiscoveryFailed:
        failure = DiscoveryFailed(root.name, error)
        self._inventory.exclude(root.name, str(failure))
        return failure

    @contextmanager
    def _alone(self, root: str) -> Iterator[None]:
        if root in self._running:
            raise ConflictError(
                f"resource {root!r} is being discovered; discover it again when that has ended"
            )
        self._running.add(root)
        try:
            yield
        finally:
            self._running.remove(root)
