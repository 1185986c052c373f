"""``shelldock attach``: a command that somebody let go of."""

from __future__ import annotations

from typing import Annotated

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.progress import Progress
from shelldock.cli.servers import required
from shelldock.cli.session import general
from shelldock.cli.working import report

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


@app.command()
def attach(
    context: typer.Context,
    execution: Annotated[
        str, typer.Argument(metavar="EXECUTION", help="Its id: see 'shelldock executions'.")
    ],
    *,
    json: AsJson = False,
) -> None:
    """Follow a command that runs on a server, to its end.

    What it has said so far is printed, then what it says, and what it returns; that of one which has ended, too.
    Ctrl-C cancels it; a second one leaves it to the server.
    """
    from shelldock.cli.following import Follower

    with required(context) as client:
        ended = Follower(client, Progress()).follow(lambda: client.execution(execution))
    report(ended, as_json=json, verbose=general(context).verbose)
