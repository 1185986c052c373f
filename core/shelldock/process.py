"""One driver process, reached over its channel: mechanism only, nobody is asked."""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any

from shelldock.channel import Channel, Message
from shelldock.errors import (
    DriverError,
    InputError,
    InstanceLost,
    NotFoundError,
    ShelldockError,
)
from shelldock.model import Call

log = logging.getLogger(__name__)

LAST_WORDS = 0.5
"""Seconds that the fork server has to say how a process ended, after its channel closed."""


class Process:
    """One driver object in a process of its own.

    :param way: how it came about, in words.
    :param kill: how to end it and all it started, at once.
    :param most: bytes that a result may have.
    """

    def __init__(self, id: str, way: str, kill: Callable[[Process], None], most: int) -> None:
        self.id = id
        self.way = way
        self.child = 0
        """Its number among the children of its fork server."""
        self.pid = 0
        self.gone: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when the process and all it started have ended, with how in words."""
        self._kill = kill
        self._channel = Channel(
            self._received, self._closed, 6 * most + 2**20
        )  # JSON may escape each byte
        self._numbers = itertools.count(1)
        self._answers: dict[int, tuple[str, asyncio.Future[str]]] = {}
        self._started: asyncio.Future[Message] | None = None
        self._stopped: asyncio.Future[Message] | None = None
        self._birth = 0.0
        self._killed = ""

    async def connect(self, end: socket.socket) -> None:
        """Take up the channel."""
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: self._channel, sock=end)

    async def start(self, message: Message) -> Message:
        """Tell it what it is to be; how that went. A caller that is cancelled leaves no process behind."""
        self._started = asyncio.get_running_loop().create_future()
        self._channel.send({"do": "start", **message})
        try:
            answer = await self._started
        except asyncio.CancelledError:
            self._channel.close()
            raise
        if answer["is"] == "started":
            self.pid = answer["pid"]
            asyncio.get_running_loop().call_soon(self._born)  # while it does what it is told next
        return answer

    def _born(self) -> None:
        """Remember who it is: a process id alone may be somebody else's later."""
        from shelldock import processes

        self._birth = processes.birth(self.pid)

    def initialize(self, context: Mapping[str, object], execution: str) -> asyncio.Future[str]:
        """Construct the driver and call its ``initialize``, on behalf of an execution."""
        message: Message = {"do": "initialize", "context": context, "execution": execution}
        return self._ask("initialize", message)

    def call(self, number: int, call: Call) -> asyncio.Future[str]:
        """Call a command; the future has its result as text, or the error."""
        message: Message = {
            "do": "call", "command": call.command, "inputs": call.inputs, "ports": call.ports,
            "context": call.context, "execution": call.execution,
        }  # fmt: skip
        return self._ask(call.command, message, number)

    def set_log_level(self, level: str) -> None:
        """Let the driver's loggers log from ``level`` on."""
        self._channel.send({"do": "level", "level": level})

    def number(self) -> int:
        """A number for the next call, by which it can be cancelled."""
        return next(self._numbers)

    def cancel(self, number: int) -> None:
        """Set the flag that the driver may look at."""
        self._channel.send({"do": "cancel", "call": number})

    async def stop(self, reason: str, limit: float) -> str:
        """Let the driver clean up, for at most ``limit`` seconds, and end the process.

        :returns: what went wrong in ``cleanup``, empty if nothing.
        """
        if self.gone.done():
            return ""
        self._stopped = asyncio.get_running_loop().create_future()
        self._channel.send({"do": "stop", "reason": reason, "limit": limit})
        grace = limit + 2.0  # the process keeps the limit itself; this is for one that cannot
        either: set[asyncio.Future[Any]] = {self._stopped, self.gone}
        if not (await asyncio.wait(either, timeout=grace, return_when="FIRST_COMPLETED"))[0]:
            self.kill(f"cleanup did not end within {limit:g} s")
            await self.gone
            return f"it did not end within {limit:g} s"
        trouble = self._stopped.result().get("error") if self._stopped.done() else None
        if not (await asyncio.wait({self.gone}, timeout=grace))[0]:
            self.kill("did not exit after cleanup")
            await self.gone
        return str(trouble or "")

    def memory(self) -> int:
        """Bytes; see ``shelldock.processes``."""
        from shelldock import processes

        return processes.memory(self.pid)

    def kill(self, reason: str) -> None:
        """End the process and all it started, at once."""
        self._killed = self._killed or reason
        self._kill(self)

    def kill_tree(self) -> None:
        """End it without the fork server, which is gone itself."""
        from shelldock import processes

        processes.kill_tree(self.pid, self._birth)

    def ended(self, how: str) -> None:
        """The fork server, or its end, says that this process is gone."""
        self._channel.close()
        if not self.gone.done():
            self.gone.set_result(f"{how} ({self._killed})" if self._killed else how)
        self._lose(self.gone.result())

    def _ask(self, command: str, message: Message, number: int = 0) -> asyncio.Future[str]:
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        if self.gone.done():
            answer.set_exception(
                InstanceLost(f"the driver's process is gone: {self.gone.result()}")
            )
            return answer
        number = number or self.number()
        self._answers[number] = (command, answer)
        message["call"] = number
        self._channel.send(message)
        return answer

    def _received(self, message: Message) -> None:
        kind = message["is"]
        if kind == "stopped":
            if self._stopped is not None and not self._stopped.done():
                self._stopped.set_result(message)
            return
        if kind in ("started", "failed"):
            if self._started is not None and not self._started.done():
                self._started.set_result(message)
            return
        command, answer = self._answers.pop(message["call"])
        if answer.done():
            return
        if kind == "result":
            answer.set_result(message["text"])
        else:
            answer.set_exception(_error(command, message))

    def _closed(self, fault: str) -> None:
        if fault:
            self.kill(fault)
        # Its death reaches us twice: here at once, and from the fork server with how it came about.
        asyncio.get_running_loop().call_later(LAST_WORDS, self._hung_up)

    def _hung_up(self) -> None:
        if not self.gone.done() and self._stopped is None:
            self.kill("it closed its channel")
        self._lose("it closed its channel")

    def _lose(self, how: str) -> None:
        if self._started is not None and not self._started.done():
            text = f"its process ended before the driver was there: {how}"
            self._started.set_result({"is": "failed", "text": text})
        for command, answer in self._answers.values():
            if not answer.done():
                answer.set_exception(
                    InstanceLost(
                        f"the driver's process ended while {command!r} ran: {how}; the next command starts a new one"
                    )
                )
        self._answers.clear()


def _error(command: str, message: Message) -> ShelldockError:
    """The error that an error frame stands for."""
    text = message["text"]
    match message["kind"]:
        case "driver":
            return DriverError(command, message["type"], text, message["trace"])
        case "command":
            return NotFoundError(
                "command",
                command,
                message["known"],
                f"the driver has {', '.join(message['known'])}",
            )
        case "input":
            return InputError(f"{command!r}: {text}")
        case "result":
            return DriverError(command, message["type"], text, message["trace"])
        case kind:
            raise ValueError(f"no error is of the kind {kind!r}")
