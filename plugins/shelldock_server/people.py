"""Routes: logging in, users, tokens, the audit."""

from __future__ import annotations

import asyncio
from concurrent.futures import Executor
from typing import Annotated

from litestar import delete, get, patch, post
from litestar.params import Parameter

from shelldock.errors import DeniedError
from shelldock.model import Audit, Token, User
from shelldock_server.access import Asked, about, host, is_admin
from shelldock_server.answers import (
    After,
    Issued,
    Limit,
    LoggedIn,
    Login,
    NewToken,
    NewUser,
    Page,
    UserChange,
    page,
)
from shelldock_server.problems import RESPONSES


@post(
    "/api/login",
    opt={"open": True, "action": "log in"},
    security=[{}],
    responses=RESPONSES,
    tags=["people"],
)
async def login(request: Asked, data: Login) -> LoggedIn:
    """Get a token for a password."""
    about(request, data.user)
    users = host(request).users
    # In threads of their own: whoever tries many passwords holds up nobody but those who log in.
    logins: Executor = request.app.state["logins"]
    loop = asyncio.get_running_loop()
    user = await loop.run_in_executor(logins, users.login, data.user, data.password)
    token, secret = await asyncio.to_thread(users.issue, user.name, data.name, data.lifetime)
    request.scope["user"] = user
    return LoggedIn(token=secret, user=user, expires=token.expires)


@post(
    "/api/logout", status_code=204, responses=RESPONSES, opt={"action": "log out"}, tags=["people"]
)
async def logout(request: Asked) -> None:
    """End the token in use."""
    await asyncio.to_thread(host(request).users.revoke_secret, request.auth)


@get("/api/me", responses=RESPONSES, tags=["people"])
async def me(request: Asked) -> User:
    """Who is logged in."""
    return request.user


@get("/api/users", opt={"role": "admin"}, responses=RESPONSES, tags=["people"])
async def list_users(request: Asked, limit: Limit = 100, after: After = "") -> Page[User]:
    """Every user."""
    return page(await asyncio.to_thread(host(request).users.all), limit, after)


@get("/api/users/{name:str}", responses=RESPONSES, tags=["people"])
async def get_user(request: Asked, name: str) -> User:
    """A user: oneself, and for admins any."""
    if not is_admin(request.user) and name.casefold() != request.user.name.casefold():
        raise DeniedError(request.user.name, f"see user {name!r}")
    return await asyncio.to_thread(host(request).users.get, name)


@post(
    "/api/users", opt={"role": "admin", "action": "add user"}, responses=RESPONSES, tags=["people"]
)
async def add_user(request: Asked, data: NewUser) -> User:
    """Add a user."""
    about(request, data.name)
    users = host(request).users
    return await asyncio.to_thread(users.add, data.name, data.password, data.role, data.email)


@patch("/api/users/{name:str}", opt={"action": "change user"}, responses=RESPONSES, tags=["people"])
async def change_user(request: Asked, name: str, data: UserChange) -> User:
    """Change a user; everybody their own password, admins all."""
    own = name.casefold() == request.user.name.casefold()
    only_password = data.role is None and data.active is None and data.email is None
    if not is_admin(request.user) and not (own and only_password):
        raise DeniedError(request.user.name, f"change user {name!r}")
    return await asyncio.to_thread(
        lambda: host(request).users.change(
            name, role=data.role, password=data.password, email=data.email, active=data.active
        )
    )


@delete(
    "/api/users/{name:str}",
    opt={"role": "admin", "action": "remove user"},
    responses=RESPONSES,
    tags=["people"],
)
async def remove_user(request: Asked, name: str) -> None:
    """Remove a user and all their tokens."""
    await asyncio.to_thread(host(request).users.remove, name)


@get("/api/tokens", responses=RESPONSES, tags=["people"])
async def list_tokens(request: Asked, limit: Limit = 100, after: After = "") -> Page[Token]:
    """One's own tokens; for admins, all."""
    whose = None if is_admin(request.user) else request.user.name
    return page(await asyncio.to_thread(host(request).users.tokens, whose), limit, after)


@post("/api/tokens", opt={"action": "add token"}, responses=RESPONSES, tags=["people"])
async def add_token(request: Asked, data: NewToken) -> Issued:
    """Get another token; admins also for somebody else."""
    whose = data.user or request.user.name
    about(request, whose)
    if not is_admin(request.user) and whose.casefold() != request.user.name.casefold():
        raise DeniedError(request.user.name, f"make a token for {whose!r}")
    token, secret = await asyncio.to_thread(
        host(request).users.issue, whose, data.name, data.lifetime
    )
    return Issued(token=token, secret=secret)


@delete(
    "/api/tokens/{id:str}",
    status_code=200,
    opt={"action": "revoke token"},
    responses=RESPONSES,
    tags=["people"],
)
async def revoke_token(request: Asked, id: str) -> Token:
    """End a token: one's own, and for admins any."""
    users = host(request).users
    if not is_admin(request.user):
        own = await asyncio.to_thread(users.tokens, request.user.name)
        if id not in [one.id for one in own]:
            raise DeniedError(request.user.name, f"revoke token {id!r}")
    return await asyncio.to_thread(users.revoke, id)


@get("/api/audit", opt={"role": "admin"}, responses=RESPONSES, tags=["people"])
async def audit(
    request: Asked,
    user: str | None = None,
    limit: Limit = 100,
    after: Annotated[int, Parameter(ge=0, le=2**53)] = 0,
) -> Page[Audit]:
    """Who changed what, newest first."""
    found = await asyncio.to_thread(
        lambda: host(request).audit.read(user=user, before=after, limit=limit + 1)
    )
    more = str(found[limit - 1].id) if len(found) > limit else ""
    return Page(items=found[:limit], next=more)


HANDLERS = [
    login,
    logout,
    me,
    list_users,
    get_user,
    add_user,
    change_user,
    remove_user,
    list_tokens,
    add_token,
    revoke_token,
    audit,
]
