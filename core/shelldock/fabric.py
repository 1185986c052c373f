"""What joins machines: who holds which key, and how to call a node. Data only, so that any engine can carry it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from msgspec.structs import replace

from shelldock.errors import ConflictError, NotFoundError
from shelldock.model import Node, Value

Serve = Callable[[str, tuple[object, ...]], Awaitable[object]]
"""How a node is called: a verb of ``shelldock.node.Node`` and its arguments, all plain data."""


class Claim(Value, frozen=True, kw_only=True):
    """That ``node`` holds ``key``. A later claim on the same key has a higher epoch."""

    key: str
    node: str
    epoch: int


class Fabric(Protocol):
    """The port that an engine implements. Every rule of many machines is tested on ``Local`` first."""

    async def join(self, node: Node, serve: Serve) -> None:
        """Make ``node`` known to all; calls to it go to ``serve``. ``ConflictError`` where the name is taken."""
        ...

    async def leave(self, name: str) -> None:
        """Forget the node and every claim it holds."""
        ...

    async def nodes(self) -> Sequence[Node]:
        """The nodes that are up, each with as many instances as it holds keys."""
        ...

    async def find(self, key: str) -> Claim | None:
        """Who holds ``key`` now."""
        ...

    async def claim(self, key: str, node: str) -> Claim:
        """Let ``node`` hold ``key``, unless somebody does: then that claim is returned (compare and set)."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give the key back; nothing happens when the claim is no longer the newest."""
        ...

    async def call(self, node: str, verb: str, *arguments: object) -> object:
        """Call a node. Raises ``NotFoundError`` when it is gone."""
        ...


class Local:
    """One machine: the same code path as many, over a dictionary."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[Node, Serve]] = {}
        self._claims: dict[str, Claim] = {}
        self._held: Counter[str] = Counter()
        self._epoch = 0

    async def join(self, node: Node, serve: Serve) -> None:
        """Make ``node`` known."""
        if node.name in self._nodes:
            raise ConflictError(
                f"a node called {node.name!r} is there already; set 'node.name' to another name"
            )
        self._nodes[node.name] = (node, serve)

    async def leave(self, name: str) -> None:
        """Forget the node and its claims."""
        self._nodes.pop(name, None)
        self._held.pop(name, None)
        self._claims = {key: claim for key, claim in self._claims.items() if claim.node != name}

    async def nodes(self) -> Sequence[Node]:
        """The nodes that joined."""
        return [
            replace(node, instances=self._held[name]) for name, (node, _) in self._nodes.items()
        ]

    async def find(self, key: str) -> Claim | None:
        """Who holds ``key`` now."""
        return self._claims.get(key)

    async def claim(self, key: str, node: str) -> Claim:
        """Let ``node`` hold ``key`` unless somebody does."""
        held = self._claims.get(key)
        if held is None:
            self._epoch += 1
            self._held[node] += 1
            held = self._claims[key] = Claim(key=key, node=node, epoch=self._epoch)
        return held

    async def release(self, claim: Claim) -> None:
        """Give the key back if ``claim`` is still the newest."""
        if self._claims.get(claim.key) == claim:
            del self._claims[claim.key]
            self._held[claim.node] -= 1

    async def call(self, node: str, verb: str, *arguments: object) -> object:
        """Call a node."""
        try:
            _, serve = self._nodes[node]
        except KeyError:
            raise NotFoundError("node", node, self._nodes) from None
        return await serve(verb, arguments)
