"""Routes: folders, and what is connected to what."""

from __future__ import annotations

import asyncio
from pathlib import Path

from litestar import delete, get, post

from shelldock.model import Connection, Resource
from shelldock_server.access import Asked, about, host
from shelldock_server.answers import (
    After,
    FolderMove,
    Folders,
    Limit,
    NewConnection,
    Page,
    page,
)
from shelldock_server.problems import RESPONSES


@get("/api/folders", responses=RESPONSES, tags=["resources"])
async def list_folders(request: Asked) -> Folders:
    """The folders that have resources in them, or in folders inside of them."""
    return Folders(folders=host(request).inventory.folders())


@post(
    "/api/folders/move",
    opt={"role": "admin", "action": "move folder"},
    responses=RESPONSES,
    tags=["resources"],
)
async def move_folder(request: Asked, data: FolderMove) -> list[Resource]:
    """Let a folder, with all in it, be called otherwise, or lie elsewhere; answers what is in it."""
    about(request, data.folder)
    inventory = host(request).inventory
    moved = await asyncio.to_thread(inventory.move_folder, data.folder, data.to)
    return [inventory.masked(one) for one in moved]


@get("/api/connections", responses=RESPONSES, tags=["resources"])
async def list_connections(
    request: Asked, resource: str = "", limit: Limit = 100, after: After = ""
) -> Page[Connection]:
    """Every cable once; with `resource`, those of it and its parts, as seen from there."""
    known = host(request).connections
    found = await asyncio.to_thread(lambda: known.below(resource) if resource else known.all())
    return page(found, limit, after)


@post(
    "/api/connections",
    opt={"role": "admin", "action": "connect resources"},
    responses=RESPONSES,
    tags=["resources"],
)
async def add_connection(request: Asked, data: NewConnection) -> Connection:
    """Connect two resources or parts of them: each has one cable at most."""
    about(request, data.resource)
    return await asyncio.to_thread(
        lambda: host(request).connections.connect(
            data.resource, data.other, data.weight, replace=data.replace
        )
    )


@delete(
    "/api/connections/{name:path}",
    opt={"role": "admin", "action": "disconnect resource"},
    responses=RESPONSES,
    tags=["resources"],
)
async def remove_connection(request: Asked, name: Path) -> None:
    """Take away the cable of a resource or a part of one."""
    full = str(name).lstrip("/")
    about(request, full)
    await asyncio.to_thread(host(request).connections.disconnect, full)


HANDLERS = [list_folders, move_folder, list_connections, add_connection, remove_connection]
