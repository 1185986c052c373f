"""``shelldock executions``: what runs in hosts that are open, and what ended lately."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import everywhere
from shelldock.cli.screen import note, show, table, when
from shelldock.executions import ENDED
from shelldock.model import Execution

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

HEADS = ("Execution", "State", "Target", "Command", "Sandbox", "Accepted", "Took", "Failure")


@app.command()
def executions(
    *,
    ended: Annotated[bool, typer.Option("--all", help="Also what has ended lately.")] = False,
    json: AsJson = False,
) -> None:
    """List what runs in hosts that are open, and what ended lately."""
    found = [
        one
        for _, known in everywhere(list[Execution], "executions")
        for one in known
        if ended or one.state not in ENDED
    ]
    show(found, table(HEADS, map(_row, found)) if found else None, as_json=json)
    if not found and not json:
        note("nothing runs")


def _row(one: Execution) -> tuple[str, ...]:
    took = f"{one.ended - one.started:.1f} s" if one.ended and one.started else ""
    return (
        one.id,
        one.state,
        one.target,
        one.command,
        one.sandbox,
        when(one.accepted),
        took,
        one.failure.message if one.failure else "",
    )
