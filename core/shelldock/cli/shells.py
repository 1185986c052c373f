"""``shelldock shell``: the installed shells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from msgspec import structs
from rich.text import Text

from shelldock.cli.check import check
from shelldock.cli.commands import described, listed
from shelldock.cli.keeping import kept
from shelldock.cli.options import AsJson, Python
from shelldock.cli.screen import facts, note, show, table
from shelldock.cli.servers import available, refuse
from shelldock.cli.session import stored_host
from shelldock.errors import PythonError
from shelldock.model import Attribute, Interpreter, Shell

_ANOTHER: Final = "another with --python"

_Failed = dict[str, dict[str, str]]

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
    with kept(context) as there:
        added = there.catalog.add(path, force=force)
    show(added, None, as_json=json)
    if not json:
        note(f"shell {added.name!r} {added.version} added")


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the shells: added ones, those of plugins, and those that were installed with pip."""
    with kept(context) as there:
        shells = there.catalog.shells()
        broken = there.catalog.broken()
    rows = [(one.name, one.version, one.kind, one.origin) for one in shells]
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
    found, interpreter = _looked_up(context, shell, python)
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
    with kept(context) as there:
        there.remove_shell(shell, force=force)
    show({"removed": shell}, None, as_json=json)
    if not json:
        note(f"shell {shell!r} removed")


def _looked_up(
    context: typer.Context, name: str, python: str | None
) -> tuple[Shell, Interpreter | _Failed | None]:
    """A shell, and what its driver runs on; where there is nothing, why: as any failure is told in JSON."""
    if not Path(name).exists():
        with available(context) as client:
            if client is not None:
                refuse({"--python": python})
                shell = client.catalog.get(name)
                return shell, _interpreter(shell, lambda: client.catalog.interpreter(shell.name))
    with stored_host(context, [], python) as host:
        shell = host.open_shell(name)
        return shell, _interpreter(shell, lambda: asyncio.run(host.interpreter(shell)))


def _interpreter(shell: Shell, found: Callable[[], Interpreter]) -> Interpreter | _Failed | None:
    if shell.driver is None:
        return None
    try:
        return found()
    except PythonError as error:
        return {"error": {"code": error.code, "message": str(error)}}


def _facts(shell: Shell, interpreter: Interpreter | _Failed | None) -> list[tuple[str, str]]:
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


def _python(found: Interpreter | _Failed | None) -> str:
    if isinstance(found, Interpreter):
        return f"{found.version} at {found.path}: {found.why} ({_ANOTHER})"
    return f"none: {found['error']['message']}" if found else ""


def _attribute(attribute: Attribute) -> tuple[str, str]:
    choices = f", one of {', '.join(attribute.choices)}" if attribute.choices else ""
    default = f", default {attribute.default!r}" if attribute.default else ""
    return attribute.name, f"{attribute.type}{choices}{default}"
