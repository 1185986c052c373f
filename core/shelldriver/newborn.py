"""The first moments of an instance's process, forked or fresh."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple, Optional

from shelldriver import loading, processes, surroundings
from shelldriver.binding import Commands
from shelldriver.contexts import Contexts
from shelldriver.instance import Instance
from shelldriver.log import Log
from shelldriver.wire import Channel, Message, out_of_the_way


class Newborn(NamedTuple):
    """What a process needs to become an instance."""

    channel: Channel
    """To the host."""
    line: Channel
    """To the fork server, to tell how the start went."""
    lifeline: int
    """A descriptor whose other side hangs up when the fork server has gone."""
    load: Message
    start: Message
    log: Log
    commands: Optional[Commands] = None
    """Those of the driver, where it is imported already."""
    contexts: Optional[Contexts] = None


def told(line: int, channel: int, lifeline: int, log: Log) -> Newborn:
    """What the fork server tells a fresh interpreter over its line."""
    ends = Channel(channel), Channel(line)
    lifeline = out_of_the_way(lifeline)
    messages = ends[1].read()
    while not messages:
        messages = ends[1].read()
    return Newborn(*ends, lifeline, messages[0]["load"], messages[0]["start"], log)


def live(newborn: Newborn) -> None:
    """Be the instance; tell the fork server how its start went. Does not return."""
    load, start, log = newborn.load, newborn.start, newborn.log
    try:
        _open(log, start)
        surroundings.settle(start["folder"], start["environ"])
        log.note(_about(newborn))
        commands, contexts = newborn.commands, newborn.contexts
        if commands is None:
            with processes.Vigil(newborn.lifeline, newborn.channel.descriptor):
                driver = loading.load(load["source"], load["main"], load["pycache"])
            commands = Commands(driver, load["commands"], log.note)
        instance = Instance(
            commands=commands,
            contexts=contexts or Contexts(log.note),
            channel=newborn.channel,
            lifeline=newborn.lifeline,
            log=log,
            concurrent=start["concurrent"],
            result_limit=_number(start["result_limit"]),
            host_lost=load["host_lost"],
        )
    except BaseException as error:
        # The import is a stranger's code: an exit there is a failure, too.
        failed = loading.failure(error, load["source"])
        log.note("the instance cannot start\n%s" % failed["trace"], "ERROR")
        newborn.line.send({"is": "failed", **failed})
        surroundings.flush(log)
        processes.end_children(1)
        os._exit(1)
    newborn.line.send({"is": "started"})
    newborn.line.close()
    instance.run()


def _open(log: Log, start: Message) -> None:
    surroundings.no_input()
    surroundings.make(os.path.dirname(start["log"]))
    most, keep = _number(start.get("log_bytes")), start.get("log_keep") or 1
    log.move(start["log"], most, keep, start["concurrent"])


def _about(newborn: Newborn) -> str:
    way = "fresh" if newborn.commands is None else "forked"
    about = newborn.start.get("about") or "instance %s" % newborn.start["id"]
    python = sys.version.split()[0]
    return "started: %s, Python %s, process %d, %s" % (about, python, os.getpid(), way)


def _number(limit: Optional[float]) -> float:
    return float("inf") if limit is None else limit
