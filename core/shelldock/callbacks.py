"""What drivers may ask of the host while they run: the face that protocol plugins serve."""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec.structs import replace

from shelldock.errors import NotFoundError
from shelldock.executions import Executions
from shelldock.inventory import Inventory
from shelldock.model import Resource, Sandbox, Shell, Target
from shelldock.sandboxes import Sandboxes
from shelldock.tokens import Tokens
from shelldock.vault import Vault

log = logging.getLogger(__name__)


class Callbacks:
    """Answers for drivers, from what is in use in sandboxes and from the inventory.

    :param shell: the shell of a name; raises ``NotFoundError``.
    """

    def __init__(
        self,
        inventory: Inventory,
        sandboxes: Sandboxes,
        executions: Executions,
        vault: Vault,
        tokens: Tokens,
        shell: Callable[[str], Shell],
    ) -> None:
        self._inventory = inventory
        self._sandboxes = sandboxes
        self._executions = executions
        self._vault = vault
        self._tokens = tokens
        self._shell = shell

    def resource(self, name: str, subject: str) -> Resource:
        """The resource, deployed app or service with this full name, as the execution ``subject`` sees it.

        Raises ``NotFoundError``.
        """
        target = self._in_use(name, subject)
        return target.resource if target is not None else self._inventory.resource(name)

    def children(self, name: str, subject: str) -> list[Resource]:
        """The direct sub-resources of ``name``."""
        return [] if self._in_use(name, subject) is not None else self._inventory.children(name)

    def shell_of(self, resource: Resource, subject: str) -> Shell | None:
        """The shell that drives ``resource``: its own, or that of its root."""
        try:
            return self._shell(resource.shell or self.resource(resource.root, subject).shell)
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
        """Add a message to the output of the execution ``subject``, which runs in the sandbox."""
        try:
            self._executions.say(subject, message)
        except NotFoundError:
            log.info("sandbox %s, an execution that is forgotten: %s", sandbox_id, message)

    def subject(self, token: str) -> str | None:
        """Whom ``token`` was minted for, or None where it is not one of ours."""
        return self._tokens.subject(token)

    def mint(self, subject: str) -> str:
        """A token for ``subject``."""
        return self._tokens.mint(subject)

    def _in_use(self, name: str, subject: str) -> Target | None:
        """The target of this name beside the execution ``subject``; None where the inventory has it.

        Twenty sandboxes may have an app of the same name: which one is meant depends on who asks.
        """
        try:
            sandbox = self._executions.get(subject).sandbox
        except NotFoundError:
            sandbox = ""
        target = self._sandboxes.known(name, sandbox) or self._sandboxes.known(name)
        if target is not None and target.kind == "resource" and name in self._inventory:
            return None
        return target

    def _update(self, target: Target, **changes: object) -> None:
        self._sandboxes.update(replace(target, resource=replace(target.resource, **changes)))
