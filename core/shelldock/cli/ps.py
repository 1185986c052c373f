"""``shelldock ps``: the driver instances of all hosts that are open."""

from __future__ import annotations

import time

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import everywhere
from shelldock.cli.screen import amount, note, show, table
from shelldock.model import Instance

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

HEADS = ("Instance", "State", "Shell", "Process", "Running", "Waiting", "Idle", "Memory", "Made")


@app.command()
def ps(*, json: AsJson = False) -> None:
    """List the driver instances of all hosts that are open.

    That is of every Shelldock of yours that runs on this machine, in whatever program.
    """
    found = [one for _, instances in everywhere(list[Instance], "instances") for one in instances]
    show(found, table(HEADS, map(_row, found)) if found else None, as_json=json)
    if json:
        return
    if not found:
        note("no instances")
    for one in found:
        if one.state == "broken":
            note(f"{one.key} is broken: it {one.reason}")


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
