"""Checks the health of every resource, again and again, and logs who is not well."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Annotated, Final

from msgspec import Meta

from shelldock import AsyncHost, ShelldockError, hookimpl
from shelldock.errors import CancelledError, ConflictError, NotFoundError
from shelldock.model import Value

COMMAND: Final = "health_check"

log = logging.getLogger(__name__)


class HealthRounds(Value, frozen=True, kw_only=True):
    """One resource after the other, so that a round costs the lab next to nothing."""

    every: Annotated[float, Meta(gt=0)] = 3600.0
    """Seconds between two rounds."""
    limit: float = 60.0
    """Seconds that one check may take."""

    @hookimpl
    def shelldock_services(self, host: AsyncHost) -> Sequence["Rounds"]:
        """The rounds begin and end with the host."""
        return [Rounds(host, self)]


class Rounds:
    """A service, as the host wants it."""

    name = "health rounds"

    def __init__(self, host: AsyncHost, said: HealthRounds) -> None:
        self._host = host
        self._said = said

    async def start(self) -> None:
        """Begin; the first round comes after the first pause."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End, in the middle of a round if need be."""
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._said.every)
            for one in self._host.inventory.resources():
                await self._check(one.name)

    async def _check(self, name: str) -> None:
        try:
            ended = await self._host.execute(name, COMMAND, limit=self._said.limit)
        except (CancelledError, ConflictError, NotFoundError) as error:
            log.debug("%s was not asked: %s", name, error)  # as by drivers without the command
        except ShelldockError as error:
            log.warning("%s is not well: %s", name, error)
        else:
            answer = ended.result or ""
            if answer.rstrip(". ").endswith("failed"):  # the published libraries do not raise
                log.warning("%s is not well: %s", name, answer)
