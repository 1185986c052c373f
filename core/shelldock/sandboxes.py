"""Sandboxes, and what is used in them."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from shelldock.errors import NotFoundError
from shelldock.model import Hold, Message, Sandbox, Target

NO_SANDBOX: Final = ""
"""In place of a sandbox's id: what is used on its own, as by a single command."""

KEPT: Final = 1000
"""The newest messages in a sandbox's output; older ones are forgotten."""


class Sandboxes:
    """What is in use now, by value; what shall survive the host is written by who follows it.

    A target is known from the first command for it (``admit``) until its sandbox ends.
    """

    def __init__(self) -> None:
        self._sandboxes: dict[str, Sandbox] = {}
        self._targets: dict[str, dict[str, Target]] = {}
        self._order: dict[tuple[str, str], int] = {}
        self._count = itertools.count()
        self._output: dict[str, deque[Message]] = {}
        self._holds: dict[str, tuple[Hold, ...]] = {}
        self._changed: Callable[[str], None] | None = None
        self._said: Callable[[str, Message], None] | None = None

    def __contains__(self, id: str) -> bool:
        """Whether there is a sandbox with this id that has not ended."""
        return id in self._sandboxes

    def follow(self, changed: Callable[[str], None], said: Callable[[str, Message], None]) -> None:
        """Tell from now on what changes in the sandboxes that were begun, and what is said in them.

        :param changed: told the id; where it raises, who made the change hears of it.
        """
        self._changed = changed
        self._said = said

    def begin(self, sandbox: Sandbox, holds: Sequence[Hold] = ()) -> None:
        """Make a sandbox known, with nothing in it yet but the resources that it holds."""
        self._sandboxes[sandbox.id] = sandbox
        self._holds[sandbox.id] = tuple(holds)

    def change(self, sandbox: Sandbox) -> bool:
        """Replace what is known of a sandbox itself; False where it has ended."""
        if sandbox.id not in self._sandboxes:
            return False
        self._sandboxes[sandbox.id] = sandbox
        targets = self._targets.get(sandbox.id, {})
        for name, target in targets.items():
            targets[name] = replace(target, sandbox=sandbox)
        return True

    def holds(self, id: str) -> tuple[Hold, ...]:
        """The resources of the inventory that a sandbox uses."""
        return self._holds.get(id, ())

    def holders(self, resource: str) -> list[tuple[Sandbox, Hold]]:
        """The sandboxes that hold a root resource, and how."""
        return [
            (self._sandboxes[holder], hold)
            for holder, holds in self._holds.items()
            for hold in holds
            if hold.resource == resource
        ]

    def admit(self, target: Target, *, new: bool = False) -> Target:
        """Remember a target, and its sandbox, as they are now; returns it.

        One that is known already is replaced: whoever commands knows best what it commands. A sandbox that was begun
        stays as it is known.

        :param new: it is part of a sandbox that has just begun, and written with it.
        """
        sandbox, name = _id(target), target.name
        begun = sandbox in self._holds
        if begun:
            target = replace(target, sandbox=self._sandboxes[sandbox])
        elif target.sandbox:
            self._sandboxes[sandbox] = target.sandbox
        known = self._targets.setdefault(sandbox, {})
        before = known.get(name)
        known[name] = target
        self._order[sandbox, name] = next(self._count)
        if self._changed and begun and not new and not target.stored and before != target:
            self._changed(sandbox)
        return target

    def update(self, target: Target) -> Target:
        """Replace a target that is known, as when its address or an attribute changed; returns it.

        :raises NotFoundError: it was never admitted, or its sandbox has ended.
        """
        known = self._targets.get(_id(target), {})
        if target.name not in known:
            where = f"sandbox {_id(target)!r}" if target.sandbox else "any sandbox"
            raise NotFoundError("target", target.name, known, hint=f"it is not in use in {where}")
        return self.admit(target)

    def known(self, name: str, sandbox_id: str = NO_SANDBOX) -> Target | None:
        """The target with this full name that is used in the sandbox, or None."""
        return self._targets.get(sandbox_id, {}).get(name)

    def current(self, target: Target) -> Target:
        """What is part of a sandbox, as its driver has changed it since somebody looked it up.

        Any other target is as it is given, also one of a sandbox that nobody began.
        """
        sandbox = _id(target)
        if sandbox not in self._holds:
            return target
        known = self.known(target.name, sandbox)
        return known if known and known.resource.id == target.resource.id else target

    def find(self, name: str, sandbox_id: str | None = None) -> Target | None:
        """The target with this full name that is in use, or None.

        :param sandbox_id: where to look; ``NO_SANDBOX`` for what is used on its own. By default everywhere: then
            it is the one that was admitted last, as several sandboxes may each have an app of that name.
        """
        if sandbox_id is not None:
            return self._targets.get(sandbox_id, {}).get(name)
        found = [targets[name] for targets in self._targets.values() if name in targets]
        return max(found, key=lambda one: self._order[_id(one), name], default=None)

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

    def targets(self) -> list[Target]:
        """Everything that is used in a sandbox, or on its own."""
        return [one for targets in self._targets.values() for one in targets.values()]

    def write(self, id: str, message: Message) -> None:
        """Add to the output of a sandbox (R5); there is none of what is used on its own, or has ended."""
        if id in self._sandboxes:
            self._output.setdefault(id, deque(maxlen=KEPT)).append(message)
            if self._said and id in self._holds:
                self._said(id, message)

    def output(self, id: str) -> list[Message]:
        """What was written to the output of a sandbox, oldest first.

        :raises NotFoundError: offers the nearest id.
        """
        self.sandbox(id)
        return list(self._output.get(id, ()))

    def end(self, id: str) -> list[Target]:
        """Forget a sandbox; returns the targets that were in it, whose instances have no work any more (I9).

        :raises NotFoundError: offers the nearest id.
        """
        _, targets = self.sandbox(id)
        del self._sandboxes[id]
        self._output.pop(id, None)
        self._holds.pop(id, None)
        for target in self._targets.pop(id, {}).values():
            del self._order[id, target.name]
        return targets


def _id(target: Target) -> str:
    return target.sandbox.id if target.sandbox else NO_SANDBOX
