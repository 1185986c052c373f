"""``shelldock queue``: the commands that wait, and why."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import RenderableType

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import peers
from shelldock.cli.screen import note, show, table
from shelldock.model import Waiting

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

HEADS = ("Execution", "Target", "Command", "Sandbox", "Place", "Waits", "Until", "State", "Reason")


@app.command()
def queue(
    context: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET", help="Only what waits for this target, or key.", show_default=False
        ),
    ] = None,
    *,
    json: AsJson = False,
) -> None:
    """List the commands that wait, and why."""
    with peers(context) as asked:
        waiting = [one for peer in asked for one in peer.queue()]
    found = [one for one in waiting if target in (None, one.target, one.key)]
    show(found, of_waiting(found) if found else None, as_json=json)
    if not found and not json:
        note("nothing waits")


def of_waiting(found: Iterable[Waiting]) -> RenderableType:
    """A command that waits a row."""
    return table(HEADS, map(_row, found))


def _row(one: Waiting) -> tuple[str, ...]:
    waits = time.time() - one.since
    return (
        one.execution,
        one.target,
        one.command,
        one.sandbox,
        str(one.position or ""),
        f"{waits:.0f} s",
        f"{one.limit.seconds:.0f} s" if one.limit else "",
        one.state,
        one.reason,
    )
