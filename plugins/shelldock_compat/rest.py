"""The little of CloudShell's REST API that keeps drivers from waiting: every question has a quick answer.

shell-core asks for its shell's version once in each process, for the head of its log, and goes on without.
"""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from shelldock_compat.listener import Request, Response
from shelldock_compat.requests import read_path


def answer(request: Request) -> Response:
    """404 for a shell, 501 for anything else; ``Message`` is the text that clients show."""
    path = tuple(segment.casefold() for segment in read_path(request.target))
    if request.method == "GET" and path[:2] == ("api", "shells"):
        return _refusal(HTTPStatus.NOT_FOUND, "shells cannot be looked up here")
    return _refusal(
        HTTPStatus.NOT_IMPLEMENTED, f"this host does not offer {request.method} {request.target}"
    )


def _refusal(status: HTTPStatus, message: str) -> Response:
    body = msgspec.json.encode({"Message": message, "ErrorCode": 1})
    return Response(body, "application/json; charset=utf-8", status)
