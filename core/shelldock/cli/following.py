"""One command on a server, to its end: Ctrl-C cancels it, a second one leaves it to the server."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import typer

from shelldock.cli.failures import INTERRUPTED
from shelldock.cli.progress import Progress
from shelldock.client import Client, Event
from shelldock.errors import ShelldockError, UnreachableError
from shelldock.model import Environment, Execution

KINDS: Final = ("execution", "output", "environment")

PATIENCE: Final = 10.0
"""Seconds in which a server has heard that a command is cancelled."""


def _made(type: Any, data: object) -> object:
    return type(data)


class Detached(BaseException):
    """The user has enough of watching."""


class Follower:
    """Shows what a command says, and what is done for it, until it has ended."""

    def __init__(self, client: Client, progress: Progress) -> None:
        self._client = client
        self._progress = progress
        self._id = ""
        self._heard = 0
        self._interrupts = 0
        self._printing = threading.Lock()
        self._cancelling = threading.Thread(target=self._give_up, daemon=True)

    def follow(self, begin: Callable[[], Execution]) -> Execution:
        """The execution that ``begin`` answers, when it has ended.

        Raises ``typer.Exit`` where the user lets go of it, and ``UnreachableError`` where it cannot be seen any more.
        """
        try:
            with self._interruptible():
                self._id = begin().id
                if self._interrupts:
                    self._cancel()
                return self._to_the_end()
        except Detached:
            if self._cancelling.ident:
                self._cancelling.join(PATIENCE)  # the server shall hear of it
            self._progress.say(self._goes_on())
            raise typer.Exit(INTERRUPTED) from None
        except UnreachableError as error:
            if self._id:
                self._progress.say(self._goes_on())
            raise error
        finally:
            self._progress.stop()

    def _to_the_end(self) -> Execution:
        with self._client.events(KINDS, execution=self._id) as events:
            found = self._look()
            while found.ended is None:
                found = self._after(next(events), found)
        return found

    def _after(self, event: Event, known: Execution) -> Execution:
        """How things are after an event."""
        if event.kind == "output":
            self._say(event.data["number"], event.data["text"])
        elif event.kind == "environment" and known.state == "accepted":
            self._progress.shelldock_environment_changed(
                msgspec.convert(event.data, Environment, dec_hook=_made)
            )
        elif event.kind in ("execution", "reset"):
            return self._look()
        return known

    def _look(self) -> Execution:
        found = self._client.execution(self._id)
        for number, text in enumerate(found.messages):
            self._say(number, text)
        if found.state != "accepted":
            self._progress.stop()
        return found

    def _say(self, number: int, text: str) -> None:
        """Print a line, unless it was heard already."""
        if number >= self._heard:
            self._heard = number + 1
            self._print(text)

    def _print(self, text: str) -> None:
        with self._printing:
            self._progress.say(text)

    def _goes_on(self) -> str:
        if not self._id:
            return "the server has not said whether it accepted the command; see 'shelldock executions'"
        return f"{self._id} goes on; follow it with 'shelldock attach {self._id}'"

    # ---- interrupts -----------------------------------------------------------------------------

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Meanwhile an interrupt (or a request to end) is for the command, not for this program."""
        signals = (signal.SIGINT, signal.SIGTERM)
        before = [signal.signal(one, self._interrupted) for one in signals]
        try:
            yield
        finally:
            for one, handler in zip(signals, before, strict=True):
                signal.signal(one, handler)

    def _interrupted(self, *_: object) -> None:
        self._interrupts += 1
        if self._interrupts > 1:
            raise Detached
        # In a thread: where the signal came while a line is printed, Python refuses to begin another one inside it.
        self._cancelling.start()

    def _give_up(self) -> None:
        self._print("cancelling; interrupt again to leave it to the server")
        if self._id:  # else it is cancelled as soon as it is known
            self._cancel()

    def _cancel(self) -> None:
        try:
            self._client.cancel(self._id, force=True)
        except ShelldockError as error:
            self._print(str(error))
