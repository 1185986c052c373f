"""Where a session of the simulated switch reads and writes, and the filters of its output."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol


class Terminal(Protocol):
    """Where a session reads and writes."""

    def write(self, text: str) -> None:
        """Show text."""

    async def ask(self, prompt: str, echo: bool = True) -> str:
        """Show a prompt and return the line that is typed; raises ``EOFError`` at the end."""


@dataclass
class Kept:
    """Keeps output back, for a filter."""

    terminal: Terminal
    text: str = ""

    def write(self, text: str) -> None:
        """Keep text."""
        self.text += text

    async def ask(self, prompt: str, echo: bool = True) -> str:
        """Ask through."""
        return await self.terminal.ask(prompt, echo)

    def filtered(self, filters: str) -> str:
        """What ``include``, ``exclude`` or ``begin`` leaves."""
        how, _, pattern = filters.strip().partition(" ")
        wanted = re.compile(pattern)
        lines = self.text.splitlines()
        if "begin".startswith(how):
            first = next((at for at, line in enumerate(lines) if wanted.search(line)), len(lines))
            return "".join(f"{line}\n" for line in lines[first:])
        keep = not "exclude".startswith(how)
        return "".join(f"{line}\n" for line in lines if bool(wanted.search(line)) == keep)
