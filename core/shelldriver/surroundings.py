"""What a driver finds around it: folders of its own, variables, standard streams, a session."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import sys
import tempfile
import time
from typing import Any, Mapping

from shelldriver import processes


def prepare() -> None:
    """What all instances that are forked later shall find: streams that take any text, signals as Python has them."""
    # Whoever started the host in the background may have had it ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(one, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        _tolerate(stream)
    faulthandler.enable(file=2)


def settle(folder: str, log: str, environ: Mapping[str, str]) -> None:
    """Make this process a driver's: with its own session, streams, folders and variables.

    ``folder`` gets ``work`` (the current folder), ``home`` and ``tmp``; ``log`` gets all that is printed.
    """
    with contextlib.suppress(OSError):  # A fresh interpreter leads a session already.
        os.setsid()
    processes.adopt_orphans()
    places = {name: os.path.join(folder, name) for name in ("work", "home", "tmp")}
    for place in (os.path.dirname(log), folder, *places.values()):
        _make(place)
    _redirect(log)
    os.chdir(places["work"])
    os.environ["HOME"] = places["home"]
    for name in ("TMPDIR", "TEMP", "TMP"):
        os.environ[name] = places["tmp"]
    os.environ.update(environ)
    tempfile.tempdir = None  # What the import may have asked for was another folder.
    if "TZ" in environ:
        time.tzset()


def _redirect(log: str) -> None:
    """Standard input from nowhere; output and errors to the log."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for descriptor, standard in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, standard)
    for descriptor in (nothing, output):
        if descriptor > 2:
            os.close(descriptor)


def _make(folder: str) -> None:
    # Hardly ever more than one call of the system: what little an instance does, it does in memory of its own.
    try:
        os.mkdir(folder)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)


def _tolerate(stream: Any) -> None:
    with contextlib.suppress(Exception):  # A stranger's stream.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)


def flush() -> None:
    """Write out what the standard streams still hold."""
    streams: Any = (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    for stream in streams:
        with contextlib.suppress(Exception):  # A stranger's stream.
            stream.flush()


def note(text: str) -> None:
    """Write a line of our own to the log, past whatever the driver made of ``sys.stderr``."""
    with contextlib.suppress(OSError):
        os.write(2, ("shelldriver: %s\n" % text).encode("utf-8", "backslashreplace"))
