"""Starts the command line: ``python -m shelldock``."""

from __future__ import annotations

import sys

from shelldock.cli import main

if __name__ == "__main__":
    sys.exit(main())
