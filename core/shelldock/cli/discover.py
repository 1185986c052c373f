"""``shelldock discover``: what a resource's driver finds below it."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from shelldock.cli.options import AsJson, Python
from shelldock.cli.progress import Progress
from shelldock.cli.screen import note, show
from shelldock.cli.session import stored_host
from shelldock.cli.trees import tree
from shelldock.host import AsyncHost
from shelldock.model import Resource

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

    Sub-resources that are not found any more are kept too, but excluded.
    """
    progress = Progress()

    async def find(host: AsyncHost) -> list[Resource]:
        root = host.inventory.resource(resource).root
        async with host:
            await host.discover(root)
            progress.stop()
            return host.inventory.tree(root)

    try:
        with stored_host(context, [progress], python) as host:
            found = asyncio.run(find(host))
    finally:
        progress.stop()
    show(found, tree(found), as_json=json)
    if not json:
        note(_summary(found))


def _summary(found: list[Resource]) -> str:
    excluded = sum(one.excluded for one in found)
    said = f"{len(found) - 1 - excluded} sub-resources"
    return f"{said}, {excluded} excluded" if excluded else said
