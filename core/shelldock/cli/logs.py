"""``shelldock logs``: what driver instances wrote."""

from __future__ import annotations

import sys
import time
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from shelldock.cli.options import AsJson
from shelldock.cli.screen import amount, note, show, table, when
from shelldock.cli.session import paths
from shelldock.errors import NotFoundError
from shelldock.logs import Log, find, of_newest_instance

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

POLL = 0.2
"""Seconds between two looks at a log that is followed."""


@app.command()
def logs(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            help="Part of a log's name: a target, a scope, an instance's id. Without it: list all.",
            show_default=False,
        ),
    ] = None,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on printing what is written.")
    ] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many of the last lines; 0: all.")
    ] = 50,
    path: Annotated[bool, typer.Option("--path", help="Print only the file's path.")] = False,
    json: AsJson = False,
) -> None:
    """Show what driver instances wrote.

    That is all logs of a target's newest instance, or without a target a list of all.
    """
    found = find(paths(), target or "")
    if target is None and not follow and not path:
        _list(found, as_json=json)
        return
    if not found:
        raise NotFoundError("log of", target or "any target", hint="see 'shelldock logs'")
    newest = found[0]
    if path:
        show(newest, str(newest.path), as_json=json)
    elif json:
        show({"log": newest, "lines": _last(newest.path, lines)}, None, as_json=True)
    elif follow:
        _follow(newest, lines)
    else:
        for one in of_newest_instance(found):
            note(f"==> {one.path}")
            sys.stdout.writelines(_last(one.path, lines))


def _list(found: list[Log], *, as_json: bool) -> None:
    rows = [(when(one.written), amount(one.size), one.name) for one in found]
    show(found, table(("Written", "Size", "Log"), rows) if rows else None, as_json=as_json)
    if not rows and not as_json:
        note("no logs yet")


def _follow(newest: Log, lines: int) -> None:
    note(f"==> {newest.path}")
    with newest.path.open(encoding="utf-8", errors="replace") as file:
        sys.stdout.writelines(deque(file, lines or None))
        while True:
            sys.stdout.write(file.read())
            sys.stdout.flush()
            time.sleep(POLL)


def _last(path: Path, lines: int) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return list(deque(file, lines or None))
