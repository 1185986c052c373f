"""The Automation API as HTTP: ``POST /ResourceManagerApiService/<operation>``, XML in and out."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Final

from shelldock.errors import ConflictError, ShelldockError, nearest
from shelldock_compat import infos
from shelldock_compat.backend import Backend
from shelldock_compat.listener import Request, Response
from shelldock_compat.operations import Operations
from shelldock_compat.replies import failure, success
from shelldock_compat.requests import Fields, Operation, read_fields, read_path, read_token

log = logging.getLogger(__name__)

SERVICE: Final = "resourcemanagerapiservice"

GENERAL: Final = 100
EXISTS: Final = 114
WRONG_TOKEN: Final = 118
"""Error codes that public scripts and libraries know the meaning of."""

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
        self._names = {name.casefold(): name for name in (*LOGINS, *self._operations.names)}

    def __call__(self, request: Request) -> Response:
        """The reply to ``request``."""
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

    def _answer(self, name: str, request: Request) -> Response:
        try:
            fields = read_fields(request.body)
            if name in LOGINS:
                return Response(self._login(name, fields))
            subject = self._backend.subject(read_token(request.headers.get("authorization", "")))
            if subject is None:
                text = "the session is not known to this host: log in again"
                return Response(failure(name, WRONG_TOKEN, text), status=HTTPStatus.UNAUTHORIZED)
            log.debug("%s for %r", name, subject)
            info = self._operations.answer(Operation(name, fields, subject))
            return Response(success(name, info))
        except ShelldockError as error:
            log.info("%s failed: %s", name, error)
            return Response(failure(name, _code(error), str(error)))
        except Exception:  # a bug behind the API must reach the driver as a readable failure
            log.exception("%s failed", name)
            text = f"internal error in {name!r}; see the host's log"
            return Response(failure(name, GENERAL, text))

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


def _code(error: ShelldockError) -> int:
    return EXISTS if isinstance(error, ConflictError) else GENERAL
