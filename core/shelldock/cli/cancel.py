"""``shelldock cancel``: a command that waits or runs."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import has_execution, peers
from shelldock.cli.screen import note, show

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def cancel(
    context: typer.Context,
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
    with peers(context) as asked:
        done = has_execution(asked, execution).cancel(execution, force=force)
    show({"cancelled": done}, None, as_json=json)
    if not json:
        note("cancelled" if done else "it has ended already")
