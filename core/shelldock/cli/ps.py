"""``shelldock ps``: the driver instances of all hosts that are open."""

from __future__ import annotations

import time
from collections.abc import Iterable

import typer
from rich.console import RenderableType

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import peers
from shelldock.cli.screen import amount, note, show, table
from shelldock.model import Instance

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

HEADS = ("Instance", "State", "Shell", "Process", "Running", "Waiting", "Idle", "Memory", "Made")


@app.command()
def ps(context: typer.Context, *, json: AsJson = False) -> None:
    """List the driver instances of a server, or of all hosts that are open.

    Open hosts are those of every Shelldock of yours that runs on this machine, in whatever program.
    """
    with peers(context) as asked:
        found = [one for peer in asked for one in peer.instances()]
    show(found, of_instances(found) if found else None, as_json=json)
    if json:
        return
    if not found:
        note("no instances")
    for one in found:
        if one.state == "broken":
            note(f"{one.key} is broken: it {one.reason}")


def of_instances(found: Iterable[Instance]) -> RenderableType:
    """An instance a row."""
    return table(HEADS, map(_row, found))


def _row(one: Instance) -> tuple[str, ...]:
    idle = f"{time.time() - one.idle_since:.0f} s" if one.idle_since else ""
    return (
        one.key,
        one.state,
        f"{one.shell} {one.version}",
        str(one.pid or ""),
        str(one.running),
        str(one.waiting),
        idle,
        amount(one.memory) if one.memory else "",
        one.way,
    )
