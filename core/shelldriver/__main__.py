"""``python -s -m shelldriver CONTROL HANDLES``: the fork server of one driver."""

from __future__ import annotations

import os
import socket
import sys
from typing import List

from shelldriver import newborn, processes, surroundings
from shelldriver.forkserver import ForkServer
from shelldriver.interrupts import Interrupts


def main(arguments: List[str]) -> None:
    """Be a fork server, or with ``--instance LINE LIFELINE`` one of its fresh instances. Does not return."""
    _drop_current_folder()
    sys.argv = sys.argv[:1]
    log = surroundings.prepare()
    interrupts = Interrupts()
    if arguments[0] == "--instance":
        line, lifeline = map(_own, arguments[1:])
        newborn.live(newborn.fresh(line, lifeline, log, interrupts))
    control, handles = (socket.socket(fileno=_own(one)) for one in arguments)
    # Kept: an instance would write to all the memory that it gives back, and so make it its own.
    server = ForkServer(control, handles, log, interrupts)
    born = server.serve()
    if born is not None:
        newborn.live(born)
    surroundings.flush(log)
    # Processes and threads that the driver's import left are nobody's any more.
    processes.end_children(1)
    os._exit(0)


def _own(number: str) -> int:
    """An inherited descriptor that will not be inherited further."""
    os.set_inheritable(int(number), False)
    return int(number)


def _drop_current_folder() -> None:
    """Take back what ``-m`` put first on the path: it would come before the driver's own modules."""
    if not getattr(sys.flags, "safe_path", False) and sys.path[0] in ("", os.getcwd()):
        del sys.path[0]


if __name__ == "__main__":
    main(sys.argv[1:])
