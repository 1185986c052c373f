"""Shows on standard error what the host is doing: a plugin like any other."""

from __future__ import annotations

import sys
import time
from functools import cached_property
from typing import TYPE_CHECKING

from shelldock.cli.screen import console
from shelldock.hookspecs import hookimpl
from shelldock.model import Environment, Execution

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


class Progress:
    """Tells how environments come about, and what drivers say while they work."""

    def __init__(self) -> None:
        self._status: Status | None = None
        self._began: dict[str, float] = {}
        self._heard: dict[str, int] = {}

    @hookimpl
    def shelldock_environment_changed(self, environment: Environment) -> None:
        """Show what is built, and how long it took."""
        name = environment.name
        if environment.state == "building" and name not in self._began:
            self._began[name] = time.monotonic()
            if not self._console.is_terminal:
                self.say(f"building environment {name} …")
        if environment.state in ("resolving", "building"):
            self._turn(
                f"{environment.state} {name}{f': {environment.note}' if environment.note else ''}"
            )
            return
        self.stop()
        began = self._began.pop(name, None)
        if began is not None and environment.state == "ready":
            self.say(f"environment {name} is ready after {time.monotonic() - began:.1f} s")

    @hookimpl
    def shelldock_execution_changed(self, execution: Execution) -> None:
        """Print what the driver said since the last time."""
        heard = self._heard.get(execution.id, 0)
        self._heard[execution.id] = len(execution.messages)
        for message in execution.messages[heard:]:
            self.say(message)

    def say(self, text: str) -> None:
        """Print a line above whatever turns."""
        self._console.print(text, soft_wrap=True)

    def stop(self) -> None:
        """Leave the terminal as it was."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    @cached_property
    def _console(self) -> Console:
        return console(sys.stderr)

    def _turn(self, text: str) -> None:
        if not self._console.is_terminal:
            return
        line = text[: self._console.width - 4]
        if self._status is None:
            self._status = self._console.status(line)
            self._status.start()
        else:
            self._status.update(line)
