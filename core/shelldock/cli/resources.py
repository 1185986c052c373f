"""``shelldock resource``: the inventory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from shelldock.cli import asking
from shelldock.cli.keeping import keeper
from shelldock.cli.options import Address, AsJson, Attributes, pairs
from shelldock.cli.screen import facts, note, show, table
from shelldock.cli.trees import tree
from shelldock.errors import InputError
from shelldock.model import WEIGHT, Connection, Resource, Shell

app = typer.Typer(
    help="Add, list, show, change, move, connect and remove resources.",
    no_args_is_help=True,
    add_completion=False,
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="Full name of the resource.", show_default=False)
]
Folder = Annotated[
    str | None,
    typer.Option(
        metavar="PATH",
        help="The folder it lies in: 'Lab 1/Rack 3'; '' is none.",
        show_default=False,
    ),
]
Description = Annotated[str | None, typer.Option(help="A text about it.", show_default=False)]


@app.command()
def add(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the resource to be.", show_default=False)
    ],
    *,
    shell: Annotated[str, typer.Option(help="Name of an installed shell.", show_default=False)],
    address: Address = "",
    attribute: Attributes = None,
    description: Description = None,
    folder: Folder = None,
    ask: Annotated[
        bool | None,
        typer.Option(
            "--ask/--no-ask",
            help="Ask for what discovery needs and was not given; by default on a terminal, where no attribute is.",
            show_default=False,
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Add a resource of a shell."""
    attributes = pairs(attribute)
    with keeper(context) as host:
        found = host.shell(shell)
        asked = asking.unanswered(found, attributes)
        if asking.wants_to_be_asked(given=bool(attributes), as_json=json) if ask is None else ask:
            address = address or _asked_address(found)
            attributes |= asking.ask(asked)
            asked = []
        made = host.inventory.create(
            name, found, address, attributes, description=description or "", folder=folder or ""
        )
        show(made, None, as_json=json)
    if not json:
        note(f"resource {name!r} added")
        if asked:
            names = ", ".join(asking.short(one) for one in asked)
            note(f"left empty, though discovery asks for it: {names}")


def _asked_address(shell: Shell) -> str:
    discovery = shell.discovery
    return asking.question("Address") if discovery and not discovery.hides_address else ""


@app.command("list")
def list_(
    context: typer.Context,
    *,
    folder: Annotated[
        str,
        typer.Option(metavar="PATH", help="Only what lies in this folder.", show_default=False),
    ] = "",
    json: AsJson = False,
) -> None:
    """List the resources."""
    with keeper(context) as host:
        found = host.inventory.resources(folder)
    rows = [(one.name, one.shell, one.address, one.folder, _status(one)) for one in found]
    rendered = table(("Name", "Shell", "Address", "Folder", "Status"), rows)
    show(found, rendered if rows else None, as_json=json)
    if not rows and not json and folder:
        note(f"no resources in {folder!r}")
    elif not rows and not json:
        note("no resources; add one with 'shelldock resource add NAME --shell SHELL'")


@app.command("show")
def show_(context: typer.Context, name: Name, *, json: AsJson = False) -> None:
    """Show a resource, its attributes, what is below it, and what it is connected to."""
    with keeper(context) as host:
        found = [host.masked(one) for one in host.inventory.tree(name)]
        cables = host.connections.below(name)
    if json:
        show(found, None, as_json=True)
        return
    show(None, facts(_facts(found[0], cables)), as_json=False)
    shown = sorted(found[0].attributes.items())
    if shown:
        show(None, "", as_json=False)
        show(None, table(("Attribute", "Value"), shown), as_json=False)
    if len(found) > 1:
        show(None, "", as_json=False)
        others = {one.resource: f"→ {one.other}" for one in cables}
        show(None, tree(found, others), as_json=False)


