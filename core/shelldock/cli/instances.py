"""``shelldock instance``: single driver instances of hosts that are open."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Annotated, Literal

import typer
from rich.console import RenderableType

from shelldock.cli.options import AsJson
from shelldock.cli.reaching import Found, find
from shelldock.cli.screen import facts, note, show, table, when
from shelldock.errors import InputError, NotFoundError
from shelldock.model import Execution, Instance

app = typer.Typer(
    help="Show, stop, terminate, reset and retry driver instances.",
    no_args_is_help=True,
    add_completion=False,
)

Name = Annotated[
    str,
    typer.Argument(
        metavar="INSTANCE", help="Its key (resource/sw1), its target's name, or its id."
    ),
]
Ending = Literal["stop", "terminate", "reset"]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, whomever it hits.")]


@app.command("show")
def show_(context: typer.Context, name: Name, *, json: AsJson = False) -> None:
    """Show an instance, and what runs on it and waits for it."""
    with find(context, name) as found:
        if found.instance is None:
            raise NotFoundError("instance", name, hint="it is being started: see 'shelldock queue'")
        hit = found.host.affected(found.key)
    if json:
        show({"instance": found.instance, "executions": hit}, None, as_json=True)
        return
    show(None, facts(_facts(found.instance)), as_json=False)
    if hit:
        print()
        show(None, _executions(hit), as_json=False)


@app.command()
def stop(context: typer.Context, name: Name, *, yes: Yes = False, json: AsJson = False) -> None:
    """Stop an instance: what runs on it is cancelled, its driver cleans up; what waits gets a new one."""
    _end(context, name, "stop", "stopped", yes=yes, json=json)


@app.command()
def terminate(
    context: typer.Context, name: Name, *, yes: Yes = False, json: AsJson = False
) -> None:
    """End an instance at once, without cleanup: what runs on it fails; what waits gets a new one."""
    _end(context, name, "terminate", "terminated", yes=yes, json=json)


@app.command()
def reset(context: typer.Context, name: Name, *, yes: Yes = False, json: AsJson = False) -> None:
    """Cancel all that runs on an instance and waits for it, and stop it; the next command gets a new one."""
    _end(context, name, "reset", "reset", yes=yes, json=json)


@app.command("cancel-all")
def cancel_all(
    context: typer.Context, name: Name, *, yes: Yes = False, json: AsJson = False
) -> None:
    """Cancel all that runs on an instance and waits for it; the instance stays."""
    with find(context, name) as found:
        _confirm(found, "cancel", yes=yes)
        count = found.host.cancel_all(found.key)
    show({"cancelled": count}, None, as_json=json)
    if not json:
        note(f"{count} cancelled")


@app.command()
def retry(context: typer.Context, name: Name, *, json: AsJson = False) -> None:
    """Let an instance that failed to start again and again be tried with the next command."""
    with find(context, name) as found:
        found.host.retry(found.key)
    show({"retried": found.key}, None, as_json=json)
    if not json:
        note(f"{found.key} is tried again with the next command")


@app.command("log-level")
def log_level(
    context: typer.Context,
    name: Name,
    level: Annotated[
        str, typer.Argument(metavar="LEVEL", help="DEBUG, INFO, WARNING, ERROR or CRITICAL.")
    ],
    *,
    json: AsJson = False,
) -> None:
    """Let the driver of an instance log from this level on, at once."""
    with find(context, name) as found:
        found.host.set_log_level(found.key, level)
    show({"instance": found.key, "level": level.upper()}, None, as_json=json)
    if not json:
        note(f"{found.key} logs from {level.upper()} on")


def _end(
    context: typer.Context, name: str, verb: Ending, done: str, *, yes: bool, json: bool
) -> None:
    with find(context, name) as found:
        _confirm(found, verb, yes=yes)
        end: Callable[[str, str], None] = getattr(found.host, verb)
        end(found.key, f"{done} by the user")
    show({done: found.key}, None, as_json=json)
    if not json:
        note(f"{found.key} {done}")


def _confirm(found: Found, verb: str, *, yes: bool) -> None:
    """Show whom it hits, and ask (L4)."""
    hit = found.host.affected(found.key)
    if yes or not hit:
        return
    if not sys.stdin.isatty():
        named = ", ".join(f"{one.command!r} of {one.target!r}" for one in hit[:5])
        raise InputError(f"to {verb} {found.key!r} hits {len(hit)}: {named}; add --yes to do it")
    show(None, _executions(hit), as_json=False)
    if not typer.confirm(f"{verb} {found.key}?"):
        raise typer.Abort


def _executions(hit: list[Execution]) -> RenderableType:
    heads = ("Execution", "State", "Target", "Command", "Sandbox", "Accepted")
    return table(
        heads,
        [
            (one.id, one.state, one.target, one.command, one.sandbox, when(one.accepted))
            for one in hit
        ],
    )


def _facts(one: Instance) -> list[tuple[str, str]]:
    return [
        ("Key", one.key),
        ("Id", one.id),
        ("State", one.state),
        ("Target", one.target),
        ("Shell", f"{one.shell} {one.version}"),
        ("Server", one.node),
        ("Process", str(one.pid or "")),
        ("Made", one.way),
        ("Environment", one.environment),
        ("Started", when(one.started)),
        ("Running", str(one.running)),
        ("Waiting", str(one.waiting)),
        ("Log", str(one.log or "")),
        ("Reason", one.reason),
    ]
