"""``shelldock token``: what programs show in place of a user's password."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.blueprints import seconds
from shelldock.cli.keeping import kept
from shelldock.cli.options import AsJson
from shelldock.cli.screen import note, show, table, when

app = typer.Typer(
    help="Create, list and revoke tokens.", no_args_is_help=True, add_completion=False
)


@app.command()
def create(
    context: typer.Context,
    user: Annotated[str, typer.Argument(metavar="USER", help="Whose it is.", show_default=False)],
    *,
    name: Annotated[str, typer.Option(help="What it is called.", show_default=False)] = "",
    lifetime: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long it is good: 12h, 30d. Default: for ever."),
    ] = None,
    json: AsJson = False,
) -> None:
    """Create a token for a user, and print its secret, once."""
    with kept(context) as there:
        token, secret = there.users.issue(user, name, seconds(lifetime))
    if json:
        show({"token": token, "secret": secret}, None, as_json=True)
        return
    print(secret)
    note(f"token {token.id} of user {token.user!r}; nobody can read it again, so keep it well")


@app.command("list")
def list_(
    context: typer.Context,
    user: Annotated[
        str | None,
        typer.Argument(metavar="USER", help="Only those of this user.", show_default=False),
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """List the tokens."""
    with kept(context) as there:
        found = there.users.tokens(there.users.get(user).name if user else None)
    heads = ("Token", "User", "Name", "Since", "Expires", "Used")
    rows = [
        (
            one.id,
            one.user,
            one.name,
            when(one.created),
            when(one.expires) if one.expires else "",
            when(one.used) if one.used else "",
        )
        for one in found
    ]
    show(found, table(heads, rows) if rows else None, as_json=json)
    if not rows and not json:
        note("no tokens")


@app.command()
def revoke(
    context: typer.Context,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="Its id.", show_default=False)],
    *,
    json: AsJson = False,
) -> None:
    """End a token at once."""
    with kept(context) as there:
        ended = there.users.revoke(token)
    show({"revoked": ended}, None, as_json=json)
    if not json:
        note(f"token {ended.id} of user {ended.user!r} revoked")