@app.command("set")
def set_(
    context: typer.Context,
    name: Name,
    *,
    address: Annotated[str | None, typer.Option(help="New address.", show_default=False)] = None,
    attribute: Attributes = None,
    description: Description = None,
    folder: Folder = None,
    exclude: Annotated[
        bool | None,
        typer.Option(
            "--exclude/--include", help="Mark it as excluded, or not.", show_default=False
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Change the address, attributes, description or folder of a resource."""
    attributes = pairs(attribute)
    if (address, description, folder, exclude) == (None,) * 4 and not attributes:
        raise InputError(
            "nothing to set: give --address, --attribute, --description, --folder or --exclude"
        )
    with keeper(context) as host:
        changed = host.inventory.set(
            name,
            address=address,
            attributes=attributes,
            description=description,
            excluded=exclude,
            folder=folder,
        )
        show(changed, None, as_json=json)
        if not json:
            note(f"resource {name!r} changed")


@app.command("move-folder")
def move_folder(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(metavar="FOLDER", help="Its path.", show_default=False)],
    to: Annotated[
        str, typer.Argument(metavar="PATH", help="Its new path; '' is none.", show_default=False)
    ],
    *,
    json: AsJson = False,
) -> None:
    """Rename or move a folder with all in it."""
    with keeper(context) as host:
        moved = host.inventory.move_folder(folder, to)
        show([host.masked(one) for one in moved], None, as_json=json)
    if not json:
        note(f"{len(moved)} resources moved from {folder!r} to {to!r}")


@app.command()
def connect(
    context: typer.Context,
    name: Name,
    other: Annotated[
        str, typer.Argument(metavar="OTHER", help="What it is connected to.", show_default=False)
    ],
    *,
    weight: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="What it costs to go this way.")
    ] = WEIGHT,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take away what either is connected to.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Connect two resources, or parts of them, by a cable; each has one at most."""
    with keeper(context) as host:
        made = host.connections.connect(name, other, weight, replace=replace)
    show(made, None, as_json=json)
    if not json:
        note(f"{made.resource!r} connected to {made.other!r}")


@app.command()
def disconnect(context: typer.Context, name: Name) -> None:
    """Take away the cable of a resource, or of a part of one."""
    with keeper(context) as host:
        host.connections.disconnect(name)
    note(f"{name!r} disconnected")


@app.command()
def connections(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Only those of this resource and its parts.")
    ] = "",
    *,
    json: AsJson = False,
) -> None:
    """List the cables between resources."""
    with keeper(context) as host:
        found = host.connections.below(name) if name else host.connections.all()
    rows = [(one.resource, one.other, str(one.weight)) for one in found]
    show(found, table(("Resource", "Connected to", "Weight"), rows, "") or None, as_json=json)
    if not rows and not json:
        note("no connections; make one with 'shelldock resource connect NAME OTHER'")


@app.command()
def remove(context: typer.Context, name: Name, *, json: AsJson = False) -> None:
    """Remove a resource and all below it."""
    with keeper(context) as host:
        gone = host.remove(name)
        show(gone, None, as_json=json)
        if not json:
            below = f" and {len(gone) - 1} below it" if len(gone) > 1 else ""
            note(f"resource {name!r}{below} removed")


def _status(one: Resource) -> str:
    """The live status with its text, and first of all whether the resource is excluded."""
    text = " ".join(one.status_text.split())
    live = f"{one.status}: {text}" if text else one.status
    return ", ".join(filter(None, ("excluded" if one.excluded else "", live)))


def _facts(one: Resource, cables: Sequence[Connection]) -> list[tuple[str, str]]:
    return [
        ("Name", one.name),
        ("Shell", one.shell),
        ("Model", one.model),
        ("Family", one.family),
        ("Address", one.address),
        ("Folder", one.folder),
        ("Connected to", next((cable.other for cable in cables if cable.resource == one.name), "")),
        ("Description", one.description),
        ("Status", _status(one)),
        ("Identifier", one.unique_identifier),
        ("Id", one.id),
    ]
