"""The API that drivers dial, as a plugin: its settings, and the service that the host starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec

from shelldock.hookspecs import hookimpl

if TYPE_CHECKING:
    from shelldock_compat.backend import Host
    from shelldock_compat.service import ApiService

Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]


class Api(msgspec.Struct, frozen=True, kw_only=True):
    """The API that drivers call back on. CloudShell's own session helper always dials port 8029."""

    enabled: bool = True
    address: str = ""
    """Where to listen; empty: 127.0.0.1, or where that is taken, another loopback address."""
    port: Port = 8029
    """Another one serves only drivers that read the port from their context; few do."""
    rest_port: Port = 9000
    """Quick refusals for what drivers ask of CloudShell's REST API; 0: none."""
    connections: Annotated[int, msgspec.Meta(ge=1)] = 512
    body_limit: Annotated[int, msgspec.Meta(ge=1024)] = 16 * 1024 * 1024
    """Bytes."""

    @hookimpl(trylast=True)
    def shelldock_services(self, host: Host) -> Sequence[ApiService] | None:
        """Offer the API as a service of ``host``."""
        from shelldock_compat.service import ApiService  # only a host that is open needs it

        return [ApiService(host.callbacks, self)] if self.enabled else None
