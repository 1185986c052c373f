"""The application: all routes, and what every request meets on its way."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from typing import Final

import msgspec
from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.spec import Components, SecurityScheme

from shelldock import AsyncHost
from shelldock.errors import ShelldockError
from shelldock_server import people, places, problems, running, things, work
from shelldock_server.access import Bodies, gate
from shelldock_server.document import Document
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
        [*people.HANDLERS, *things.HANDLERS, *places.HANDLERS, *work.HANDLERS, *running.HANDLERS],
        middleware=[gate(settings.patience)],
        request_class=Bodies,
        before_send=[problems.tell_methods],
        exception_handlers={
            ShelldockError: problems.of_ours,
            HTTPException: problems.of_http,
            UnicodeError: problems.of_text,
            msgspec.DecodeError: problems.of_body,
            RecursionError: problems.of_body,
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
