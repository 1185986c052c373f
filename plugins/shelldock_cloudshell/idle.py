"""How long an instance may stay without work before it is stopped."""

from __future__ import annotations

import msgspec

from shelldock.hookspecs import hookimpl


class Idle(msgspec.Struct, frozen=True, kw_only=True):
    """The same limit for every instance: setting ``plugins.idle.limit``, in seconds (I5)."""

    limit: float = 600
    """Seconds; ``inf`` for never."""

    @hookimpl(trylast=True)
    def shelldock_idle_limit(self) -> float:
        """The limit, whatever the instance."""
        return self.limit
