"""The end of an instance: once, in order, and in bounded time."""

from __future__ import annotations

import logging
import os
import threading
import time
from typing import Any, Callable, Optional

from shelldriver import failures, processes, surroundings
from shelldriver.log import NOBODY, Log
from shelldriver.wire import Channel

_LOGS_LIMIT = 1.0
_CHILDREN_LIMIT = 2.0


class Ending:
    """Runs ``cleanup`` once, says so, ends what the driver left behind, and the process.

    :param cleanup: the driver's.
    :param busy: whether commands are still running.
    """

    def __init__(
        self, channel: Channel, log: Log, cleanup: Callable[[], Any], busy: Callable[[], bool]
    ) -> None:
        self._channel = channel
        self._log = log
        self._cleanup = cleanup
        self._busy = busy
        self._begun = threading.Lock()
        self._told = threading.Lock()
        self._patience = float("inf")

    def bound(self, limit: Optional[float]) -> None:
        """The end has ``limit`` seconds (None: all the time it wants) from now on.

        Commands that still run have half of them; then ``cleanup`` no longer waits for its turn.
        """
        if limit is not None:
            self._patience = min(self._patience, time.monotonic() + limit / 2)
            threading.Thread(target=self._watch, args=(limit,), daemon=True).start()

    def run(self) -> None:
        """Wait for the commands that run, clean up, leave. Does not return, to the first who calls it."""
        if not self._begun.acquire(False):
            return
        while self._busy() and time.monotonic() < self._patience:
            time.sleep(0.01)
        error = None
        try:
            self._cleanup()
        except BaseException as raised:  # The driver's: whatever it is, the process ends in order.
            error = failures.one_line(raised)
            self._note("cleanup raised\n%s" % failures.trace(raised), "ERROR")
        else:
            self._note("stopped", "INFO")
        self._tell(error)
        leave(0, self._log)

    def _watch(self, limit: float) -> None:
        time.sleep(limit / 2)
        threading.Thread(target=self.run, daemon=True).start()
        time.sleep(limit / 2)
        late = "cleanup did not end within %g s" % limit
        self._note(late, "ERROR")
        self._tell(late)
        leave(1, self._log)

    def _tell(self, error: Optional[str]) -> None:
        if self._told.acquire(False):
            self._channel.send({"is": "stopped", "error": error}, patience=0.5)

    def _note(self, text: str, level: str) -> None:
        self._log.note(text, level, NOBODY)


def leave(status: int, log: Log) -> None:
    """End this process and all it started. Does not return, and does not wait for threads."""
    last = threading.Thread(target=_last_words, args=(log,), daemon=True)
    last.start()
    last.join(_LOGS_LIMIT)
    processes.end_children(_CHILDREN_LIMIT)
    os._exit(status)


def _last_words(log: Log) -> None:
    _drain()
    logging.shutdown()
    surroundings.flush(log)


def _drain() -> None:
    """Wait until handlers that write from a thread of their own have nothing left to write."""
    deadline = time.monotonic() + _LOGS_LIMIT / 2
    handlers = [reference() for reference in list(vars(logging)["_handlerList"])]
    queues: Any = [getattr(handler, "queue", None) for handler in handlers]
    for queue in queues:
        while hasattr(queue, "empty") and not queue.empty() and time.monotonic() < deadline:
            time.sleep(0.01)
