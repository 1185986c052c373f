"""Routes: instances, the queue, environments, nodes, plugins, and the server itself."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

from litestar import MediaType, Response, get, post
from litestar.params import Parameter
from litestar.response import Stream

from shelldock.errors import InputError, NotFoundError
from shelldock.model import Environment, Instance, Node, Waiting
from shelldock.plugins import Plugin
from shelldock_server.access import Asked, about, host
from shelldock_server.answers import (
    After,
    Done,
    Health,
    InstanceAction,
    Limit,
    LogLevel,
    Page,
    page,
)
from shelldock_server.events import KINDS, Events
from shelldock_server.problems import RESPONSES


@get("/api/health", opt={"open": True}, security=[{}], responses=RESPONSES, tags=["server"])
async def get_health(request: Asked) -> Response[Health]:
    """How the server is: 503 while it takes nothing new."""
    draining = host(request).draining
    health = Health(
        status="draining" if draining else "ok",
        version=version("shelldock"),
        since=request.app.state["since"],
    )
    return Response(health, status_code=503 if draining else 200)


@get("/api/metrics", media_type=MediaType.TEXT, responses=RESPONSES, tags=["server"])
async def get_metrics(request: Asked) -> Response[bytes]:
    """What the server does, in numbers, as Prometheus reads them."""
    text = await request.app.state["metrics"].text(host(request))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@get("/api/events", media_type="text/event-stream", responses=RESPONSES, tags=["server"])
async def get_events(
    request: Asked,
    kinds: str = ",".join(KINDS),
    execution: str = "",
    sandbox: str = "",
    after: Annotated[str, Parameter(header="Last-Event-ID")] = "",
) -> Stream:
    """What happens, as server-sent events; resumable. The event `reset` says that some were lost: look anew."""
    wanted = [one.strip() for one in kinds.split(",") if one.strip()]
    unknown = [one for one in wanted if one not in KINDS]
    if unknown:
        raise InputError(f"there are no events of kind {unknown[0]!r}; known: {', '.join(KINDS)}")
    events: Events = request.app.state["events"]
    stream = events.follow(wanted, execution, sandbox, after)
    return Stream(stream, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


@get("/api/instances", responses=RESPONSES, tags=["instances"])
async def list_instances(request: Asked, limit: Limit = 100, after: After = "") -> Page[Instance]:
    """The driver instances."""
    return page(await host(request).instances(), limit, after)


@get("/api/instances/{key:path}", responses=RESPONSES, tags=["instances"])
async def get_instance(request: Asked, key: Path) -> Instance:
    """The instance for a scope."""
    name = str(key).lstrip("/")
    found = await host(request).instances()
    for one in found:
        if one.key == name:
            return one
    raise NotFoundError("instance", name, [one.key for one in found])


VERBS: Final = ("stop", "terminate", "reset", "cancel-all", "retry")


@post(
    [f"/api/instances/{verb}" for verb in VERBS],
    status_code=200,
    opt={"role": "admin", "action": "change instance"},
    responses=RESPONSES,
    tags=["instances"],
)
async def act(request: Asked, data: InstanceAction) -> Done:
    """`stop`, `terminate`, `reset`, `cancel-all` or `retry` an instance (Q7, Q8, I11)."""
    verb = request.url.path.rpartition("/")[2]
    about(request, f"{verb} {data.key}")
    one = host(request)
    reason = data.reason or f"asked to {verb} by {request.user.name}"
    if verb == "cancel-all":
        return Done(cancelled=await one.cancel_all(data.key, reason))
    if verb == "stop":
        await one.stop(data.key, reason)
    elif verb == "terminate":
        await one.terminate(data.key, reason)
    elif verb == "reset":
        await one.reset(data.key, reason)
    else:
        await one.retry(data.key)
    return Done()


@post(
    "/api/instances/log-level",
    status_code=200,
    opt={"role": "admin", "action": "change instance"},
    responses=RESPONSES,
    tags=["instances"],
)
async def set_log_level(request: Asked, data: LogLevel) -> Done:
    """Let a running instance log from a level on (L1)."""
    about(request, f"log-level {data.key}")
    await host(request).set_log_level(data.key, data.level)
    return Done()


@get("/api/queue", responses=RESPONSES, tags=["executions"])
async def get_queue(request: Asked, limit: Limit = 100, after: After = "") -> Page[Waiting]:
    """The commands that wait, and why."""
    return page(await host(request).queue(), limit, after)


@get("/api/environments", responses=RESPONSES, tags=["server"])
async def list_environments(
    request: Asked, limit: Limit = 100, after: After = ""
) -> Page[Environment]:
    """The environments that drivers run in."""
    return page(await asyncio.to_thread(host(request).environments.list), limit, after)


@get("/api/nodes", responses=RESPONSES, tags=["server"])
async def list_nodes(request: Asked) -> Page[Node]:
    """The execution servers."""
    return Page(items=await host(request).nodes())


@get("/api/plugins", responses=RESPONSES, tags=["server"])
async def list_plugins(request: Asked) -> Page[Plugin]:
    """The plugins, and what they answer; without their settings, which may be secret."""
    found = host(request).plugins.all()
    return Page(
        items=[
            Plugin(
                name=one.name,
                distribution=one.distribution,
                version=one.version,
                hooks=one.hooks,
                reason=one.reason,
            )
            for one in found
        ]
    )


@post(
    "/api/reload",
    status_code=204,
    opt={"role": "admin", "action": "reload settings"},
    responses=RESPONSES,
    tags=["server"],
)
async def reload(request: Asked) -> None:
    """Read the settings again, and use them from now on."""
    await request.app.state["reload"]()


@post(
    "/api/drain",
    status_code=202,
    opt={"role": "admin", "action": "drain"},
    responses=RESPONSES,
    tags=["server"],
)
async def drain(request: Asked) -> None:
    """Take nothing new, let what runs come to its end, and shut down."""
    request.app.state["stop"]()


HANDLERS = [
    get_health,
    get_metrics,
    get_events,
    list_instances,
    get_instance,
    act,
    set_log_level,
    get_queue,
    list_environments,
    list_nodes,
    list_plugins,
    reload,
    drain,
]
