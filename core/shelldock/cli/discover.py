"""``shelldock discover``: what a resource's driver finds below it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from shelldock.cli.options import AsJson, Python
from shelldock.cli.progress import Progress
from shelldock.cli.screen import note, show
from shelldock.cli.servers import available, refuse
from shelldock.cli.session import stored_host
from shelldock.cli.trees import tree
from shelldock.model import Resource
from shelldock.rediscovery import Difference, difference

if TYPE_CHECKING:
    from shelldock.client import Client
    from shelldock.host import AsyncHost

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def discover(
    context: typer.Context,
    resource: Annotated[
        str, typer.Argument(metavar="RESOURCE", help="Name of a resource of the inventory.")
    ],
    *,
    python: Python = None,
    json: AsJson = False,
) -> None:
    """Let a resource's driver find its sub-resources, and keep them.

    The resource is excluded meanwhile, and stays so if it fails. Sub-resources that are not found any
    more are kept too, but excluded.
    """
    with available(context) as client:
        if client is not None:
            refuse({"--python": python})
            before, found = _there(client, resource)
        else:
            before, found = _here(context, resource, python)
    told = difference(before, found)
    show(_told(found, told), tree(found, _news(before, told)), as_json=json)
    if not json:
        note(_summary(found, before, told))


def _there(client: Client, resource: str) -> tuple[list[Resource], list[Resource]]:
    """The tree before and after."""
    inventory = client.inventory
    root = inventory.resource(resource).root
    before = inventory.tree(root)
    client.discover(resource)
    return before, inventory.tree(root)


def _here(
    context: typer.Context, resource: str, python: str | None
) -> tuple[list[Resource], list[Resource]]:
    """The tree before and after."""
    progress = Progress()

    async def find(host: AsyncHost) -> list[Resource]:
        async with host:
            root = await host.discover(resource)
            progress.stop()
            return host.inventory.tree(root.name)

    try:
        with stored_host(context, [progress], python) as host:
            before = host.inventory.tree(host.inventory.resource(resource).root)
            return before, asyncio.run(find(host))
    finally:
        progress.stop()


def _told(found: list[Resource], told: Difference) -> dict[str, object]:
    return {"resources": found, "new": told.new, "changed": told.changed, "excluded": told.excluded}


def _news(before: list[Resource], told: Difference) -> dict[str, str]:
    """A word for each that is not as it was; at the first discovery everything is new, and nothing is said."""
    if len(before) == 1:
        return {}
    return dict.fromkeys(told.new, "new") | dict.fromkeys(told.changed, "changed")


def _summary(found: list[Resource], before: list[Resource], told: Difference) -> str:
    excluded = sum(one.excluded for one in found[1:])
    said = f"{len(found) - 1 - excluded} sub-resources"
    said += f", {excluded} excluded" if excluded else ""
    if len(before) == 1:
        return said
    counts = (("new", told.new), ("changed", told.changed), ("not found any more", told.excluded))
    changes = ", ".join(f"{len(names)} {what}" for what, names in counts if names)
    return f"{said}; {changes or 'nothing changed'}"
