"""What the API needs of the host behind it: narrow, so that the protocol can be tested and used without one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shelldock.inputs import Inputs
from shelldock.model import Execution, Kind, Resource, Sandbox, Shell, Target


class Backend(Protocol):
    """The host as the API sees it.

    All of it is called on the host's event loop; what is no coroutine answers at once. What is not there raises
    ``NotFoundError``; any other ``ShelldockError`` reaches the driver as a failure with its message. ``subject`` is
    the execution that asks: an app may have the same name in each of twenty sandboxes.
    """

    def resource(self, name: str, subject: str) -> Resource:
        """The resource, deployed app or service with this full name."""
        raise NotImplementedError

    def children(self, name: str, subject: str) -> list[Resource]:
        """The direct sub-resources of ``name``."""
        raise NotImplementedError

    def connections(self, name: str, subject: str) -> dict[str, tuple[Resource, int]]:
        """For ``name`` and all below it that is connected: to what, and with which weight."""
        raise NotImplementedError

    def weigh(self, name: str, other: str, weight: int) -> None:
        """Give the connection of two elements another weight."""

    def connect(self, name: str, other: str, *, replace: bool) -> None:
        """Connect two elements of the inventory; without ``other``, take away the cable that there is."""

    def shell_of(self, resource: Resource, subject: str) -> Shell | None:
        """The shell that drives ``resource``: its own, or that of its root."""

    def set_attribute(self, name: str, attribute: str, value: str, subject: str) -> None:
        """Set an attribute by its full name; the value of a password attribute comes in clear and is encrypted."""

    def set_status(self, name: str, status: str, text: str, subject: str) -> None:
        """Set the live status of ``name``, with a sentence about it."""

    def set_address(self, name: str, address: str, subject: str) -> None:
        """Set the address of ``name``."""

    def decrypt(self, text: str) -> str:
        """The clear text of a password; text that was never encrypted is returned unchanged."""
        raise NotImplementedError

    def sandbox(self, id: str) -> tuple[Sandbox, list[Target]]:
        """A sandbox and what is used in it."""
        raise NotImplementedError

    def say(self, sandbox_id: str, message: str, subject: str) -> None:
        """Add a message to the sandbox's output, said by the execution ``subject``."""

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
        """Run a command to its end, while ``subject`` waits for it.

        :param ports: those of ``name`` that lead to what the command is about.
        """
        raise NotImplementedError

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
        """Have a command run for which nobody waits."""
        raise NotImplementedError

    async def cancel(self, execution: str) -> bool:
        """Cancel an execution; False if it has ended."""
        raise NotImplementedError

    async def reset(self, name: str, sandbox_id: str, subject: str) -> None:
        """Cancel all that a driver has to do, and let it begin anew."""
        raise NotImplementedError

    async def discover(self, name: str, subject: str) -> Resource:
        """Let a driver find its sub-resources."""
        raise NotImplementedError

    def subject(self, token: str) -> str | None:
        """Whom ``token`` was minted for, or None where it is not one of the host's."""

    def mint(self, subject: str) -> str:
        """A token for ``subject``."""
        raise NotImplementedError


class Host(Protocol):
    """Who has such a face for drivers."""

    @property
    def callbacks(self) -> Backend:
        """Answers for drivers."""
        raise NotImplementedError
