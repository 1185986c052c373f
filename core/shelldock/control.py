"""Lets other processes of the same user see what an open host does, and end it."""

from __future__ import annotations

import asyncio
import inspect
import logging
import os
import secrets
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from shelldock.errors import NotFoundError, ShelldockError
from shelldock.model import Failure, Value
from shelldock.paths import private

log = logging.getLogger(__name__)

SUFFIX: Final = ".sock"
LONGEST_QUESTION: Final = 64 * 1024
"""Bytes; a question is a verb, a name and a reason."""

PATIENCE: Final = 10.0
"""Seconds in which a question must have arrived."""

_LONGEST_PATH: Final = 100
"""What the system takes as the path of a socket, roughly."""

Answers = Mapping[str, Callable[..., object]]


class Reply(Value, frozen=True, kw_only=True):
    """What came of a question: an answer, or the error that it raised."""

    answer: object = None
    failure: Failure | None = None


class Control:
    """Answers on a socket in a folder that nobody but the user can enter.

    A question is a list in MessagePack: a verb and its arguments, all plain data. One question a connection: the
    asker closes its side, gets a ``Reply``, and is hung up on.

    :param answers: for each verb what answers it, at once or as a coroutine.
    """

    def __init__(self, folder: Path, answers: Answers) -> None:
        self._folder = folder
        self._answers = answers
        self._server: asyncio.Server | None = None
        self._place: Path | None = None

    async def open(self) -> None:
        """Listen; where that is not possible, the host does without, with a warning in the log."""
        try:
            place = private(self._folder) / f"{os.getpid()}-{secrets.token_hex(4)}{SUFFIX}"
            with Reach(place) as path:
                self._server = await asyncio.start_unix_server(
                    self._serve, path, limit=LONGEST_QUESTION
                )
            self._place = place
        except (OSError, ShelldockError) as error:
            log.warning("other processes cannot see this host: %s", error)

    async def close(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
        if self._place is not None:
            self._place.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):  # who asked has gone, or the host ends
            try:
                async with asyncio.timeout(PATIENCE):
                    question = await reader.read(LONGEST_QUESTION + 1)
                    while not reader.at_eof() and len(question) <= LONGEST_QUESTION:
                        question += await reader.read(LONGEST_QUESTION)
            except TimeoutError:
                log.info("a question never came to its end")
            else:
                writer.write(_encoded(await self._reply(question)))
                await writer.drain()
            writer.close()

    async def _reply(self, question: bytes) -> Reply:
        try:
            verb, *arguments = msgspec.msgpack.decode(question, type=list[Any])
            if verb not in self._answers:
                raise NotFoundError("verb", str(verb), self._answers)
            answer = self._answers[verb](*arguments)
            return Reply(answer=await answer if inspect.isawaitable(answer) else answer)
        except ShelldockError as error:
            return Reply(failure=Failure.of(error))
        except (
            msgspec.DecodeError,
            ValueError,
            TypeError,
        ) as error:  # whoever asks may send anything
            return Reply(failure=Failure(code="input", message=f"that is no question: {error}"))
        except Exception as error:  # ours to mend; but who asked must not wait for ever
            log.exception("a question from another process")
            return Reply(failure=Failure(code="error", message=f"internal error: {error!r}"))


class Reach:
    """A path to a socket that the system takes, however long that of its folder is."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._folder = -1

    def __enter__(self) -> str:
        if len(os.fsencode(self._place)) <= _LONGEST_PATH:
            return str(self._place)
        self._folder = os.open(self._place.parent, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._folder}/{self._place.name}"

    def __exit__(self, *_: object) -> None:
        if self._folder >= 0:
            os.close(self._folder)


def _encoded(reply: Reply) -> bytes:
    return msgspec.msgpack.encode(reply, enc_hook=str)
