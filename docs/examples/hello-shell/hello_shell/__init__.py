"""Declares the shell: the entry point ``shelldock.shells`` leads here, and the driver is never imported by the host."""

from pathlib import Path

shell = Path(__file__).parent
