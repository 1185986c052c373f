"""Routes: executions, sandboxes."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import Annotated, Any

from litestar import Response, get, post
from litestar.params import Parameter

from shelldock import blueprints
from shelldock.errors import DeniedError, InputError, NotFoundError
from shelldock.inputs import DISCOVERY
from shelldock.journal import of_execution
from shelldock.model import Execution, ExecutionState, Message, Sandbox, SandboxDetails, Target
from shelldock_server.access import Asked, about, host, is_admin, require_own
from shelldock_server.answers import (
    After,
    Cancelled,
    Extension,
    Force,
    Limit,
    NewExecution,
    NewSandbox,
    Page,
    page,
    without_secrets,
)
from shelldock_server.problems import RESPONSES

Seconds = Annotated[float, Parameter(ge=0, le=60, description="Seconds to wait for its end.")]


@post("/api/executions", opt={"role": "user"}, responses=RESPONSES, tags=["executions"])
async def start_execution(
    request: Asked,
    data: NewExecution,
    idempotency_key: Annotated[str, Parameter(header="Idempotency-Key")] = "",
) -> Response[Execution]:
    """Have a command run. With the header `Idempotency-Key`, the same request again gives the same execution."""
    target = await _allowed(request, data)
    accepted = await host(request).submit(
        target,
        data.command,
        data.inputs,
        ports=data.ports,
        limit=data.limit,
        pending=data.pending,
        user=request.user.name,
        request_key=idempotency_key,
    )
    execution = await _after(request, accepted.id, data.wait) if data.wait else accepted
    return Response(execution, headers={"Location": f"/api/executions/{execution.id}"})


@get("/api/executions", responses=RESPONSES, tags=["executions"])
async def list_executions(
    request: Asked,
    wanted: Annotated[ExecutionState | None, Parameter(query="state")] = None,
    target: str | None = None,
    sandbox: str | None = None,
    user: str | None = None,
    command: str | None = None,
    limit: Limit = 100,
    after: After = "",
) -> Page[Execution]:
    """The executions that there are and were, newest first."""
    found = await host(request).history(
        state=wanted,
        target=target,
        sandbox=sandbox,
        user=user,
        command=command,
        before=after,
        limit=limit,
    )
    return Page(items=found.executions, next=found.next)


@get("/api/executions/{id:str}", responses=RESPONSES, tags=["executions"])
async def get_execution(request: Asked, id: str, wait: Seconds = 0) -> Execution:
    """An execution as it is now, or with `wait` as soon as it has ended."""
    return await _after(request, id, wait)


@post(
    "/api/executions/{id:str}/cancel",
    status_code=200,
    opt={"role": "user", "action": "cancel execution"},
    responses=RESPONSES,
    tags=["executions"],
)
async def cancel_execution(request: Asked, id: str, data: Force) -> Cancelled:
    """Cancel one's own execution; admins any."""
    execution = await host(request).execution(id)
    if not is_admin(request.user) and execution.user != request.user.name:
        raise DeniedError(
            request.user.name, f"cancel execution {id!r}", f"it is {execution.user!r}'s"
        )
    return Cancelled(cancelled=await host(request).cancel(id, force=data.force))


@post(
    "/api/executions/{id:str}/terminate",
    status_code=200,
    opt={"role": "admin", "action": "terminate execution"},
    responses=RESPONSES,
    tags=["executions"],
)
async def terminate_execution(request: Asked, id: str) -> Execution:
    """End the instance on which an execution runs, at once; whatever else runs on it fails, too (Q7)."""
    execution = await host(request).execution(id)
    if execution.state == "accepted":
        await host(request).cancel(id, force=True)
    elif execution.state == "running":
        for one in await host(request).instances(memory=False):
            if one.id == execution.instance:
                with suppress(NotFoundError):  # it has just ended by itself
                    await host(request).terminate(one.key, f"terminated by {request.user.name}")
    return await _after(request, id, 10)


@get(
    "/api/executions/{id:str}/log",
    media_type="text/plain",
    responses=RESPONSES,
    tags=["executions"],
)
async def get_log(request: Asked, id: str) -> str:
    """What the instance wrote to its log for an execution."""
    execution = await host(request).execution(id)
    _, lines = await asyncio.to_thread(of_execution, host(request).paths, execution.id)
    return "".join(f"{line}\n" for line in lines)


# ---- sandboxes ----------------------------------------------------------------------------------


