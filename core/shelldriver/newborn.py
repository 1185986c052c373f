"""The first moments of an instance's process, forked or fresh."""

from __future__ import annotations

import os
from typing import NamedTuple, Optional

from shelldriver import loading, processes, surroundings
from shelldriver.binding import Commands
from shelldriver.contexts import Contexts
from shelldriver.instance import Instance
from shelldriver.wire import Channel, Message


class Newborn(NamedTuple):
    """What a process needs to become an instance."""

    channel: Channel
    line: Channel
    load: Message
    start: Message
    commands: Optional[Commands] = None
    """Those of the driver, where it is imported already."""
    contexts: Optional[Contexts] = None


def told(line: int, channel: int) -> Newborn:
    """What the fork server tells a fresh interpreter over its line."""
    ends = Channel(channel), Channel(line)
    messages = ends[1].read()
    while not messages:
        messages = ends[1].read()
    return Newborn(ends[0], ends[1], messages[0]["load"], messages[0]["start"])


def live(newborn: Newborn) -> None:
    """Be the instance; tell the fork server how its start went. Does not return."""
    load, start = newborn.load, newborn.start
    try:
        surroundings.settle(start["folder"], start["log"], start["environ"])
        commands, contexts = newborn.commands, newborn.contexts
        if commands is None:
            with processes.Vigil(newborn.line.descriptor, newborn.channel.descriptor):
                driver = loading.load(load["source"], load["main"], load["pycache"])
            commands = Commands(driver, load["commands"])
        instance = Instance(
            commands=commands,
            contexts=contexts or Contexts(),
            channel=newborn.channel,
            line=newborn.line,
            concurrent=start["concurrent"],
            result_limit=_number(start["result_limit"]),
            host_lost=load["host_lost"],
        )
    except BaseException as error:
        # The import is a stranger's code: an exit there is a failure, too.
        newborn.line.send({"is": "failed", **loading.failure(error, load["source"])})
        surroundings.flush()
        processes.end_children(1)
        os._exit(1)
    newborn.line.send({"is": "started"})
    instance.run()


def _number(limit: Optional[float]) -> float:
    return float("inf") if limit is None else limit
