"""What happens in the host, as a stream that can be taken up again where it broke off."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Collection
from typing import Final

import msgspec
from msgspec.structs import replace

from shelldock.hookspecs import hookimpl
from shelldock.model import Environment, Execution, Instance, Sandbox, Value

KINDS: Final = ("execution", "output", "instance", "environment", "sandbox")

KEPT: Final = 10_000
"""Events that a client may have missed and still gets."""

LONGEST_RESULT: Final = 64 * 1024
"""Characters; a longer one is fetched with its execution."""

BEAT: Final = 15.0
"""Seconds after which a line says that there is nothing to say."""


class Output(Value, frozen=True, kw_only=True):
    """What a driver said while it worked."""

    execution: str
    target: str
    sandbox: str
    number: int
    """Its place in what the driver said for this execution, from 0."""
    text: str


class Event(Value, frozen=True, kw_only=True):
    """One change."""

    number: int
    kind: str
    data: Value
    execution: str = ""
    sandbox: str = ""


class Events:
    """A plugin that hears all, and tells everybody who follows."""

    def __init__(self) -> None:
        self._life = secrets.token_hex(4)
        self._kept: deque[Event] = deque(maxlen=KEPT)
        self._next = 1
        self._heard: dict[str, int] = {}
        self._waiting: set[asyncio.Future[None]] = set()
        self._closed = False

    @hookimpl
    def shelldock_execution_changed(self, execution: Execution) -> None:
        """Tell its new state, and what its driver said."""
        heard = self._heard.get(execution.id, 0)
        for number, text in enumerate(execution.messages[heard:], heard):
            said = Output(
                execution=execution.id,
                target=execution.target,
                sandbox=execution.sandbox,
                number=number,
                text=text,
            )
            self._tell("output", said, execution.id, execution.sandbox)
        if len(execution.messages) > heard:
            self._heard[execution.id] = len(execution.messages)
            if execution.ended is None:
                return
        if execution.ended is not None:
            self._heard.pop(execution.id, None)
        result = execution.result
        if result is not None and len(result) > LONGEST_RESULT:
            result = None
        told = replace(execution, messages=(), result=result)
        self._tell("execution", told, execution.id, execution.sandbox)

    @hookimpl
    def shelldock_instance_changed(self, instance: Instance) -> None:
        """Tell its new state."""
        self._tell("instance", instance)

    @hookimpl
    def shelldock_environment_changed(self, environment: Environment) -> None:
        """Tell its new state."""
        self._tell("environment", environment)

    @hookimpl
    def shelldock_sandbox_changed(self, sandbox: Sandbox) -> None:
        """Tell its new state."""
        self._tell("sandbox", sandbox, sandbox=sandbox.id)

    def close(self) -> None:
        """End every stream."""
        self._closed = True
        self._wake()

    def follow(
        self, kinds: Collection[str], execution: str = "", sandbox: str = "", after: str = ""
    ) -> AsyncIterator[bytes]:
        """The stream from now on, or from what came after the event ``after``, as server-sent events.

        ``execution`` leaves out what belongs to other executions; ``sandbox``, what does not belong to it.

        The event ``reset`` says that some were lost: whoever follows fetches the state anew.
        """
        number, lost = self._place(after)  # of now, not of when somebody first reads the stream
        return self._follow(kinds, execution, sandbox, number, lost)

    async def _follow(
        self, kinds: Collection[str], execution: str, sandbox: str, number: int, lost: bool
    ) -> AsyncIterator[bytes]:
        if lost:
            yield self._written("reset", number - 1, b"{}")
        else:
            yield b": following\n\n"
        while True:
            first = self._kept[0].number if self._kept else self._next
            if number < first:
                number = self._next
                yield self._written("reset", number - 1, b"{}")
            while number < self._next:
                event = self._kept[number - self._next]
                number += 1
                if (
                    event.kind in kinds
                    and (not execution or event.execution in ("", execution))
                    and sandbox in ("", event.sandbox)
                ):
                    yield self._written(
                        event.kind, event.number, msgspec.json.encode(event.data, enc_hook=str)
                    )
                if self._kept[0].number > number:
                    break
            if number < self._next:
                continue
            if self._closed:
                return
            if not await self._news():
                yield b": nothing new\n\n"

    def _tell(self, kind: str, data: Value, execution: str = "", sandbox: str = "") -> None:
        event = Event(number=self._next, kind=kind, data=data, execution=execution, sandbox=sandbox)
        self._next += 1
        self._kept.append(event)
        self._wake()

    def _wake(self) -> None:
        for one in self._waiting:
            if not one.done():
                one.set_result(None)
        self._waiting.clear()

    async def _news(self) -> bool:
        news = asyncio.get_running_loop().create_future()
        self._waiting.add(news)
        done, _ = await asyncio.wait({news}, timeout=BEAT)
        self._waiting.discard(news)
        return bool(done)

    def _place(self, after: str) -> tuple[int, bool]:
        """The number to begin with, and whether what came before it is lost."""
        if not after:
            return self._next, False
        life, _, number = after.partition("-")
        first = self._kept[0].number if self._kept else self._next
        if life != self._life or not number.isdecimal() or len(number) > 18:
            return self._next, True
        if not first - 1 <= int(number) < self._next:
            return self._next, True
        return int(number) + 1, False

    def _written(self, kind: str, number: int, data: bytes) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (
            self._life.encode(),
            number,
            kind.encode(),
            data,
        )
