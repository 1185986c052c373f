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
    """What instances that are forked later shall find: a log, streams that lead to it, signals as Python has them."""
    # Whoever started the host in the background may have had it ignore interrupts.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for one in (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(one, signal.SIG_DFL)
    log = Log()
    streams.replace(log)
    Records(log)
    faulthandler.enable(file=2)
    return log


def settle(folder: str, environ: Mapping[str, str]) -> None:
    """Make this process a driver's: with its own session, folders and variables.

    ``folder`` gets ``work`` (the current folder), ``home`` and ``tmp``.
    """
    if os.getsid(0) != os.getpid():  # A fresh interpreter leads a session already.
        os.setsid()
    processes.adopt_orphans()
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


def no_input() -> None:
    """Let standard input come from nowhere."""
    nothing = os.open(os.devnull, os.O_RDONLY)
    if nothing:
        os.dup2(nothing, 0)
        os.close(nothing)


def flush(log: Log) -> None:
    """Write out all that was printed and is not written yet."""
    streams.flush()
    log.flush()
