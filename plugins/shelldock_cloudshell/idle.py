"""How long an instance may stay without work before it is stopped."""

from __future__ import annotations

import msgspec

from shelldock.hookspecs import hookimpl
from shelldock.model import Instance


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """One limit for every instance, or for those of a shell: the settings ``plugins.idle``, in seconds (I5)."""

    limit: float = 600
    """Seconds; ``inf`` for never."""
    shells: dict[str, float] = {}
    """By a shell's name, the limit for its instances."""

    @hookimpl(trylast=True)
    def shelldock_idle_limit(self, instance: Instance) -> float:
        """The shell's limit, else everybody's."""
        return self.shells.get(instance.shell, self.limit)
