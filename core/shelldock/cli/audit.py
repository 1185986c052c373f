"""``shelldock audit``: who changed what."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.keeping import kept
from shelldock.cli.options import AsJson
from shelldock.cli.screen import note, show, table, when

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def audit(
    context: typer.Context,
    *,
    user: Annotated[str | None, typer.Option(help="Only what this user did.")] = None,
    limit: Annotated[
        int, typer.Option(help="How many lines, the newest.", min=1, max=10_000)
    ] = 100,
    json: AsJson = False,
) -> None:
    """Show who changed what through the server, newest first."""
    with kept(context) as there:
        found = there.audit.read(user=user, limit=limit)
    heads = ("When", "User", "From", "Did", "To", "Outcome", "Detail")
    rows = [
        (when(one.at), one.user, one.address, one.action, one.object, one.outcome, one.detail)
        for one in found
    ]
    show(found, table(heads, rows) if rows else None, as_json=json)
    if not rows and not json:
        note("nothing was changed through a server yet")
