"""The only clock: stops what is idle, cancels what waited too long, collects environments and logs that nobody uses."""

from __future__ import annotations

import asyncio
import logging
import time

from shelldock.environments import Environments
from shelldock.journal import prune
from shelldock.node import Node
from shelldock.paths import Paths
from shelldock.settings import Settings

TICK = 0.25
"""Seconds between two looks; ten thousand idle instances take about a hundredth of that."""

COLLECT = 3600.0
"""Seconds between two collections of unused environments, or of old logs."""

log = logging.getLogger(__name__)


class Janitor:
    """Looks after one node for as long as it is open."""

    def __init__(
        self, node: Node, environments: Environments, paths: Paths, settings: Settings
    ) -> None:
        self._node = node
        self._environments = environments
        self._paths = paths
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """Begin to look."""
        self._task = asyncio.create_task(self._run(), name="janitor")

    async def close(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        collected = time.monotonic()
        tidied = (
            -COLLECT
        )  # at once: who runs a command now and then has no host that lives that long
        while True:
            await asyncio.sleep(TICK)
            try:
                self._node.expire(time.monotonic())
                self._node.stop_idle(time.monotonic())
                if time.monotonic() - collected >= COLLECT:
                    collected = time.monotonic()
                    unused_after = self._settings.environments.unused_after
                    await asyncio.to_thread(self._environments.prune, unused_after)
                if time.monotonic() - tidied >= COLLECT:
                    tidied = time.monotonic()
                    await asyncio.to_thread(prune, self._paths, self._settings.logs.unused_after)
            except Exception:  # a clock that stops is worse than one that was wrong once
                log.exception("the janitor stumbled")
