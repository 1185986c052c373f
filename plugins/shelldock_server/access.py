"""Who asks, what they may, and a line in the audit for each change."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from shelldock import AsyncHost
from shelldock.errors import DeniedError, LoginError, ShelldockError
from shelldock.model import Audit, Role, Sandbox, User
from shelldock.users import require
from shelldock_server.problems import LateError

log = logging.getLogger(__name__)

OPEN: Final = "open"
ROLE: Final = "role"
ACTION: Final = "action"
OPENAPI: Final = "/api/openapi.json"

Asked = Request[User, str, State]
"""A request: whose it is, the secret that they showed, and the server's parts."""


class Bodies(Asked):
    """Reads bodies as the OpenAPI document has them; by itself Litestar takes 0 for false."""

    async def json(self) -> Any:
        """The body. Raises ``msgspec.DecodeError``."""
        field = self.route_handler.parsed_data_field
        assert field is not None
        return msgspec.json.decode(await self.body(), type=field.annotation)


def host(request: Asked) -> AsyncHost:
    """The host that is served."""
    found = request.app.state["host"]
    assert isinstance(found, AsyncHost)
    return found


def about(request: Asked, what: str) -> None:
    """Say in the audit what was changed, where the path does not."""
    request.scope["state"]["object"] = what


def is_admin(user: User) -> bool:
    """Whether a user may do whatever there is to do."""
    return user.role == "admin"


def require_own(user: User, sandbox: Sandbox, what: str) -> None:
    """Raise ``DeniedError`` unless a sandbox is the user's own, or the user an admin."""
    if not is_admin(user) and sandbox.owner != user.name:
        raise DeniedError(
            user.name, f"{what} sandbox {sandbox.name!r}", f"it is {sandbox.owner!r}'s"
        )


def gate(patience: float) -> Callable[[ASGIApp], ASGIApp]:
    """The middleware that lets requests pass, or not.

    :param patience: seconds for each part of a request.
    """
    return lambda app: _Gate(app, patience)


class _Gate:
    def __init__(self, app: ASGIApp, patience: float) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:  # nothing else is routed
            await self._app(scope, receive, send)
            return
        opt: dict[str, Any] = scope["route_handler"].opt
        scope.setdefault("state", {})
        action: str = opt.get(ACTION, "")
        scope["user"], scope["auth"] = User(name="", role="observer"), ""
        answer = _audited(scope, send, action) if action else send
        try:
            if not opt.get(OPEN) and scope["path"] != OPENAPI:
                await _let_in(scope, opt.get(ROLE, "observer"), action)
        except ShelldockError as error:
            if action:
                await _write(scope, action, error.code)
            raise
        await self._app(scope, self._patient(receive), answer)

    def _patient(self, receive: Receive) -> Receive:
        whole = False

        async def next_part() -> Any:
            nonlocal whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout(self._patience):
                    message = await receive()
            except TimeoutError:
                raise LateError(
                    f"the request did not come to its end: {self._patience:g} s went by without more of it"
                ) from None
            whole = not message.get("more_body", False)
            return message

        return next_part


async def _let_in(scope: HTTPScope, role: Role, action: str) -> None:
    host: AsyncHost = scope["litestar_app"].state["host"]
    kind, _, secret = _header(scope, b"authorization").partition(" ")
    if kind.casefold() != "bearer" or not secret:
        raise LoginError("log in first: send 'Authorization: Bearer <token>'")
    secret = secret.strip()
    user = host.users.known(secret)
    if user is None:
        user = await asyncio.to_thread(host.users.who, secret)
    scope["user"], scope["auth"] = user, secret
    require(user, role, action or f"{scope['method']} {scope['path']}")


def _header(scope: HTTPScope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _audited(scope: HTTPScope, send: Send, action: str) -> Send:
    async def send_on(message: Message) -> None:
        if message["type"] == "http.response.start":
            await _write(scope, action, str(scope["state"].get("outcome", "done")))
        await send(message)

    return send_on


async def _write(scope: HTTPScope, action: str, outcome: str) -> None:
    params = " ".join(str(one).lstrip("/") for one in scope.get("path_params", {}).values())
    client = scope.get("client")
    line = Audit(
        at=time.time(),
        user=scope["user"].name,
        address=client[0] if client else "",
        action=action,
        object=str(scope["state"].get("object", params)),
        outcome=outcome,
    )
    host: AsyncHost = scope["litestar_app"].state["host"]
    try:
        await asyncio.to_thread(host.audit.write, line)
    except ShelldockError as error:
        log.error("the audit lacks a line: %s: %s", line, error)
