"""Requests that carry a key: each is carried out once, however often it comes (idempotency)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

from shelldock.errors import ConflictError, InputError
from shelldock.model import Execution, Request

if TYPE_CHECKING:
    from shelldock.ledger import Ledger

KEPT: Final = 10_000
"""So many requests are remembered by a host that keeps no ledger."""

LONGEST: Final = 255
"""Characters of a key."""


class Requests:
    """What was asked for with a key, and by whom.

    :param ledger: where it is looked for; None: this host's memory is all there is.
    """

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self._memory: dict[tuple[str, str], tuple[str, str]] = {}
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def once(
        self, user: str, request: Request, submit: Callable[[], Awaitable[Execution]]
    ) -> Execution | str:
        """What ``submit`` answers, or the id of the execution that came of this request before.

        Raises ``ConflictError`` where the key was used for another request, and ``InputError`` for no key.
        """
        if len(request.key) > LONGEST:
            raise InputError(
                f"a request's key has at most {LONGEST} characters; this one has {len(request.key)}"
            )
        place = (user, request.key)
        lock = self._locks.setdefault(place, asyncio.Lock())
        async with lock:
            known = await self._known(place)
            if known is None:
                execution = await submit()
                self._remember(place, execution.id, request.digest)
                return execution
        execution_id, digest = known
        if digest != request.digest:
            raise ConflictError(
                f"the key {request.key!r} was used for another request before; give each request a key of its own"
            )
        return execution_id

    async def _known(self, place: tuple[str, str]) -> tuple[str, str] | None:
        if self._ledger is None:
            return self._memory.get(place)
        return await asyncio.to_thread(self._ledger.requested, *place)

    def _remember(self, place: tuple[str, str], id: str, digest: str) -> None:
        if self._ledger is None:
            self._memory[place] = (id, digest)
            if len(self._memory) > KEPT:
                del self._memory[next(iter(self._memory))]
