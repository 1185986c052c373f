"""``shelldock env``: the environments that drivers run in."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from shelldock.cli.options import AsJson, Python
from shelldock.cli.progress import Progress
from shelldock.cli.screen import note, show, table, when
from shelldock.cli.session import passing_host, state
from shelldock.errors import InputError
from shelldock.host import AsyncHost
from shelldock.model import Environment

app = typer.Typer(
    help="List, build and remove the environments of drivers.",
    no_args_is_help=True,
    add_completion=False,
)

DAY = 86400.0


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the environments."""
    with state(context) as host:
        found = host.environments.list()
    rows = [(one.name, one.version, str(len(one.pins)), when(one.used)) for one in found]
    rendered = table(("Environment", "Python", "Packages", "Used"), rows)
    show(found, rendered if rows else None, as_json=json)
    if not rows and not json:
        note("no environments; they are built when they are needed, or with 'shelldock env build'")


@app.command()
def build(
    context: typer.Context,
    shell: Annotated[
        str,
        typer.Argument(
            metavar="PATH-or-SHELL",
            help="Folder or package of the shell, or the name of an installed one.",
        ),
    ],
    *,
    python: Python = None,
    json: AsJson = False,
) -> None:
    """Build the environment of a shell's driver, unless it is there."""
    progress = Progress()

    async def built(host: AsyncHost) -> Environment:
        opened = host.open_shell(shell)
        if opened.driver is None:
            raise InputError(f"shell {opened.name!r} has no driver, so it needs no environment")
        try:
            return await host.prepare(opened)
        finally:
            await host.environments.close()

    try:
        with passing_host(context, [progress], python) as host:
            made = asyncio.run(built(host))
    finally:
        progress.stop()
    show(made, str(made.path), as_json=json)


@app.command()
def prune(
    context: typer.Context,
    *,
    days: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Remove those that were not used for so many days; by default what the settings say.",
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Remove environments that nothing uses."""
    with state(context) as host:
        unused = host.settings.environments.unused_after if days is None else days * DAY
        gone = host.environments.prune(unused)
    show(gone, None, as_json=json)
    if not json:
        note("\n".join(f"removed {one.name}" for one in gone) or "nothing to remove")