@get("/api/sandboxes", responses=RESPONSES, tags=["sandboxes"])
async def list_sandboxes(
    request: Asked,
    *,
    ended: bool = False,
    owner: str | None = None,
    limit: Limit = 100,
    after: After = "",
) -> Page[Sandbox]:
    """The sandboxes that have not ended; with `ended`, those that have, too."""
    found = await host(request).list_sandboxes(ended=ended, owner=owner)
    return page(found, limit, after)


@post(
    "/api/sandboxes",
    opt={"role": "user", "action": "start sandbox"},
    responses=RESPONSES,
    tags=["sandboxes"],
)
async def start_sandbox(request: Asked, data: NewSandbox) -> SandboxDetails:
    """Start a sandbox from a blueprint, with all of it or not at all."""
    blueprint = blueprints.check(data.blueprint)
    about(request, data.name or blueprint.name)
    details = await host(request).start_blueprint(
        blueprint, name=data.name, owner=request.user.name, duration=data.duration
    )
    about(request, details.sandbox.id)
    return without_secrets(host(request), details)


@get("/api/sandboxes/{id:str}", responses=RESPONSES, tags=["sandboxes"])
async def get_sandbox(request: Asked, id: str) -> SandboxDetails:
    """A sandbox and what is in it, also when it has ended."""
    return without_secrets(host(request), await host(request).sandbox(id))


@post(
    "/api/sandboxes/{id:str}/extend",
    status_code=200,
    opt={"role": "user", "action": "extend sandbox"},
    responses=RESPONSES,
    tags=["sandboxes"],
)
async def extend_sandbox(request: Asked, id: str, data: Extension) -> Sandbox:
    """Let one's own sandbox end at another time; admins any."""
    require_own(request.user, (await host(request).sandbox(id)).sandbox, "extend")
    if data.ends is not None and data.seconds is not None:
        raise InputError("give 'ends' or 'seconds', not both")
    ends = data.ends if data.seconds is None else time.time() + data.seconds
    return await host(request).extend_sandbox(id, ends)


@post(
    "/api/sandboxes/{id:str}/end",
    status_code=200,
    opt={"role": "user", "action": "end sandbox"},
    responses=RESPONSES,
    tags=["sandboxes"],
)
async def end_sandbox(request: Asked, id: str) -> Sandbox:
    """End one's own sandbox, admins any; one that has ended stays as it ended."""
    require_own(request.user, (await host(request).sandbox(id)).sandbox, "end")
    return await host(request).end_sandbox(id, f"ended by {request.user.name}")


@get("/api/sandboxes/{id:str}/output", responses=RESPONSES, tags=["sandboxes"])
async def get_output(
    request: Asked, id: str, limit: Limit = 1000, after: After = ""
) -> Page[Message]:
    """What commands returned and drivers said in a sandbox, oldest first."""
    return page(await host(request).sandbox_output(id), limit, after)


@get(
    "/api/blueprint-schema",
    opt={"open": True},
    security=[{}],
    responses=RESPONSES,
    tags=["sandboxes"],
)
async def get_schema() -> dict[str, Any]:
    """The JSON schema of blueprints."""
    return blueprints.schema()


async def _allowed(request: Asked, data: NewExecution) -> Target | str:
    """The target of a command, if this user may have it run (D4, D6)."""
    if data.sandbox:
        details = await host(request).sandbox(data.sandbox)
        require_own(request.user, details.sandbox, "run commands in")
        host(request).refuse_ended(details.sandbox)
    elif not is_admin(request.user):
        host(request).refuse_held(data.target)
    target = host(request).locate(data.target, data.sandbox)
    if data.command != DISCOVERY:
        host(request).refuse_excluded(target)
    root = (
        target.resource
        if target.resource.shell
        else host(request).inventory.resource(target.resource.root)
    )
    driver = host(request).shell(root.shell).driver
    declared = driver.command(data.command) if driver else None
    if declared is not None and declared.admin_only and not is_admin(request.user):
        raise DeniedError(request.user.name, f"run {data.command!r}", "it is for administrators")
    return target if data.sandbox else data.target


async def _after(request: Asked, id: str, wait: float) -> Execution:
    with suppress(TimeoutError):
        async with asyncio.timeout(wait or None):
            if wait:
                return await host(request).wait(id)
    return await host(request).execution(id)


HANDLERS = [
    start_execution,
    list_executions,
    get_execution,
    cancel_execution,
    terminate_execution,
    get_log,
    list_sandboxes,
    start_sandbox,
    get_sandbox,
    extend_sandbox,
    end_sandbox,
    get_output,
    get_schema,
]
