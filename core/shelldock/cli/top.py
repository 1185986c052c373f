"""``shelldock top``: instances, queues and executions, as they change."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from shelldock.cli.executions import of_executions
from shelldock.cli.options import AsJson
from shelldock.cli.ps import of_instances
from shelldock.cli.reaching import Peer, peers
from shelldock.cli.screen import amount, console, show
from shelldock.cli.waiting import of_waiting
from shelldock.model import Execution, Instance, Value, Waiting

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")


class State(Value, frozen=True, kw_only=True):
    """How things are at one moment."""

    instances: list[Instance]
    running: list[Execution]
    waiting: list[Waiting]


@app.command()
def top(
    context: typer.Context,
    *,
    interval: Annotated[
        float, typer.Option(metavar="SECONDS", min=0.1, help="How often to look.")
    ] = 2.0,
    once: Annotated[
        bool, typer.Option("--once", help="Look once; so it is where nobody sits there.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Watch instances, queues and executions.

    Of a server, or else of all hosts that are open. Ctrl-C ends it.
    """
    with peers(context) as asked:
        if once or json or not sys.stdout.isatty():
            state = _state(asked)
            show(state, _screen(state), as_json=json)
            return
        try:
            with Live(console=console(sys.stdout), screen=True, auto_refresh=False) as live:
                while True:
                    live.update(_screen(_state(asked)), refresh=True)
                    time.sleep(interval)
        except KeyboardInterrupt:
            return


def _state(asked: Sequence[Peer]) -> State:
    instances = [one for peer in asked for one in peer.instances()]
    executions = [one for peer in asked for one in peer.executions()]
    return State(
        instances=sorted(instances, key=lambda one: (-one.running, -one.waiting, one.key)),
        running=[one for one in executions if one.state == "running"],
        waiting=[one for peer in asked for one in peer.queue()],
    )


def _screen(state: State) -> RenderableType:
    memory = amount(sum(one.memory for one in state.instances))
    said = (
        f"{time.strftime('%H:%M:%S')}  {len(state.instances)} instances with {memory}, "
        f"{len(state.running)} commands run, {len(state.waiting)} wait"
    )
    parts: list[RenderableType] = [Text(said, style="bold")]
    for there, rendered in (
        (state.instances, of_instances(state.instances)),
        (state.running, of_executions(state.running)),
        (state.waiting, of_waiting(state.waiting)),
    ):
        if there:
            parts += ["", rendered]
    return Group(*parts)
