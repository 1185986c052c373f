"""The Automation API as HTTP: ``POST /ResourceManagerApiService/<operation>``, XML in and out."""

from __future__ import annotations

import logging
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Final

from shelldock.errors import NoDiscoveryError, NoDriverError, ShelldockError, nearest
from shelldock_compat import infos
from shelldock_compat.backend import Backend
from shelldock_compat.commanding import Commanding
from shelldock_compat.listener import Request, Response
from shelldock_compat.operations import Operations
from shelldock_compat.replies import failure, success
from shelldock_compat.requests import Fields, Operation, read_fields, read_path, read_token

log = logging.getLogger(__name__)

SERVICE: Final = "resourcemanagerapiservice"

GENERAL: Final = 100
WRONG_TOKEN: Final = 118
CODES: Final = {
    NoDriverError.code: 129,
    NoDiscoveryError.code: 151,
}
"""Error codes that public scripts and libraries know the meaning of; for all other errors it is ``GENERAL``."""

LOGINS: Final = ("Logon", "SecureLogon", "Logoff")


class AutomationApi:
    """Answers requests of ``cloudshell-automation-api``, whatever its version.

    Business errors and refused logins have status 200, since clients lose the text of any other; a 401 for a login
    would send the newest of them into endless recursion. A token that is not ours gets a 401 with the failure in its
    body: newer clients then log in again and repeat the operation, older ones read the body.
    """

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._operations = Operations(backend)
        self._commanding = Commanding(backend)
        self._waited_for = frozenset(self._commanding.names)
        names = (*LOGINS, *self._operations.names, *self._waited_for)
        self._names = {name.casefold(): name for name in names}

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """The reply to ``request``; to be waited for where it is about a command."""
        path = read_path(request.target)
        if len(path) != 2 or path[0].casefold() != SERVICE:
            text = "nothing here; operations are POSTed to /ResourceManagerApiService/<operation>\n"
            return Response(text.encode(), "text/plain; charset=utf-8", HTTPStatus.NOT_FOUND)
        asked = path[1]
        name = self._names.get(asked.casefold())
        if name is None:
            return self._unknown(asked)
        if request.oversize:
            text = f"the request of {name!r} is longer than this host takes"
            return Response(failure(name, GENERAL, text))
        return self._answer(name, request)

    def _unknown(self, asked: str) -> Response:
        offer = nearest(asked, self._names.values())
        hint = f"; did you mean {' or '.join(map(repr, offer))}?" if offer else ""
        text = f"this host does not offer the operation {asked!r}{hint}"
        log.warning("%s", text)
        return Response(failure(asked, GENERAL, text))

    def _answer(self, name: str, request: Request) -> Response | Awaitable[Response]:
        try:
            fields = read_fields(request.body)
            if name in LOGINS:
                return Response(self._login(name, fields))
            subject = self._backend.subject(read_token(request.headers.get("authorization", "")))
            if subject is None:
                text = "the session is not known to this host: log in again"
                return Response(failure(name, WRONG_TOKEN, text), status=HTTPStatus.UNAUTHORIZED)
            log.debug("%s for %r", name, subject)
            operation = Operation(name, fields, subject)
            if name in self._waited_for:
                return self._waited(operation)
            return Response(success(name, self._operations.answer(operation)))
        except Exception as error:  # a bug behind the API must reach the driver, readable
            return _failed(name, error)

    async def _waited(self, operation: Operation) -> Response:
        try:
            return Response(success(operation.name, await self._commanding.answer(operation)))
        except Exception as error:  # as above
            return _failed(operation.name, error)

    def _login(self, name: str, fields: Fields) -> bytes:
        if name == "Logoff":
            return success(name)  # nothing to forget: tokens are not kept
        if name == "Logon":
            user = fields.text("username")
            text = f"Login failed for user {user!r}: this host has no users, drivers log in with their token"
            return failure(name, GENERAL, text)
        subject = self._backend.subject(fields.text("token"))
        if subject is None:
            text = "Login failed for user: the token is not one of this host's"
            return failure(name, WRONG_TOKEN, text)
        domain = fields.text("domainName") or "Global"
        return success(
            name,
            infos.LogonResponseInfo(
                infos.LogonDomainInfo(domain, domain),
                infos.UserInfo(),
                infos.LogonTokenInfo(self._backend.mint(subject)),
            ),
        )


def _failed(name: str, error: Exception) -> Response:
    if isinstance(error, ShelldockError):
        log.info("%s failed: %s", name, error)
        return Response(failure(name, CODES.get(error.code, GENERAL), str(error)))
    log.error("%s failed", name, exc_info=error)
    return Response(failure(name, GENERAL, f"internal error in {name!r}; see the host's log"))
