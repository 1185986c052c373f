"""The application: all routes, and what every request meets on its way."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Any, Final

from litestar import Litestar, Request
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from shelldock import AsyncHost
from shelldock.blueprints import App, Blueprint, ServiceUse, Use
from shelldock.errors import ShelldockError
from shelldock_server import people, problems, running, things, work
from shelldock_server.access import gate
from shelldock_server.answers import Body
from shelldock_server.events import Events
from shelldock_server.metrics import Metrics
from shelldock_server.plugin import Server

LOGINS: Final = 2
"""Passwords that are tried at the same time; each takes 64 MiB."""


def build(
    host: AsyncHost,
    settings: Server,
    events: Events,
    metrics: Metrics,
    reload: Callable[[], Awaitable[None]],
    stop: Callable[[], None],
) -> Litestar:
    """The application that drives ``host``.

    :param reload: reads the settings again.
    :param stop: asks the server to end.
    """
    return Litestar(
        [*people.HANDLERS, *things.HANDLERS, *work.HANDLERS, *running.HANDLERS],
        middleware=[gate(settings.patience)],
        exception_handlers={
            ShelldockError: problems.of_ours,
            HTTPException: problems.of_http,
            UnicodeError: problems.of_text,
            Exception: problems.of_us,
        },
        openapi_config=OpenAPIConfig(
            title="Shelldock",
            version=version("shelldock"),
            description="Drives CloudShell shells: resources, sandboxes, executions.",
            path="/api/openapi.json",
            render_plugins=[Document(path="/")],
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
            ),
            security=[{"token": []}],
        ),
        request_max_body_size=settings.body_limit,
        logging_config=None,
        state=State(
            {
                "host": host,
                "settings": settings,
                "events": events,
                "metrics": metrics,
                "reload": reload,
                "stop": stop,
                "since": time.time(),
                "logins": ThreadPoolExecutor(LOGINS, thread_name_prefix="login"),
            }
        ),
    )


def describe(app: Litestar) -> None:
    """Write the OpenAPI document, which takes a moment: in a thread, so that nobody waits for it."""
    assert app.openapi_schema.paths


class Document(JsonRenderPlugin):
    """The OpenAPI document, with what is true of every body: it has no other fields."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The document as JSON."""
        schemas = openapi_schema["components"]["schemas"]
        closed: list[type] = [*Body.__subclasses__(), Blueprint, Use, App, ServiceUse]
        for body in closed:
            schemas[body.__name__]["additionalProperties"] = False
        return super().render(request, openapi_schema)
