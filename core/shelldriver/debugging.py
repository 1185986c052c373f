"""Lets a debugger attach before the driver does anything."""

from __future__ import annotations

import importlib
import os
from typing import Callable

VARIABLE = "SHELLDOCK_DEBUG"
"""``address:port`` to wait on; set by the host for those who debug."""


def wait(note: Callable[[str], None]) -> None:
    """Wait for a debugger, where the host says so, before ``initialize`` (L2). Raises what keeps it from listening.

    :param note: writes a line to the log.
    """
    place = os.environ.pop(VARIABLE, "")
    if not place:
        return
    debugpy = importlib.import_module("debugpy")  # It is in the environments of those who debug.
    address, _, port = place.rpartition(":")
    debugpy.listen((address, int(port)))
    note("waiting for a debugger on %s" % place)
    debugpy.wait_for_client()
