"""Errors as RFC 9457 has them."""

from __future__ import annotations

import logging
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import msgspec
from litestar import Litestar, Request, Response
from litestar.datastructures import MutableScopeHeaders
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from litestar.routes import HTTPRoute
from litestar.types import Message, Scope

from shelldock.errors import Fact, InputError, ShelldockError

log = logging.getLogger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

STATUS: Final = {
    "not-found": 404,
    "no-driver": 404,
    "no-discovery": 404,
    "input": 400,
    "settings": 400,
    "shell": 400,
    "login": 401,
    "denied": 403,
    "conflict": 409,
    "cycle": 409,
    "excluded": 409,
    "reserved": 409,
    "held": 409,
    "queue-full": 429,
    "closing": 503,
    "store": 503,
    "driver": 502,
    "discovery": 502,
    "lost": 502,
    "environment": 502,
    "python": 502,
    "start": 502,
    "broken": 502,
    "cancelled": 409,
    "pending": 504,
    "limit": 504,
}
"""For the ``code`` of each error; 500 for the others, which are ours to mend."""


class Problem(msgspec.Struct, kw_only=True):
    """What went wrong, for programs and for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    facts: dict[str, Fact] = {}


class LateError(ShelldockError):
    """A client did not send, or take, what it had begun."""

    code = "late"


RESPONSES: Final = {
    status: ResponseSpec(
        Problem, description=description, media_type=MEDIA_TYPE, generate_examples=False
    )
    for status, description in {
        400: "What was sent is not what this takes.",
        401: "Nobody is logged in.",
        403: "Whoever asks may not do this.",
        404: "What was named is not there.",
        405: "There is no such method here.",
        408: "The request never came to its end.",
        409: "Something is in the way.",
        413: "The request is too large.",
        415: "The body is of another type than this takes.",
        429: "Too many commands wait already.",
        502: "A driver, or what it needs, failed.",
        503: "The server shuts down, or its store cannot be used; try again.",
        504: "A clock ran out.",
    }.items()
}


def of_ours(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """An error that was raised on purpose."""
    assert isinstance(error, ShelldockError)
    status = 408 if error.code == "late" else STATUS.get(error.code, 500)
    facts = {name: fact for name, fact in error.facts.items() if name != "trace"}
    return _problem(request, status, error.code, str(error), facts)


def of_http(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """An error of the protocol, or in what was sent."""
    assert isinstance(error, HTTPException)
    said = error.detail
    extra = error.extra if isinstance(error.extra, list) else []
    more = "; ".join(
        f"{one.get('key', 'it')}: {one['message']}"
        for one in extra
        if isinstance(one, dict) and "message" in one
    )
    refused = error.status_code == HTTPStatus.METHOD_NOT_ALLOWED
    headers = {"Allow": _methods(request.app, request.url.path)} if refused else {}
    code = {404: "not-found", 413: "input", 400: "input", 415: "input"}.get(
        error.status_code, "http"
    )
    return _problem(
        request,
        error.status_code,
        code,
        " ".join(f"{said}{f': {more}' if more else ''}".split()),
        {},
        headers,
    )


def of_text(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """Text that is none: half a surrogate, bytes that are no UTF-8."""
    return of_ours(request, InputError(f"the request is not readable as text: {error}"))


def of_body(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """A body that is not what is taken here, or JSON too deep to be read."""
    return of_ours(request, InputError(f"cannot read the body: {error}"))


def of_us(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """An error that is ours to mend."""
    log.error("%s %s", request.method, request.url.path, exc_info=error)
    message = f"internal error, please report it: {type(error).__name__}"
    return _problem(request, 500, "error", message, {})


def _problem(
    request: Request[Any, Any, Any],
    status: int,
    code: str,
    detail: str,
    facts: dict[str, Fact],
    headers: dict[str, str] | None = None,
) -> Response[Problem]:
    request.scope["state"]["outcome"] = code
    problem = Problem(
        type=f"urn:shelldock:error:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        facts=facts,
    )
    headers = dict(headers or {})
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(problem, status_code=status, media_type=MEDIA_TYPE, headers=headers)


async def tell_methods(message: Message, scope: Scope) -> None:
    """Name all methods in an answer to ``OPTIONS``; Litestar names those of one handler."""
    if message["type"] == "http.response.start" and scope.get("method") == "OPTIONS":
        headers = MutableScopeHeaders.from_message(message)
        if "allow" in headers:
            headers["allow"] = _methods(scope["litestar_app"], scope["path"])


def _methods(app: Litestar, path: str) -> str:
    """What RFC 9110 wants to be told: the methods that there are."""
    routes = [one for one in app.routes if isinstance(one, HTTPRoute)]
    found = [one for one in routes if one.path == path] or [
        one for one in routes if re.fullmatch(_pattern(one), path)
    ]
    return ", ".join(sorted({str(method) for one in found for method in one.methods}))


def _pattern(route: HTTPRoute) -> str:
    parts = (
        re.escape(part) if isinstance(part, str) else ".+" if part.type is Path else "[^/]+"
        for part in route.path_components
    )
    return "/" + "/".join(parts)
