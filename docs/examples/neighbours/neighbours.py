"""Joins the hosts of one Python process, as an engine joins those of many machines."""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final, get_type_hints

import msgspec

from shelldock import hookimpl
from shelldock.fabric import Claim, Local, Serve
from shelldock.model import Node, Value
from shelldock.node import Node as Verbs


class Neighbours(Value, frozen=True, kw_only=True):
    """The hosts whose setting ``fabric`` is ``neighbours`` and that live in one street join one another."""

    street: str = "main"

    @hookimpl
    def shelldock_fabrics(self) -> dict[str, "Street"]:
        """Offer the street, which all its hosts share."""
        return {"neighbours": STREETS[self.street]}


class Street:
    """A fabric: the core's dictionary under a lock, as each host may have a thread and a loop of its own."""

    def __init__(self) -> None:
        self._book = Local()
        self._lock = threading.Lock()

    async def join(self, node: Node, serve: Serve) -> None:
        """Make ``node`` known. Whoever calls it hands over bytes, as between machines."""
        loop = asyncio.get_running_loop()

        async def across(verb: str, arguments: tuple[object, ...]) -> object:
            takes, gives = types(verb)
            arrived = msgspec.msgpack.decode(pack(arguments), type=takes, dec_hook=revive)
            answer = asyncio.run_coroutine_threadsafe(serve(verb, arrived), loop)
            return msgspec.msgpack.decode(
                pack(await asyncio.wrap_future(answer)), type=gives, dec_hook=revive
            )

        with self._lock:  # held for no time: the book never waits
            await self._book.join(node, across)

    async def leave(self, name: str) -> None:
        """Forget the node and its claims."""
        with self._lock:
            await self._book.leave(name)

    async def nodes(self) -> Sequence[Node]:
        """The nodes that joined."""
        with self._lock:
            return await self._book.nodes()

    async def find(self, key: str) -> Claim | None:
        """Who holds ``key`` now."""
        with self._lock:
            return await self._book.find(key)

    async def claim(self, key: str, node: str) -> Claim:
        """Let ``node`` hold ``key`` unless somebody does."""
        with self._lock:
            return await self._book.claim(key, node)

    async def release(self, claim: Claim) -> None:
        """Give the key back."""
        with self._lock:
            await self._book.release(claim)

    async def call(self, node: str, verb: str, *arguments: object) -> object:
        """Call a node."""
        return await self._book.call(node, verb, *arguments)


STREETS: Final[defaultdict[str, Street]] = defaultdict(Street)
"""What hosts of one process have in common can only be the process's."""


def types(verb: str) -> tuple[Any, Any]:
    """What a verb takes and gives."""
    hints = get_type_hints(getattr(Verbs, verb))
    gives = hints.pop("return")
    return tuple[tuple(hints.values())], gives


def pack(value: object) -> bytes:
    """A value as bytes."""
    return msgspec.msgpack.encode(value, enc_hook=str)


def revive(kind: type, value: object) -> object:
    """What ``pack`` made text of; a value of any type is what it is."""
    return value if kind is object else kind(value)
