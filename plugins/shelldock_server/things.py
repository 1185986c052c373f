"""Routes: shells, resources, discovery, and what can be commanded."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Annotated

from litestar import delete, get, patch, post, put
from litestar.params import Parameter

from shelldock.catalog import Broken
from shelldock.errors import ConflictError, InputError, NoDriverError
from shelldock.model import Interpreter, Resource, Shell
from shelldock_server.access import Asked, about, host, is_admin
from shelldock_server.answers import (
    After,
    Limit,
    Named,
    NewResource,
    OfCommand,
    Page,
    ResourceChange,
    ResourceDetails,
    page,
)
from shelldock_server.document import Upload
from shelldock_server.problems import RESPONSES

FileName = Annotated[
    str,
    Parameter(
        pattern=r"^[A-Za-z0-9 ._+-]{0,100}$",
        description="What the package's file is called, for shells that have no other name.",
    ),
]


@get("/api/shells", responses=RESPONSES, tags=["shells"])
async def list_shells(request: Asked, limit: Limit = 100, after: After = "") -> Page[Shell]:
    """Every shell that can be used."""
    return page(await asyncio.to_thread(host(request).catalog.shells), limit, after)


@get("/api/shells/{name:str}", responses=RESPONSES, tags=["shells"])
async def get_shell(request: Asked, name: str) -> Shell:
    """A shell, with its commands and attributes."""
    return await asyncio.to_thread(host(request).catalog.get, name)


@get("/api/shells/{name:str}/interpreter", responses=RESPONSES, tags=["shells"])
async def get_interpreter(request: Asked, name: str) -> Interpreter:
    """The Python that the driver of a shell gets, and why. It is looked for now, which may take a second."""
    shell = await asyncio.to_thread(host(request).catalog.get, name)
    return await host(request).interpreter(shell)


@get("/api/broken-shells", responses=RESPONSES, tags=["shells"])
async def list_broken(request: Asked, limit: Limit = 100, after: After = "") -> Page[Broken]:
    """Every shell that is there and cannot be used."""
    return page(await asyncio.to_thread(host(request).catalog.broken), limit, after)


@post(
    "/api/shells",
    opt={"role": "admin", "action": "add shell"},
    responses=RESPONSES,
    tags=["shells"],
    request_max_body_size=None,
    operation_class=Upload,
)
async def add_shell(request: Asked, file: FileName = "", *, force: bool = False) -> Shell:
    """Add a shell, or another version of it: the body is the package (a zip file)."""
    return await _add(request, "", file, force=force)


@put(
    "/api/shells/{name:str}",
    opt={"role": "admin", "action": "update shell"},
    responses=RESPONSES,
    tags=["shells"],
    request_max_body_size=None,
    operation_class=Upload,
)
async def update_shell(
    request: Asked, name: str, file: FileName = "", *, force: bool = False
) -> Shell:
    """Update a shell that is there: what runs goes on with the old version, what comes gets the new one."""
    host(request).catalog.get(name)
    return await _add(request, name, file, force=force)


@delete(
    "/api/shells/{name:str}",
    opt={"role": "admin", "action": "remove shell"},
    responses=RESPONSES,
    tags=["shells"],
)
async def remove_shell(request: Asked, name: str, *, force: bool = False) -> None:
    """Remove a shell that was added. Refused while resources are of it, unless by `force`."""
    await asyncio.to_thread(host(request).remove_shell, name, force=force)


@get("/api/resources", responses=RESPONSES, tags=["resources"])
async def list_resources(
    request: Asked, shell: str = "", folder: str = "", limit: Limit = 100, after: After = ""
) -> Page[Resource]:
    """The root resources of the inventory, by name; those in a folder, or in folders inside of it."""
    inside = host(request).inventory.resources(folder)
    found = [one for one in inside if shell in ("", one.shell)]
    some = page(found, limit, after)
    return Page(items=[host(request).inventory.masked(one) for one in some.items], next=some.next)


@post(
    "/api/resources",
    opt={"role": "admin", "action": "add resource"},
    responses=RESPONSES,
    tags=["resources"],
)
async def add_resource(request: Asked, data: NewResource) -> Resource:
    """Add a root resource."""
    about(request, data.name)
    inventory = host(request).inventory
    shell = host(request).catalog.get(data.shell)
    made = await asyncio.to_thread(
        inventory.create,
        data.name,
        shell,
        data.address,
        data.attributes,
        data.description,
        data.folder,
    )
    return host(request).inventory.masked(made)


@get("/api/resources/{name:path}", responses=RESPONSES, tags=["resources"])
async def get_resource(request: Asked, name: Path, *, tree: bool = False) -> ResourceDetails:
    """A resource, what is directly below it (with `tree`, all below it), and what all of it is connected to."""
    inventory = host(request).inventory
    full = _name(name)
    below = inventory.tree(full)[1:] if tree else inventory.children(full)
    return ResourceDetails(
        resource=host(request).inventory.masked(inventory.resource(full)),
        children=[host(request).inventory.masked(one) for one in below],
        connections=await asyncio.to_thread(host(request).connections.below, full),
    )


@patch(
    "/api/resources/{name:path}",
    opt={"role": "admin", "action": "change resource"},
    responses=RESPONSES,
    tags=["resources"],
)
async def change_resource(request: Asked, name: Path, data: ResourceChange) -> Resource:
    """Change some facts of a resource, all at once."""
    changed = await asyncio.to_thread(
        lambda: host(request).inventory.set(
            _name(name),
            address=data.address,
            attributes=data.attributes,
            description=data.description,
            excluded=data.excluded,
            folder=data.folder,
        )
    )
    return host(request).inventory.masked(changed)


@delete(
    "/api/resources/{name:path}",
    opt={"role": "admin", "action": "remove resource"},
    responses=RESPONSES,
    tags=["resources"],
)
async def remove_resource(request: Asked, name: Path) -> None:
    """Remove a resource and all below it. Refused while a sandbox holds it."""
    root = _name(name).partition("/")[0]
    holders = host(request).sandboxes.holders(root)
    if holders:
        raise ConflictError(
            f"resource {root!r} is in use by sandbox {holders[0][0].name!r}; end that first"
        )
    await host(request).remove(_name(name))


@post(
    "/api/discoveries",
    opt={"role": "admin", "action": "discover resource"},
    responses=RESPONSES,
    tags=["resources"],
)
async def discover(request: Asked, data: Named) -> Resource:
    """Let the driver of a resource find its sub-resources, and keep them; answers when it has."""
    about(request, data.resource)
    return host(request).inventory.masked(await host(request).discover(data.resource))


@get("/api/commands", responses=RESPONSES, tags=["executions"])
async def list_commands(
    request: Asked, target: Annotated[str, Parameter(min_length=1)], sandbox: str = ""
) -> OfCommand:
    """The commands of a target, with their inputs; those for administrators only for them (D4)."""
    found = host(request).locate(target, sandbox).resource
    if not found.shell:  # a part of a resource: its root's driver answers
        found = host(request).locate(found.root, sandbox).resource
    shell = host(request).shell(found.shell)
    if shell.driver is None:
        raise NoDriverError(target, shell.name)
    commands = [
        one for one in shell.driver.commands if is_admin(request.user) or not one.admin_only
    ]
    return OfCommand(target=target, shell=shell.name, commands=commands)


def _name(path: Path) -> str:
    return str(path).lstrip("/")


async def _add(request: Asked, name: str, file: str, *, force: bool) -> Shell:
    catalog = host(request).catalog
    with tempfile.TemporaryDirectory(prefix="shelldock-") as folder:
        # Shells without a name of their own are called as their file.
        package = Path(folder, f"{file.removesuffix('.zip') or 'shell'}.zip")
        await _receive(request, package)
        if name:
            sent = await asyncio.to_thread(catalog.open, package)
            if sent.name.casefold() != name.casefold():
                raise InputError(f"that is shell {sent.name!r}, not {name!r}")
        origin = f"{package.name}, sent by {request.user.name}"
        added = await asyncio.to_thread(lambda: catalog.add(package, force=force, origin=origin))
    about(request, added.name)
    return added


async def _receive(request: Asked, package: Path) -> None:
    limit: int = request.app.state["settings"].shell_limit
    size = 0
    with package.open("wb") as file:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise InputError(f"a shell has at most {limit} bytes")
            file.write(chunk)
    if not size:
        raise InputError("the body is empty: send the shell's package, a zip file")


HANDLERS = [
    list_shells,
    get_shell,
    get_interpreter,
    list_broken,
    add_shell,
    update_shell,
    remove_shell,
    list_resources,
    add_resource,
    get_resource,
    change_resource,
    remove_resource,
    discover,
    list_commands,
]
