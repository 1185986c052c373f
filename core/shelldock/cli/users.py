"""``shelldock user``: who may log in at the server that uses this machine's store."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from shelldock.cli.keeping import kept
from shelldock.cli.options import AsJson
from shelldock.cli.screen import facts, note, show, table, when
from shelldock.errors import InputError
from shelldock.model import ROLES, Role, User

app = typer.Typer(
    help="Add, list, show, change and remove users.", no_args_is_help=True, add_completion=False
)

Name = Annotated[str, typer.Argument(metavar="USER", help="Name of a user.", show_default=False)]
AsRole = Annotated[
    str | None,
    typer.Option("--role", metavar="ROLE", help=f"One of {', '.join(ROLES)}.", show_default=False),
]
Email = Annotated[str | None, typer.Option(help="Address for mail.", show_default=False)]
FromInput = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]


@app.command()
def add(
    context: typer.Context,
    name: Name,
    *,
    role: AsRole = None,
    email: Email = None,
    password_stdin: FromInput = False,
    json: AsJson = False,
) -> None:
    """Add a user; the password is asked for."""
    with kept(context) as there:
        password = _password(stdin=password_stdin)
        added = there.users.add(name, password, _role(role) or "user", email or "")
    _show(added, f"user {added.name!r} added, role {added.role}", json=json)


@app.command("list")
def list_(context: typer.Context, *, json: AsJson = False) -> None:
    """List the users."""
    with kept(context) as there:
        found = there.users.all()
    heads = ("User", "Role", "Email", "Active", "Since")
    rows = [
        (one.name, one.role, one.email, "yes" if one.active else "no", when(one.created))
        for one in found
    ]
    show(found, table(heads, rows) if rows else None, as_json=json)
    if not rows and not json:
        note("no users; the first start of 'shelldock serve' adds 'admin'")


@app.command("show")
def show_(context: typer.Context, name: Name, *, json: AsJson = False) -> None:
    """Show a user."""
    with kept(context) as there:
        found = there.users.get(name)
    rows = [
        ("Name", found.name),
        ("Role", found.role),
        ("Email", found.email),
        ("Active", "yes" if found.active else "no"),
        ("Since", when(found.created)),
    ]
    show(found, facts(rows), as_json=json)


@app.command()
def change(
    context: typer.Context,
    name: Name,
    *,
    role: AsRole = None,
    email: Email = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether the user may log in.")
    ] = None,
    password: Annotated[bool, typer.Option("--password", help="Ask for a new password.")] = False,
    password_stdin: FromInput = False,
    json: AsJson = False,
) -> None:
    """Change a user. A new password, and to be inactive, ends all tokens of the user."""
    with kept(context) as there:
        there.users.get(name)
        new = _password(stdin=password_stdin) if password or password_stdin else None
        changed = there.users.change(
            name, role=_role(role), email=email, active=active, password=new
        )
    _show(changed, f"user {changed.name!r} changed", json=json)


@app.command()
def remove(context: typer.Context, name: Name, *, json: AsJson = False) -> None:
    """Remove a user and all tokens of the user."""
    with kept(context) as there:
        there.users.remove(name)
    show({"removed": name}, None, as_json=json)
    if not json:
        note(f"user {name!r} removed")


def _show(user: User, said: str, *, json: bool) -> None:
    show(user, None, as_json=json)
    if not json:
        note(said)


def _role(text: str | None) -> Role | None:
    if text is None:
        return None
    for one in ROLES:
        if one == text:
            return one
    raise InputError(f"there is no role {text!r}; known: {', '.join(ROLES)}")


def _password(*, stdin: bool) -> str:
    """What is entered twice, unseen; or the first line of standard input."""
    if stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise InputError("nobody can enter a password here; give it with --password-stdin")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise InputError("the passwords differ; nothing was changed")
    return password
