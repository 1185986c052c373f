"""Interrupts are for the driver's code; when none of it runs, they are for nobody."""

from __future__ import annotations

import signal
from typing import Any


class Interrupts:
    """How SIGINT is handled, unless the driver's import has another way.

    Made before any instance is: what each of them changed in its signals would be memory of its own.
    """

    def __init__(self) -> None:
        self.heeded = True
        """Whether the main thread runs the driver's code; its import is such code."""
        signal.signal(signal.SIGINT, self._interrupt)

    def _interrupt(self, number: int, frame: Any) -> None:
        if self.heeded:
            raise KeyboardInterrupt
