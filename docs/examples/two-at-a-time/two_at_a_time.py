"""Lets no more than two commands run at a time on the instances of the shells that the settings name."""

from collections.abc import Generator
from typing import Annotated

from msgspec import Meta

from shelldock import hookimpl
from shelldock.model import Shell, Value


class TwoAtATime(Value, frozen=True, kw_only=True):
    """Devices take only so many sessions, however many commands their drivers could run."""

    shells: tuple[str, ...] = ()
    """Names of shells; the others keep what they say themselves."""
    most: Annotated[int, Meta(ge=1)] = 2

    @hookimpl(wrapper=True)
    def shelldock_concurrency(self, shell: Shell) -> Generator[None, float, float]:
        """Never more than the answer of the others: a driver that runs one at a time goes on doing so."""
        most = yield
        return min(most, self.most) if shell.name in self.shells else most
