"""The first moments of an instance's process, forked or fresh."""

from __future__ import annotations

import os
import socket
import sys
from typing import NamedTuple, NoReturn, Optional

from shelldriver import loading, processes, surroundings
from shelldriver.binding import Commands
from shelldriver.contexts import Contexts
from shelldriver.instance import Instance
from shelldriver.interrupts import Interrupts
from shelldriver.log import Log
from shelldriver.wire import Channel, Message, out_of_the_way, receive_descriptor


class Newborn(NamedTuple):
    """What a process has that is to become an instance."""

    line: socket.socket
    """Over which the fork server hands it the channel to the host."""
    lifeline: int
    """A descriptor whose other side hangs up when the fork server has gone."""
    log: Log
    interrupts: Interrupts
    commands: Optional[Commands] = None
    """Those of the driver, where it is imported already."""
    contexts: Optional[Contexts] = None


def fresh(line: int, lifeline: int, log: Log, interrupts: Interrupts) -> Newborn:
    """What a fresh interpreter has."""
    return Newborn(socket.socket(fileno=line), out_of_the_way(lifeline), log, interrupts)


def live(newborn: Newborn) -> NoReturn:
    """Wait to be an instance, be what the host says, and tell it how that went. Does not return."""
    surroundings.part()
    descriptor = receive_descriptor(newborn.line)
    newborn.line.close()
    if descriptor is None:  # The fork server has gone.
        os._exit(0)
    channel = Channel(descriptor)
    try:
        start = channel.read_one()
    except EOFError:
        os._exit(0)
    try:
        instance = _instance(newborn, channel, start)
    except BaseException as error:
        # The import is a stranger's code: an exit there is a failure, too.
        failed = loading.failure(error, (start["driver"] or {}).get("source", ""))
        newborn.log.note("the instance cannot start\n%s" % failed["trace"], "ERROR")
        channel.send({"is": "failed", **failed})
        surroundings.flush(newborn.log)
        processes.end_children(1)
        os._exit(1)
    channel.send({"is": "started", "pid": os.getpid()})
    instance.run()


def _instance(newborn: Newborn, channel: Channel, start: Message) -> Instance:
    log = newborn.log
    surroundings.make(os.path.dirname(start["log"]))
    most, keep = _number(start.get("log_bytes")), start.get("log_keep") or 1
    log.move(start["log"], most, keep, start["concurrent"])
    surroundings.settle(start["folder"], start["environ"])
    log.note(_about(newborn, start))
    commands = newborn.commands
    if commands is None:
        source = start["driver"]
        with processes.Vigil(newborn.lifeline, channel.descriptor):
            driver = loading.load(source["source"], source["main"], source["pycache"])
        newborn.interrupts.heeded = False
        commands = Commands(driver, source["commands"], log.note)
    return Instance(
        commands=commands,
        contexts=newborn.contexts or Contexts(log.note),
        channel=channel,
        lifeline=newborn.lifeline,
        log=log,
        interrupts=newborn.interrupts,
        concurrent=start["concurrent"],
        result_limit=_number(start["result_limit"]),
        host_lost=start["host_lost"],
    )


def _about(newborn: Newborn, start: Message) -> str:
    way = "fresh" if newborn.commands is None else "forked"
    about = start.get("about") or "an instance"
    python = sys.version.split()[0]
    return "started: %s, Python %s, process %d, %s" % (about, python, os.getpid(), way)


def _number(limit: Optional[float]) -> float:
    return float("inf") if limit is None else limit
