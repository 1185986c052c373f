"""The API that drivers dial, as a service that lives as long as the host."""

from __future__ import annotations

import errno
import logging
import os
import random
from collections.abc import Awaitable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Final

from shelldock.errors import ConflictError
from shelldock.model import Connectivity
from shelldock_compat.backend import Backend
from shelldock_compat.listener import Limits, Listener, Request, Response

# What answers is imported when somebody asks: many drivers never do.
if TYPE_CHECKING:
    from shelldock_compat.automation import AutomationApi
    from shelldock_compat.plugin import Api

log = logging.getLogger(__name__)

_EVERYWHERE: Final = ("0.0.0.0", "::")
_TRIES: Final = 32


class ApiService:
    """Listens for as long as the host lives, and before its first command."""

    name = "api"

    def __init__(self, backend: Backend, settings: Api) -> None:
        self._backend = backend
        self._settings = settings
        limits = Limits(connections=settings.connections, body=settings.body_limit)
        self._automation = Listener(self._answer, limits)
        self._rest = Listener(_refuse, Limits(connections=settings.connections, body=limits.head))

    async def start(self) -> Connectivity:
        """Listen; what drivers are told to dial. Raises ``ConflictError`` where no address is free."""
        address, port = await self._listen()
        log.info("drivers call back on %s:%d", address, port)
        await self._start_rest(address)
        dialled = "127.0.0.1" if address in _EVERYWHERE else address
        return Connectivity(address=dialled, api_port=port, rest_port=self._settings.rest_port)

    async def stop(self) -> None:
        """Close every connection."""
        await self._automation.stop()
        await self._rest.stop()

    @cached_property
    def _api(self) -> AutomationApi:
        from shelldock_compat.automation import AutomationApi

        return AutomationApi(self._backend)

    def _answer(self, request: Request) -> Response | Awaitable[Response]:
        return self._api(request)

    async def _listen(self) -> tuple[str, int]:
        settings = self._settings
        addresses = iter([settings.address] if settings.address else _loopbacks())
        address = next(addresses)
        while True:
            try:
                return address, await self._automation.start(address, settings.port)
            except OSError as error:
                another = next(addresses, None) if error.errno == errno.EADDRINUSE else None
                if another is None:
                    raise ConflictError(_trouble(settings, address, error)) from error
                address = another

    async def _start_rest(self, address: str) -> None:
        if not self._settings.rest_port:
            return
        try:
            await self._rest.start(address, self._settings.rest_port)
        except OSError as error:  # drivers go on without, a refused connection is as quick
            log.info(
                "no REST API on %s:%d: %s",
                address,
                self._settings.rest_port,
                _words(error),
            )


def _refuse(request: Request) -> Response:
    from shelldock_compat import rest

    return rest.answer(request)


def _loopbacks() -> Iterator[str]:
    """127.0.0.1 and its neighbours, which are easy to read; then any, so that many hosts do not queue for the same."""
    for last in range(1, 9):
        yield f"127.0.0.{last}"
    for _ in range(_TRIES):
        yield f"127.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"


def _trouble(settings: Api, address: str, reason: OSError) -> str:
    what = f"cannot listen for drivers on {address}:{settings.port}: {_words(reason)}"
    if settings.address:
        return f"{what}; free it, or change the setting 'plugins.api.address'"
    if reason.errno == errno.EADDRNOTAVAIL:
        return (
            f"{what}, and 127.0.0.1:{settings.port} is taken; stop what listens there, or give this machine another "
            f"loopback address (macOS: sudo ifconfig lo0 alias {address})"
        )
    return f"{what}; something listens on that port of all addresses (0.0.0.0): stop it"


def _words(reason: OSError) -> str:
    """The system's words; asyncio's repeat the address, and those of a failed name look-up have no number."""
    number = reason.errno or 0
    return os.strerror(number).lower() if number > 0 else str(reason.strerror or reason)
