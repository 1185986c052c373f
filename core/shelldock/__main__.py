"""Starts the command line, and ends it: ``shelldock``, or ``python -m shelldock``."""

from __future__ import annotations

import atexit
import os
import sys
from contextlib import suppress

from shelldock.cli import main


def run() -> int:
    """Run the command line of this process; returns the exit code.

    Whatever waits for the end of the process has its turn. Then it ends at once: Python would free, one by one, all
    the objects that were made, which takes longer than many a command.
    """
    code = 1

    def leave() -> None:
        with suppress(BrokenPipeError):  # whoever read our output has enough
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)

    atexit.register(leave)  # what is registered first is called last
    code = main()
    return code


if __name__ == "__main__":
    sys.exit(run())
