"""Keeps instances for a working day while they have a session open with their device."""

import psutil

from shelldock import hookimpl
from shelldock.model import Instance, Value


class StayConnected(Value, frozen=True, kw_only=True):
    """Logging in may take a minute; an instance that is logged in is worth keeping."""

    limit: float = 8 * 3600.0
    """Seconds that such an instance may stay without work."""
    ports: tuple[int, ...] = (22, 23, 830)
    """Where devices listen: SSH, Telnet, NETCONF."""

    @hookimpl
    def shelldock_idle_limit(self, instance: Instance) -> float | None:
        """Answer for instances that are connected now; the others keep their limit."""
        return self.limit if connected(instance.pid).intersection(self.ports) else None


def connected(pid: int) -> set[int]:
    """The ports that a process has TCP connections to; none where the process is gone."""
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.Error:
        return set()
    return {one.raddr.port for one in found if one.status == psutil.CONN_ESTABLISHED}
