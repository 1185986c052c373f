"""``shelldock executions``: what runs, and what has ended."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import RenderableType

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import peers
from shelldock.cli.screen import note, show, table, when
from shelldock.model import Execution

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

HEADS = ("Execution", "State", "Target", "Command", "Sandbox", "Accepted", "Took", "Failure")

Of = Annotated[str | None, typer.Option(show_default=False, help="Only those of this one.")]


@app.command()
def executions(
    context: typer.Context,
    *,
    ended: Annotated[
        bool,
        typer.Option("--all", help="Also what has ended: at a server all, else what did lately."),
    ] = False,
    target: Of = None,
    sandbox: Of = None,
    user: Of = None,
    command: Of = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest of them, at most.")] = 100,
    json: AsJson = False,
) -> None:
    """List what runs, and what has ended.

    That is at a server, or else in hosts that are open.
    """
    with peers(context) as asked:
        known = [
            one
            for peer in asked
            for one in peer.executions(
                ended=ended, limit=limit, target=target, sandbox=sandbox, user=user, command=command
            )
        ]
    found = known[-limit:]
    show(found, of_executions(found) if found else None, as_json=json)
    if not found and not json:
        note("nothing runs")


def of_executions(found: Iterable[Execution]) -> RenderableType:
    """An execution a row."""
    return table(HEADS, map(_row, found))


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
