"""Sandboxes, and what is used in them."""

from __future__ import annotations

from typing import Final

from shelldock.errors import NotFoundError
from shelldock.model import Sandbox, Target

NO_SANDBOX: Final = ""
"""In place of a sandbox's id: what is used on its own, as by a single command."""


class Sandboxes:
    """What is in use now, by value; nothing of it survives the host.

    A target is known from the first command for it (``admit``) until its sandbox ends.
    """

    def __init__(self) -> None:
        self._sandboxes: dict[str, Sandbox] = {}
        self._targets: dict[str, dict[str, Target]] = {}

    def admit(self, target: Target) -> Target:
        """Remember a target, and its sandbox, as they are now; returns it.

        One that is known already is replaced: whoever commands knows best what it commands.
        """
        sandbox = target.sandbox
        if sandbox:
            self._sandboxes[sandbox.id] = sandbox
        self._targets.setdefault(_id(target), {})[target.name] = target
        return target

    def update(self, target: Target) -> Target:
        """Replace a target that is known, as when its address or an attribute changed; returns it.

        :raises NotFoundError: it was never admitted, or its sandbox has ended.
        """
        self.find(target.name, _id(target))
        return self.admit(target)

    def find(self, name: str, sandbox_id: str = NO_SANDBOX) -> Target:
        """The target with this full name that is used in the sandbox.

        :raises NotFoundError: offers the nearest that is.
        """
        known = self._targets.get(sandbox_id, {})
        try:
            return known[name]
        except KeyError:
            where = f"in sandbox {sandbox_id!r}" if sandbox_id else "in use"
            raise NotFoundError("target", name, known, hint=f"it is not {where}") from None

    def sandbox(self, id: str) -> tuple[Sandbox, list[Target]]:
        """The sandbox with this id and the targets in it, in the order in which they came.

        :raises NotFoundError: offers the nearest id.
        """
        try:
            sandbox = self._sandboxes[id]
        except KeyError:
            raise NotFoundError("sandbox", id, self._sandboxes) from None
        return sandbox, list(self._targets.get(id, {}).values())

    def all(self) -> list[Sandbox]:
        """Every sandbox that has not ended, in the order in which they came."""
        return list(self._sandboxes.values())

    def end(self, id: str) -> list[Target]:
        """Forget a sandbox; returns the targets that were in it, whose instances have no work any more (I9).

        :raises NotFoundError: offers the nearest id.
        """
        _, targets = self.sandbox(id)
        del self._sandboxes[id]
        self._targets.pop(id, None)
        return targets


def _id(target: Target) -> str:
    return target.sandbox.id if target.sandbox else NO_SANDBOX
