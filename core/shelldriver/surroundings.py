"""What a driver finds around it: folders of its own, variables, standard streams, a session."""

from __future__ import annotations

import faulthandler
import os
import signal
import tempfile
import time
from typing import Mapping

from shelldriver import processes, streams
from shelldriver.log import Log
from shelldriver.records import Records


def prepare() -> Log:
    """What instances that are forked later shall find: no input, a log, streams that lead to it, Python's signals."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing:
        os.dup2(nothing, 0)
        os.close(nothing)
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(one, signal.SIG_DFL)
    log = Log()
    streams.replace(log)
    Records(log)
    faulthandler.enable(file=2)
    return log


def part() -> None:
    """Make this process one of its own: with its own session, and its own orphans."""
    if os.getsid(0) != os.getpid():  # A fresh interpreter leads a session already.
        os.setsid()
    processes.adopt_orphans()


def settle(folder: str, environ: Mapping[str, str]) -> None:
    """Give this process its own folders and variables.

    ``folder`` gets ``work`` (the current folder), ``home`` and ``tmp``.
    """
    places = {name: os.path.join(folder, name) for name in ("work", "home", "tmp")}
    for place in (folder, *places.values()):
        make(place)
    os.chdir(places["work"])
    os.environ["HOME"] = places["home"]
    for name in ("TMPDIR", "TEMP", "TMP"):
        os.environ[name] = places["tmp"]
    for name, text in environ.items():
        os.environ[name] = text
    tempfile.tempdir = None  # What the import may have asked for was another folder.
    if "TZ" in environ:
        time.tzset()


def make(folder: str) -> None:
    """Make a folder, if it is not there."""
    # Hardly ever more than one call of the system: what little an instance does, it does in memory of its own.
    try:
        os.mkdir(folder)
    except FileExistsError:
        pass
    except FileNotFoundError:
        os.makedirs(folder, exist_ok=True)


def flush(log: Log) -> None:
    """Write out all that was printed and is not written yet."""
    streams.flush()
    log.flush()
