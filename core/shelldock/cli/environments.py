"""``shelldock env``: the environments that drivers run in."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from shelldock.cli.options import AsJson, Python, alone
from shelldock.cli.progress import Progress
from shelldock.cli.screen import note, show, table, when
from shelldock.cli.servers import available
from shelldock.cli.session import general, passing_host, state
from shelldock.errors import InputError
from shelldock.model import Environment

if TYPE_CHECKING:
    from shelldock.host import AsyncHost

T = TypeVar("T")

app = typer.Typer(
    help="List, build, export, import and remove the environments of drivers.",
    no_args_is_help=True,
    add_completion=False,
)

DAY = 86400.0


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the environments."""
    with available(context) as client:
        found = client.environments() if client is not None else _here(context)
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

    async def built(host: AsyncHost) -> Environment:
        opened = host.open_shell(shell)
        if opened.driver is None:
            raise InputError(f"shell {opened.name!r} has no driver, so it needs no environment")
        return await host.prepare(opened)

    made = _with_progress(context, python, built)
    show(made, str(made.path), as_json=json)


@app.command()
def export(
    context: typer.Context,
    shells: Annotated[
        list[str],
        typer.Argument(metavar="PATH-or-SHELL…", help="Folders, packages or names of shells."),
    ],
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Where to write them.")
    ],
    python: Python = None,
    json: AsJson = False,
) -> None:
    """Write the environments of shells into a file, for machines that reach no index."""

    async def exported(host: AsyncHost) -> list[Environment]:
        opened = [host.open_shell(one) for one in shells]
        return await host.export_environments(opened, output)

    made = _with_progress(context, python, exported)
    show(made, None, as_json=json)
    if not json:
        note(f"{len(made)} environments written to {output}")


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What 'env export' wrote.")],
    *,
    json: AsJson = False,
) -> None:
    """Take in environments that were exported, perhaps on another machine; no index is asked."""
    made = _with_progress(context, None, lambda host: host.import_environments(file))
    show(made, None, as_json=json)
    if not json:
        note("\n".join(f"environment {one.name} is ready" for one in made))


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
    alone(general(context), "env prune")
    with state(context) as host:
        unused = host.settings.environments.unused_after if days is None else days * DAY
        gone = host.environments.prune(unused)
    show(gone, None, as_json=json)
    if not json:
        note("\n".join(f"removed {one.name}" for one in gone) or "nothing to remove")


def _here(context: typer.Context) -> Sequence[Environment]:
    with state(context) as host:
        return host.environments.list()


def _with_progress(
    context: typer.Context, python: str | None, work: Callable[[AsyncHost], Awaitable[T]]
) -> T:
    """What ``work`` makes of a host, while it is shown how that goes."""
    alone(general(context), f"env {context.info_name}")
    progress = Progress()

    async def run(host: AsyncHost) -> T:
        try:
            return await work(host)
        finally:
            await host.environments.close()

    try:
        with passing_host(context, [progress], python) as host:
            return asyncio.run(run(host))
    finally:
        progress.stop()
