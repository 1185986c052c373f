"""``shelldock cancel``: a command that waits or runs."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import execution as found
from shelldock.cli.screen import note, show

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def cancel(
    execution: Annotated[
        str, typer.Argument(metavar="EXECUTION", help="Its id: see 'shelldock executions'.")
    ],
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Also where the shell does not say that it can be.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Cancel a command that waits or runs.

    What waits is taken out of the queue. What runs is told, and ends when its driver looks.
    """
    host, _ = found(execution)
    done = host.ask(bool, "cancel", execution, force)
    show({"cancelled": done}, None, as_json=json)
    if not json:
        note("cancelled" if done else "it has ended already")
