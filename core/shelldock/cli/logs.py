"""``shelldock logs``: what driver instances wrote."""

from __future__ import annotations

import re
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from shelldock.cli.options import AsJson
from shelldock.cli.screen import amount, note, show, table, when
from shelldock.cli.servers import named, refuse
from shelldock.cli.session import paths
from shelldock.errors import InputError, NotFoundError
from shelldock.journal import Line, Tail, lines, of_execution
from shelldock.logs import Log, find, of_newest_instance

if TYPE_CHECKING:
    from shelldock.client import Client

app = typer.Typer(add_completion=False, rich_markup_mode="markdown")

POLL: Final = 0.2
"""Seconds between two looks at a log that is followed."""

SHOWN: Final = 50
"""Lines of a log that are shown unless another number is asked for."""

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}

Wanted = Callable[[Line], bool]


@app.command()
def logs(
    context: typer.Context,
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            help="Part of a log's name: a target, a scope, an instance's id. Without it: list all.",
            show_default=False,
        ),
    ] = None,
    *,
    execution: Annotated[
        str,
        typer.Option(
            metavar="ID",
            help="Only what was written for this execution, in whatever log.",
            show_default=False,
        ),
    ] = "",
    since: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="Only what was written since then: '90s', '10m', '2h', '1d', or a date and time.",
            show_default=False,
        ),
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on printing what is written.")
    ] = False,
    count: Annotated[
        int | None,
        typer.Option(
            "--lines",
            "-n",
            min=0,
            help=f"How many of the last lines; 0: all. By default {SHOWN}, of an execution all.",
            show_default=False,
        ),
    ] = None,
    path: Annotated[bool, typer.Option("--path", help="Print only the file's path.")] = False,
    json: AsJson = False,
) -> None:
    """Show what driver instances wrote.

    That is the log of a target's newest instance, or without a target a list of all.
    """
    with named(context) as client:
        if client is not None:
            _of_server(client, execution, {"--follow": follow, "--path": path, "--since": since})
            return
    begin = _moment(since) if since else 0.0
    if target is None and not (execution or follow or path):
        _list([one for one in find(paths()) if one.written >= begin], as_json=json)
        return
    count = count if count is not None else 0 if execution else SHOWN
    found, written = _found(target, execution)
    if path:
        show(found[0], str(found[0].path), as_json=json)
    elif follow:
        _follow(found[0], _wanted(execution, begin), count, as_json=json)
    elif execution:
        written = [line for line in written if (line.time or 0) >= begin][-count:]
        data = {"execution": execution, "logs": found, "lines": written}
        show(data, None, as_json=json) if json else _print(written, as_json=False)
    else:
        _show(found, begin, count, as_json=json)


def _of_server(client: Client, execution: str, options: Mapping[str, object]) -> None:
    refuse(options)
    if not execution:
        raise InputError(
            "a server shows the log of an execution: add '--execution ID', or '--server local' before the command"
        )
    sys.stdout.write(client.execution_log(execution))


def _found(target: str | None, execution: str) -> tuple[Sequence[Log], list[Line]]:
    if execution:
        logs, written = of_execution(paths(), execution, target or "")
        if not written:
            raise NotFoundError(
                "line of execution", execution, hint="it wrote none, or its log is gone"
            )
        return logs, written
    found = find(paths(), target or "")
    if not found:
        raise NotFoundError("log of", target or "any target", hint="see 'shelldock logs'")
    return found, []


def _list(found: list[Log], *, as_json: bool) -> None:
    rows = [(when(one.written), amount(one.size), one.name) for one in found]
    show(found, table(("Written", "Size", "Log"), rows) if rows else None, as_json=as_json)
    if not rows and not as_json:
        note("no logs yet")


def _show(found: Sequence[Log], begin: float, count: int, *, as_json: bool) -> None:
    """The newest instance's log, then what its driver wrote beside it by itself."""
    log, *beside = of_newest_instance(list(found))
    written = lines(log.path, 0 if begin else count)
    written = [line for line in written if (line.time or 0) >= begin][-count:]
    if as_json:
        show({"log": log, "lines": written, "beside": beside}, None, as_json=True)
        return
    note(f"==> {log.path}")
    _print(written, as_json=False)
    for one in beside:
        note(f"==> {one.path}")
        sys.stdout.writelines(_last(one.path, count))


def _follow(log: Log, wanted: Wanted, count: int, *, as_json: bool) -> None:
    note(f"==> {log.path}")
    tail = Tail(log.path)
    _print([line for line in tail.new() if wanted(line)][-count:], as_json=as_json)
    while True:
        _print([line for line in tail.new() if wanted(line)], as_json=as_json)
        time.sleep(POLL)


def _wanted(execution: str, begin: float) -> Wanted:
    return lambda line: (not execution or line.execution == execution) and (line.time or 0) >= begin


def _print(written: Sequence[Line], *, as_json: bool) -> None:
    """Lines as they are in the file, or one JSON object for each."""
    for line in written:
        sys.stdout.write(f"{msgspec.json.encode(line).decode() if as_json else line}\n")
    sys.stdout.flush()


def _last(path: Path, count: int) -> list[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        return list(deque(file, count or None))


def _moment(text: str) -> float:
    """A time ago, or a date and time in local time, as Unix time."""
    ago = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if ago:
        return time.time() - float(ago[1]) * _UNITS[ago[2]]
    try:
        return datetime.fromisoformat(text.strip()).astimezone().timestamp()
    except ValueError:
        raise InputError(
            f"no time is {text!r}; give one like '10m', '2h' or '2026-03-01 12:00'"
        ) from None
