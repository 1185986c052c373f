"""``shelldock sandbox``: resources, apps and services in use together, at a server."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shelldock import blueprints
from shelldock.cli.options import AsJson
from shelldock.cli.screen import facts, note, show, table, when
from shelldock.cli.servers import required
from shelldock.errors import InputError, NotFoundError
from shelldock.model import Sandbox, SandboxDetails

if TYPE_CHECKING:
    from shelldock.client import Client

app = typer.Typer(
    help="Start, list, show, extend and end sandboxes.", no_args_is_help=True, add_completion=False
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="SANDBOX", help="Its id, or its name where only one that has not ended has it."
    ),
]


@app.command()
def start(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A blueprint: YAML or JSON.", show_default=False)
    ],
    *,
    name: Annotated[str, typer.Option(help="Its name; by default the blueprint's.")] = "",
    duration: Annotated[
        str,
        typer.Option(
            metavar="TIME",
            help="Until it ends by itself: '2h', '1d 12h', '90m'; by default what the blueprint says.",
        ),
    ] = "",
    json: AsJson = False,
) -> None:
    """Start a sandbox with all that a blueprint names, or with nothing where any of it cannot be had."""
    blueprint = blueprints.read(_text(file), str(file))
    lasts = blueprints.seconds(duration) if duration else None
    with required(context) as client:
        made = client.start_blueprint(blueprint, name=name, duration=lasts)
    show(made, made.sandbox.id, as_json=json)
    if not json:
        note(f"sandbox {made.sandbox.name!r} started{_until(made.sandbox)}")


@app.command()
def schema() -> None:
    """Print the JSON schema of blueprints, for editors; asks no server."""
    show(blueprints.schema(), None, as_json=True)


@app.command("list")
def list_(
    context: typer.Context,
    *,
    ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    owner: Annotated[str | None, typer.Option(help="Only this user's.", show_default=False)] = None,
    json: AsJson = False,
) -> None:
    """List the sandboxes."""
    with required(context) as client:
        found = client.list_sandboxes(ended=ended, owner=owner)
    heads = ("Sandbox", "Name", "Blueprint", "Owner", "State", "Started", "Ends")
    rows = [
        (
            one.id,
            one.name,
            one.blueprint,
            one.owner,
            one.state,
            when(one.started),
            when(one.ended or one.ends or 0),
        )
        for one in found
    ]
    show(found, table(heads, rows) if rows else None, as_json=json)
    if not rows and not json:
        note("no sandboxes; start one with 'shelldock sandbox start FILE'")


@app.command("show")
def show_(context: typer.Context, sandbox: Name, *, json: AsJson = False) -> None:
    """Show a sandbox and what is in it."""
    with required(context) as client:
        found = client.sandbox(meant(client, sandbox))
    if json:
        show(found, None, as_json=True)
        return
    show(None, facts(_facts(found.sandbox)), as_json=False)
    inside = _inside(found)
    if inside:
        print()
        show(None, table(("Name", "Kind", "Shell", "Address"), inside), as_json=False)


@app.command()
def extend(
    context: typer.Context,
    sandbox: Name,
    duration: Annotated[
        str,
        typer.Argument(
            metavar="TIME", help="How much later it ends: '2h', '1d 12h', '90m'; 'forever'."
        ),
    ],
    *,
    json: AsJson = False,
) -> None:
    """Let a sandbox end later."""
    more = None if duration == "forever" else blueprints.seconds(duration)
    with required(context) as client:
        known = client.sandbox(meant(client, sandbox)).sandbox
        if more is not None and known.ends is None and known.ended is None:
            raise InputError(f"sandbox {known.name!r} does not end by itself")
        ends = None if more is None else (known.ends or time.time()) + more
        changed = client.extend_sandbox(known.id, ends)
    show(changed, None, as_json=json)
    if not json:
        note(f"sandbox {changed.name!r} goes on{_until(changed)}")


@app.command()
def end(context: typer.Context, sandbox: Name, *, json: AsJson = False) -> None:
    """End a sandbox: its commands are cancelled, its apps and services stop, its resources are free again."""
    with required(context) as client:
        ended = client.end_sandbox(meant(client, sandbox))
    show(ended, None, as_json=json)
    if not json:
        note(f"sandbox {ended.name!r} {ended.state}: {ended.reason}")


@app.command()
def output(context: typer.Context, sandbox: Name, *, json: AsJson = False) -> None:
    """Print what commands returned in a sandbox, and what their drivers said."""
    with required(context) as client:
        found = client.sandbox_output(meant(client, sandbox))
    show(found, None, as_json=json)
    if not json:
        for one in found:
            whose = f" {one.target} {one.command}:" if one.command else ""
            print(f"{when(one.at)}{whose} {one.text}")


def meant(client: Client, name: str) -> str:
    """The id of a sandbox by its id or name. ``NotFoundError``; ``InputError`` where several have the name."""
    there = client.list_sandboxes()
    ids = [one.id for one in there if name in (one.id, one.name)]
    if len(ids) > 1:
        raise InputError(f"{name!r} may be any of {', '.join(map(repr, ids))}; name one of these")
    if ids:
        return ids[0]
    try:
        return client.sandbox(name).sandbox.id
    except NotFoundError:
        known = [text for one in there for text in (one.id, one.name)]
        raise NotFoundError("sandbox", name, known, "see 'shelldock sandbox list'") from None


def _inside(found: SandboxDetails) -> list[tuple[str, ...]]:
    rows = [(one.name, one.kind, one.resource.shell, one.resource.address) for one in found.targets]
    used = {one.name for one in found.targets}
    return rows + [
        (one.resource, "shared resource" if one.shared else "resource", "", "")
        for one in found.holds
        if one.resource not in used
    ]


def _facts(one: Sandbox) -> list[tuple[str, str]]:
    return [
        ("Name", one.name),
        ("Id", one.id),
        ("Blueprint", one.blueprint),
        ("Description", one.description),
        ("Owner", one.owner),
        ("State", one.state),
        ("Started", when(one.started)),
        ("Ends", when(one.ends or 0)),
        ("Ended", when(one.ended or 0)),
        ("Reason", one.reason),
    ]


def _until(sandbox: Sandbox) -> str:
    return f" until {when(sandbox.ends)}" if sandbox.ends else ", until somebody ends it"


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"cannot read the blueprint {str(file)!r}: {reason}") from None
