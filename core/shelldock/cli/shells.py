"""``shelldock shell``: the installed shells."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import structs
from rich.text import Text

from shelldock.cli.check import check
from shelldock.cli.commands import described, listed
from shelldock.cli.options import AsJson, Python
from shelldock.cli.screen import facts, note, show, table
from shelldock.cli.session import state, stored_host
from shelldock.errors import ConflictError, PythonError
from shelldock.host import AsyncHost
from shelldock.model import Attribute, Interpreter, Shell

_ANOTHER: Final = "another with --python"

app = typer.Typer(
    help="Add, list, show, check and remove shells.", no_args_is_help=True, add_completion=False
)


@app.command()
def add(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="Folder or package of the shell.", show_default=False),
    ],
    *,
    force: Annotated[
        bool,
        typer.Option(
            "--force", help="Also in place of a higher version, and where attributes are dropped."
        ),
    ] = False,
    json: AsJson = False,
) -> None:
    """Add a shell, or replace it by another version: a copy is kept."""
    with state(context) as host:
        added = host.catalog.add(path, force=force)
    show(added, None, as_json=json)
    if not json:
        note(f"shell {added.name!r} {added.version} added")


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the shells: added ones, those of plugins, and those that were installed with pip."""
    with state(context) as host:
        shells = host.catalog.shells()
        broken = host.catalog.broken()
        sources = {one.name: host.catalog.source(one.name) for one in shells}
    rows = [(one.name, one.version, one.kind, sources[one.name]) for one in shells]
    rendered = table(("Shell", "Version", "Kind", "From"), rows)
    show({"shells": shells, "broken": broken}, rendered if rows else None, as_json=json)
    if json:
        return
    for one in broken:
        note(f"not used: shell {one.name!r} from {one.source}: {one.reason}")
    if not rows:
        note("no shells; add one with 'shelldock shell add PATH'")


@app.command("show")
def show_(
    context: typer.Context,
    shell: Annotated[
        str,
        typer.Argument(
            metavar="PATH-or-SHELL",
            help="Folder or package of a shell, or the name of an installed one.",
        ),
    ],
    *,
    everything: Annotated[bool, typer.Option("--all", help="Show hidden commands, too.")] = False,
    python: Python = None,
    json: AsJson = False,
) -> None:
    """Show a shell: the Python it gets, its commands with their inputs, and its attributes."""
    with stored_host(context, [], python) as host:
        found = host.open_shell(shell)
        interpreter = _interpreter(host, found)
    if json:
        show({**structs.asdict(found), "interpreter": interpreter}, None, as_json=True)
        return
    show(None, facts(_facts(found, interpreter)), as_json=False)
    commands = found.driver.commands if found.driver else ()
    shown = listed(commands, hidden=everything)
    for title, rows, rendered in (
        ("Commands", shown, described(shown)),
        ("Attributes", found.attributes, facts(_attribute(one) for one in found.attributes)),
    ):
        if rows:
            show(None, Text(f"\n{title}", style="bold"), as_json=False)
            show(None, rendered, as_json=False)
    if len(shown) < len(commands):
        note(f"{len(commands) - len(shown)} hidden commands; --all shows them")


app.command()(check)


@app.command()
def remove(
    context: typer.Context,
    shell: Annotated[
        str, typer.Argument(metavar="SHELL", help="Name of a shell.", show_default=False)
    ],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also where resources are of this shell.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Remove a shell that was added."""
    with state(context) as host:
        users = host.inventory.used(shell)
        if users and not force:
            some = ", ".join(map(repr, users[:3])) + (", …" if len(users) > 3 else "")
            raise ConflictError(
                f"shell {shell!r} is in use by {some}; remove them first, or add --force"
            )
        host.catalog.remove(shell)
    show({"removed": shell}, None, as_json=json)
    if not json:
        note(f"shell {shell!r} removed")


def _interpreter(host: AsyncHost, shell: Shell) -> Interpreter | dict[str, dict[str, str]] | None:
    """What the driver runs on; where there is nothing, why: as any failure is told in JSON."""
    if shell.driver is None:
        return None
    try:
        return asyncio.run(host.interpreter(shell))
    except PythonError as error:
        return {"error": {"code": error.code, "message": str(error)}}


def _facts(
    shell: Shell, interpreter: Interpreter | dict[str, dict[str, str]] | None
) -> list[tuple[str, str]]:
    driver = shell.driver
    rows = [
        ("Name", shell.name),
        ("Version", shell.version),
        ("Author", shell.author),
        ("Description", shell.description),
        ("Generation", str(shell.generation)),
        ("Kind", shell.kind),
        ("Model", shell.model),
        ("Family", shell.family),
        ("Concurrent", "yes" if shell.concurrent else "no"),
        ("Asks for", ", ".join(shell.discovery.asks) if shell.discovery else ""),
        ("Path", str(shell.path)),
    ]
    if driver:
        rows += [
            ("Driver", f"{driver.name} {driver.version}, {driver.main_class}"),
            ("Python", _python(interpreter)),
            ("Not read", driver.note),
        ]
    return rows


def _python(found: Interpreter | dict[str, dict[str, str]] | None) -> str:
    if isinstance(found, Interpreter):
        return f"{found.version} at {found.path}: {found.why} ({_ANOTHER})"
    return f"none: {found['error']['message']}" if found else ""


def _attribute(attribute: Attribute) -> tuple[str, str]:
    choices = f", one of {', '.join(attribute.choices)}" if attribute.choices else ""
    default = f", default {attribute.default!r}" if attribute.default else ""
    return attribute.name, f"{attribute.type}{choices}{default}"
