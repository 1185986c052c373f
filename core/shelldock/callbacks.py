"""What drivers may ask of the host while they run: the face that protocol plugins serve."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from shelldock.errors import NotFoundError
from shelldock.executions import Executions
from shelldock.inputs import Inputs
from shelldock.inventory import Inventory
from shelldock.model import Execution, Kind, Message, Resource, Sandbox, Shell, Target
from shelldock.sandboxes import NO_SANDBOX, Sandboxes
from shelldock.tokens import Tokens
from shelldock.vault import Vault

if TYPE_CHECKING:
    from shelldock.connections import Connections

log = logging.getLogger(__name__)


class Commands(Protocol):
    """What runs commands: the host."""

    def shell(self, name: str) -> Shell:
        """The shell of this name. Raises ``NotFoundError``."""
        raise NotImplementedError

    async def submit(
        self,
        target: Target | str,
        command: str,
        inputs: Inputs | None = None,
        *,
        ports: Sequence[str] = (),
        prints: bool = True,
        parent: str = "",
    ) -> Execution:
        """Have a command run. Raises at once where it can never run."""
        raise NotImplementedError

    async def wait(self, execution: str) -> Execution:
        """The execution when it has ended."""
        raise NotImplementedError

    async def cancel(self, execution: str, *, force: bool = False) -> bool:
        """Cancel an execution. Raises ``NotFoundError``, and ``ConflictError`` where it cannot be cancelled."""
        raise NotImplementedError

    async def reset_target(self, target: Target) -> None:
        """Cancel all that the instance for ``target`` has to do, and stop it."""
        raise NotImplementedError

    async def discover(self, name: str, *, parent: str = "") -> Resource:
        """Run discovery. Raises what ended it."""
        raise NotImplementedError


class Callbacks:
    """Answers for drivers, from what is in use in sandboxes and from the inventory.

    :param connections: the cables, which nobody needs before a driver asks for them.
    """

    def __init__(
        self,
        inventory: Inventory,
        sandboxes: Sandboxes,
        executions: Executions,
        vault: Vault,
        tokens: Tokens,
        commands: Commands,
        connections: Callable[[], Connections],
    ) -> None:
        self._inventory = inventory
        self._sandboxes = sandboxes
        self._executions = executions
        self._vault = vault
        self._tokens = tokens
        self._commands = commands
        self._connections = connections

    def resource(self, name: str, subject: str) -> Resource:
        """The resource, deployed app or service with this full name, as the execution ``subject`` sees it.

        A resource may be called with its folder before its name, as CloudShell's may. Raises ``NotFoundError``.
        """
        target = self._in_use(name, subject)
        return target.resource if target is not None else self._inventory.at(name)

    def children(self, name: str, subject: str) -> list[Resource]:
        """The direct sub-resources of ``name``."""
        return [] if self._in_use(name, subject) is not None else self._inventory.children(name)

    def connections(self, name: str, subject: str) -> dict[str, tuple[Resource, int]]:
        """For ``name`` and all below it that is connected: to what, and with which weight."""
        if self._in_use(name, subject) is not None:
            return {}
        return {
            one.resource: (self._inventory.resource(one.other), one.weight)
            for one in self._connections().below(name)
        }

    def weigh(self, name: str, other: str, weight: int) -> None:
        """Give a connection another weight. Raises ``NotFoundError`` where the two are not connected."""
        one, other = self._inventory.at(name).name, self._inventory.at(other).name
        if self._connections().of([one]).get(one) != other:
            raise NotFoundError(f"connection of {one!r} with", other)
        self._connections().connect(one, other, weight)

    def connect(self, name: str, other: str, *, replace: bool) -> None:
        """Connect two elements of the inventory; without ``other``, take away the cable that there is."""
        one = self._inventory.at(name).name
        if other:
            other = self._inventory.at(other).name
            self._connections().connect(one, other, replace=replace)
        elif self._connections().of([one]):
            self._connections().disconnect(one)

    def shell_of(self, resource: Resource, subject: str) -> Shell | None:
        """The shell that drives ``resource``: its own, or that of its root."""
        try:
            return self._commands.shell(
                resource.shell or self.resource(resource.root, subject).shell
            )
        except NotFoundError:
            return None

    def set_attribute(self, name: str, attribute: str, value: str, subject: str) -> None:
        """Set an attribute by its full name; the value of a password comes in clear and is encrypted."""
        target = self._in_use(name, subject)
        if target is None:
            self._inventory.set_attribute(name, attribute, value)
            return
        shell = self.shell_of(target.resource, subject)
        declared = shell.attribute(attribute) if shell else None
        kept = self._vault.encrypt(value) if declared and declared.type == "password" else value
        self._update(target, attributes={**target.resource.attributes, attribute: kept})

    def set_status(self, name: str, status: str, text: str, subject: str) -> None:
        """Set the live status of ``name``, with a sentence about it."""
        target = self._in_use(name, subject)
        if target is None:
            self._inventory.set_status(name, status, text)
        else:
            self._update(target, status=status, status_text=text)

    def set_address(self, name: str, address: str, subject: str) -> None:
        """Set the address of ``name``."""
        target = self._in_use(name, subject)
        if target is None:
            self._inventory.set_address(name, address)
        else:
            self._update(target, address=address)

    def decrypt(self, text: str) -> str:
        """The clear text of a password; text that was never encrypted is returned unchanged."""
        return self._vault.decrypt(text)

    def sandbox(self, id: str) -> tuple[Sandbox, list[Target]]:
        """A sandbox and what is used in it. Raises ``NotFoundError``."""
        return self._sandboxes.sandbox(id)

    def say(self, sandbox_id: str, message: str, subject: str) -> None:
        """Add a message to the output of the sandbox, and to that of the execution ``subject`` (R5)."""
        said = Message(text=message, at=time.time(), execution=subject)
        try:
            asker = self._executions.get(subject)
            self._executions.say(subject, message)
            said = replace(said, target=asker.target, command=asker.command)
        except NotFoundError:
            log.info("sandbox %s, an execution that is forgotten: %s", sandbox_id, message)
        self._sandboxes.write(sandbox_id, said)

    # ---- commands -------------------------------------------------------------------------------

    async def execute(
        self,
        name: str,
        kind: Kind,
        command: str,
        inputs: Inputs,
        sandbox_id: str,
        subject: str,
        *,
        ports: Sequence[str] = (),
        prints: bool = False,
    ) -> Execution:
        """Run a command for the driver of the execution ``subject``, which waits for it; how it ended (A3).

        :param sandbox_id: where; empty: the one in which ``subject`` runs, if it runs in one.
        :param prints: whether what it returns goes to the output of the sandbox, too (R5).

        Raises where it can never run: ``CycleError`` where ``subject`` would wait for itself (I16).
        """
        target = self._target(name, kind, sandbox_id, subject)
        accepted = await self._commands.submit(
            target, command, inputs, ports=ports, prints=prints, parent=subject
        )
        return await self._commands.wait(accepted.id)

    async def enqueue(
        self,
        name: str,
        kind: Kind,
        command: str,
        inputs: Inputs,
        sandbox_id: str,
        subject: str,
        *,
        prints: bool = False,
    ) -> Execution:
        """Have a command run for which nobody waits; the execution as it was accepted (A3)."""
        target = self._target(name, kind, sandbox_id, subject)
        return await self._commands.submit(target, command, inputs, prints=prints)

    async def cancel(self, execution: str) -> bool:
        """Cancel an execution; False if it has ended. Raises ``NotFoundError``."""
        return await self._commands.cancel(execution)

    async def reset(self, name: str, sandbox_id: str, subject: str) -> None:
        """Cancel all that runs on or waits for the driver of a resource, and let it begin anew (I11)."""
        await self._commands.reset_target(self._target(name, "resource", sandbox_id, subject))

    async def discover(self, name: str, subject: str) -> Resource:
        """Run discovery on a resource of the inventory, for a driver that waits."""
        return await self._commands.discover(self._inventory.at(name).name, parent=subject)

    # ---- who asks -------------------------------------------------------------------------------

    def subject(self, token: str) -> str | None:
        """Whom ``token`` was minted for, or None where it is not one of ours."""
        return self._tokens.subject(token)

    def mint(self, subject: str) -> str:
        """A token for ``subject``."""
        return self._tokens.mint(subject)

    def _target(self, name: str, kind: Kind, sandbox_id: str, subject: str) -> Target:
        """What a driver names when it asks for a command; an app that is deployed is a resource, too."""
        here = sandbox_id or self._sandbox_of(subject)
        sandbox = self._sandboxes.sandbox(here)[0] if here else None
        found = self._sandboxes.known(name, here)
        if found is not None and (found.kind == kind or (found.kind, kind) == ("app", "resource")):
            return found
        if kind == "resource":
            return Target(resource=self._inventory.at(name), sandbox=sandbox)
        known = self._sandboxes.sandbox(here)[1] if here else []
        raise NotFoundError(kind, name, [one.name for one in known if one.kind == kind])

    def _sandbox_of(self, execution: str) -> str:
        try:
            return self._executions.get(execution).sandbox
        except NotFoundError:
            return NO_SANDBOX

    def _in_use(self, name: str, subject: str) -> Target | None:
        """The target of this name beside the execution ``subject``; None where the inventory has it.

        Twenty sandboxes may have an app of the same name: which one is meant depends on who asks.
        """
        target = self._sandboxes.known(name, self._sandbox_of(subject)) or self._sandboxes.known(
            name
        )
        if target is not None and target.kind == "resource" and name in self._inventory:
            return None
        return target

    def _update(self, target: Target, **changes: object) -> None:
        self._sandboxes.update(replace(target, resource=replace(target.resource, **changes)))
